"""Making, listing, changing and deleting apps."""

import pytest

from skubber.core.errors import ConflictError, InvalidRequestError, NotFoundError, SkubberError
from skubber.core.plans import PLANS
from skubber.settings import LimitSettings
from skubber.store import tables
from skubber.store.administration.apps import AppEdit
from support.office import ACTOR, Office


async def test_a_new_app_is_served_with_its_first_key(office: Office) -> None:
    created = await office.create_app(id="shop", plan="free", limits={"connections": 5}, tlsOnly=True)
    app = await office.served("shop")
    assert {key: each.secret for key, each in app.keys.items()} == {created.key.key: created.key.secret}
    assert (app.plan, app.limits.connections, app.limits.channels) == ("free", 5, PLANS["free"].channels)
    assert (app.tls_only, app.client_events, app.enabled) == (True, True, True)


async def test_an_id_that_is_made_up_has_digits_only(office: Office) -> None:
    ids = [(await office.create_app()).id for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(each.isdigit() for each in ids)


@pytest.mark.parametrize("app_id", ["shop", "configured"])
async def test_an_id_that_is_taken_is_refused(office: Office, app_id: str) -> None:
    await office.create_app(id="shop")
    with pytest.raises(ConflictError) as error:
        await office.create_app(id=app_id)
    assert error.value.code == "app_exists"
    assert len(await office.rows(tables.apps)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": "a/b"},
        {"id": "a\0"},
        {"id": "a\n"},
        {"id": "x" * 101},
        {"id": "é"},
        {"plan": "no plan"},
        {"keyName": "\x1b"},
        {"keyName": "n" * 101},
        {"limits": {"connections": -1}},
        {"limits": {"event_data_bytes": 0}},
        {"limits": {"colour": 1}},
        {"colour": "blue"},
        {"enabled": "yes"},
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_made(office: Office, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError) as error:
        await office.create_app(**fields)
    assert error.value.code == "invalid_body"
    assert await office.rows(tables.apps) == []


async def test_a_plan_that_is_not_there_is_refused(office: Office) -> None:
    with pytest.raises(InvalidRequestError, match="free, starter, business, unlimited") as error:
        await office.create_app(plan="gold")
    assert error.value.code == "unknown_plan"
    await office.create_app(id="shop")
    with pytest.raises(InvalidRequestError) as error:
        await office.administration.apps.edit(ACTOR, "shop", AppEdit(plan="gold"))
    assert error.value.code == "unknown_plan"


async def test_only_what_is_given_changes(office: Office) -> None:
    await office.create_app(id="shop", plan="free", limits={"connections": 5}, subscriptionCounts=True)
    await office.administration.apps.edit(ACTOR, "shop", AppEdit(enabled=False))
    app = await office.served("shop")
    assert (app.enabled, app.plan, app.limits.connections, app.subscription_counts) == (False, "free", 5, True)
    edited = await office.administration.apps.edit(ACTOR, "shop", AppEdit(limits=LimitSettings(channels=1)))
    assert (edited.limits, edited.effective_limits.connections) == ({"channels": 1}, PLANS["free"].connections)
    assert await office.administration.apps.show("shop") == edited


async def test_an_app_is_deleted_with_all_that_is_its(office: Office) -> None:
    await office.create_app(id="shop")
    await office.create_app(id="other")
    await office.administration.apps.delete(ACTOR, "shop")
    assert [row["app_id"] for row in await office.rows(tables.keys)] == ["other"]
    assert [app.id for app in (await office.administration.apps.list(10)).apps] == ["configured", "other"]


async def test_pages_go_through_all_apps_each_once_and_configured_ones_among_them(office: Office) -> None:
    for app_id in ("a", "Z", "d", "_", "10", "9"):
        await office.create_app(id=app_id)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await office.administration.apps.list(2, after)
        assert len(page.apps) <= 2
        seen += [app.id for app in page.apps]
        after = page.next
    assert seen == ["10", "9", "Z", "_", "a", "configured", "d"]


async def test_a_configured_app_is_shown_and_refuses_changes(office: Office) -> None:
    shown = await office.administration.apps.show("configured")
    assert (shown.source, shown.created_at) == ("configuration", None)
    for change in (
        office.administration.apps.edit(ACTOR, "configured", AppEdit(enabled=False)),
        office.administration.apps.delete(ACTOR, "configured"),
    ):
        with pytest.raises(ConflictError) as error:
            await change
        assert error.value.code == "configured_app"


@pytest.mark.parametrize("app_id", ["nobody", "", "a\0b", "\udcff"])
async def test_an_app_that_is_not_there_is_said_so(office: Office, app_id: str) -> None:
    for call in (
        office.administration.apps.show(app_id),
        office.administration.apps.edit(ACTOR, app_id, AppEdit(enabled=False)),
        office.administration.apps.delete(ACTOR, app_id),
        office.administration.keys.list(app_id),
        office.administration.webhooks.list(app_id),
    ):
        with pytest.raises(NotFoundError) as error:
            await call
        assert error.value.code == "no_such_app"


async def test_each_change_is_on_the_record_and_makes_servers_look(office: Office) -> None:
    revisions = [await office.revision()]
    await office.create_app(id="shop", plan="free")
    revisions.append(await office.revision())
    await office.administration.apps.edit("token:1", "shop", AppEdit(enabled=False))
    revisions.append(await office.revision())
    await office.administration.apps.delete("token:1", "shop")
    revisions.append(await office.revision())
    assert revisions == sorted(set(revisions))
    entries = await office.record()
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("app.delete", "token:1"),
        ("app.edit", "token:1"),
        ("key.create", ACTOR),
        ("app.create", ACTOR),
    ]
    assert (entries[1].subject, entries[1].details) == ("shop", {"enabled": False})


async def test_what_is_refused_is_not_on_the_record(office: Office) -> None:
    revision = await office.revision()
    with pytest.raises(SkubberError):
        await office.create_app(plan="gold")
    assert (await office.record(), await office.revision()) == ([], revision)
