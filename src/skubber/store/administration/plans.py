"""Plans: named sets of limits."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import delete, exists, insert, select

from skubber.core.errors import ConflictError, NotFoundError
from skubber.core.limits import Limits
from skubber.core.plans import UNLIMITED
from skubber.settings import LimitSettings
from skubber.store import tables
from skubber.store.administration.ledger import Ledger
from skubber.store.administration.rules import PlanName, checked, given, is_storable, json_text
from skubber.store.stored_apps import load_plans


class PlanChange(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """A plan as it is to be."""

    limits: Annotated[
        LimitSettings, Meta(description=f"Its limits; those that are not there are as in `{UNLIMITED}`.")
    ] = LimitSettings()


class PlanDetails(msgspec.Struct, rename="camel"):
    """A plan."""

    name: str
    source: Annotated[
        Literal["database", "configuration"],
        Meta(description="Those that come with the server count as the configuration's."),
    ]
    limits: Limits


class PlanList(msgspec.Struct, rename="camel"):
    """All plans."""

    plans: list[PlanDetails]


class _Named(msgspec.Struct, frozen=True):
    name: PlanName


class PlanAdministration:
    """Operations on plans.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def list(self) -> PlanList:
        """Every plan there is."""
        async with self._ledger.database.reading() as connection:
            stored = set((await connection.execute(select(tables.plans.c.name))).scalars())
            plans = await load_plans(connection, self._ledger.plans)
        return PlanList(
            [
                PlanDetails(name, "database" if name in stored else "configuration", limits)
                for name, limits in plans.items()
            ]
        )

    async def put(self, actor: str, name: str, request: PlanChange) -> PlanDetails:
        """Make a plan, or change one, the configuration's too; its apps have the new limits within a second.

        Raises:
            InvalidRequestError: ``invalid_body``: it cannot have such a name.
        """
        checked(_Named, {"name": name})
        limits = json_text(request.limits)
        async with self._ledger.changing(actor) as change:
            await change.connection.execute(delete(tables.plans).where(tables.plans.c.name == name))
            await change.connection.execute(insert(tables.plans).values(name=name, limits=limits))
            await change.record("plan.put", name, given(request))
            plans = await load_plans(change.connection, self._ledger.plans)
        return PlanDetails(name, "database", plans[name])

    async def delete(self, actor: str, name: str) -> None:
        """Delete a plan. One that the configuration has, too, is again as it is there.

        Raises:
            NotFoundError: ``no_such_plan``.
            ConflictError: ``plan_in_use`` or ``configured_plan``.
        """
        async with self._ledger.changing(actor) as change:
            is_configured = name in self._ledger.plans
            is_stored = (
                is_storable(name)
                and (await change.connection.execute(select(exists().where(tables.plans.c.name == name)))).scalar()
            )
            if not is_stored and is_configured:
                raise ConflictError("configured_plan", "This plan is set in the configuration: change it there.")
            if not is_stored:
                raise NotFoundError("no_such_plan", "There is no plan of this name.")
            is_used = (await change.connection.execute(select(exists().where(tables.apps.c.plan == name)))).scalar()
            if is_used and not is_configured:
                raise ConflictError("plan_in_use", "Apps have this plan: give them another one first.")
            await change.connection.execute(delete(tables.plans).where(tables.plans.c.name == name))
            await change.record("plan.delete", name)
