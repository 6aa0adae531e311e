"""Plans: the server's own, the configuration's, and those of the database."""

import pytest

from skubber.core.errors import ConflictError, InvalidRequestError, NotFoundError
from skubber.core.plans import PLANS
from skubber.settings import LimitSettings
from skubber.store.administration.apps import AppEdit
from skubber.store.administration.plans import PlanChange
from support.office import ACTOR, Office


async def test_a_new_plan_can_be_given_to_apps_and_changed_beneath_them(office: Office) -> None:
    put = office.administration.plans.put
    await put(ACTOR, "pro", PlanChange(LimitSettings(connections=7)))
    await office.create_app(id="shop", plan="pro")
    assert (await office.served("shop")).limits.connections == 7
    await put(ACTOR, "pro", PlanChange(LimitSettings(channels=3)))
    limits = (await office.served("shop")).limits
    assert (limits.connections, limits.channels) == (0, 3)


async def test_all_plans_are_listed(office: Office) -> None:
    await office.administration.plans.put(ACTOR, "pro", PlanChange())
    await office.administration.plans.put(ACTOR, "free", PlanChange(LimitSettings(connections=1)))
    plans = {plan.name: plan for plan in (await office.administration.plans.list()).plans}
    assert {name: plan.source for name, plan in plans.items()} == {
        "free": "database",
        "starter": "configuration",
        "business": "configuration",
        "unlimited": "configuration",
        "pro": "database",
    }
    assert (plans["free"].limits.connections, plans["starter"].limits) == (1, PLANS["starter"])


async def test_a_plan_in_use_cannot_be_deleted(office: Office) -> None:
    await office.administration.plans.put(ACTOR, "pro", PlanChange())
    await office.create_app(id="shop", plan="pro")
    with pytest.raises(ConflictError) as error:
        await office.administration.plans.delete(ACTOR, "pro")
    assert error.value.code == "plan_in_use"
    await office.administration.apps.edit(ACTOR, "shop", AppEdit(plan="free"))
    await office.administration.plans.delete(ACTOR, "pro")
    assert "pro" not in {plan.name for plan in (await office.administration.plans.list()).plans}


async def test_a_plan_of_the_configuration_comes_back_when_its_change_is_deleted(office: Office) -> None:
    await office.create_app(id="shop", plan="free")
    await office.administration.plans.put(ACTOR, "free", PlanChange(LimitSettings(connections=1)))
    assert (await office.served("shop")).limits.connections == 1
    await office.administration.plans.delete(ACTOR, "free")
    assert (await office.served("shop")).limits == PLANS["free"]
    with pytest.raises(ConflictError) as error:
        await office.administration.plans.delete(ACTOR, "free")
    assert error.value.code == "configured_plan"


@pytest.mark.parametrize("name", ["", "a b", "a\0", "a\n", "x" * 61])
async def test_a_name_that_no_plan_can_have(office: Office, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        await office.administration.plans.put(ACTOR, name, PlanChange())
    with pytest.raises(NotFoundError) as error:
        await office.administration.plans.delete(ACTOR, name)
    assert error.value.code == "no_such_plan"


async def test_changes_are_on_the_record(office: Office) -> None:
    await office.administration.plans.put(ACTOR, "pro", PlanChange(LimitSettings(channels=1)))
    await office.administration.plans.delete(ACTOR, "pro")
    entries = await office.record()
    assert [(entry.action, entry.subject, entry.details) for entry in entries] == [
        ("plan.delete", "pro", {}),
        ("plan.put", "pro", {"limits": {"channels": 1}}),
    ]
