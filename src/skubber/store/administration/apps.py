"""Apps: making, listing, changing and deleting them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import ColumnElement, Row, collate, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.app import App
from skubber.core.errors import ConflictError, InvalidRequestError
from skubber.core.limits import Limits
from skubber.core.plans import UNLIMITED
from skubber.settings import LimitSettings
from skubber.store import tables
from skubber.store.administration.keys import KeyAdministration, KeyCreation, NewKey
from skubber.store.administration.ledger import Ledger, no_such_app
from skubber.store.administration.rules import (
    AppId,
    Name,
    PlanName,
    Time,
    given,
    is_storable,
    json_text,
    moment,
)
from skubber.store.credentials import new_app_id
from skubber.store.deliveries import forget_endpoint
from skubber.store.stored_apps import load_plans

_OPTIONS = ("client_events", "enabled", "subscription_counts", "requires_sign_in", "tls_only")

_decode_limits = msgspec.json.Decoder(LimitSettings).decode

_OwnLimits = Annotated[
    LimitSettings, Meta(description="Limits of its own in place of its plan's; the names are the configuration's.")
]


class AppCreation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """An app to be made, with a first key."""

    id: Annotated[AppId | None, Meta(description="null: nine digits are made up.")] = None
    plan: PlanName = UNLIMITED
    limits: _OwnLimits = LimitSettings()
    key_name: Name = ""
    client_events: Annotated[bool, Meta(description="Whether clients may send `client-` events.")] = True
    enabled: bool = True
    subscription_counts: Annotated[bool, Meta(description="Whether subscribers are told how many they are.")] = False
    requires_sign_in: Annotated[bool, Meta(description="Whether clients must sign a user in.")] = False
    tls_only: Annotated[bool, Meta(description="Whether plain connections are refused.")] = False


class AppEdit(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """What is to be different about an app; the rest stays. ``limits`` takes the place of all that it had."""

    plan: PlanName | UnsetType = UNSET
    limits: _OwnLimits | UnsetType = UNSET
    client_events: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    subscription_counts: bool | UnsetType = UNSET
    requires_sign_in: bool | UnsetType = UNSET
    tls_only: bool | UnsetType = UNSET


class AppDetails(msgspec.Struct, rename="camel", kw_only=True):
    """An app."""

    id: str
    source: Annotated[
        Literal["database", "configuration"], Meta(description="Those of the configuration cannot be changed here.")
    ]
    plan: str
    limits: Annotated[dict[str, int], Meta(description="Its own limits, in place of its plan's.")]
    effective_limits: Annotated[Limits, Meta(description="Its plan's limits with its own over them.")]
    client_events: bool
    enabled: bool
    subscription_counts: bool
    requires_sign_in: bool
    tls_only: bool
    created_at: Time | None


class CreatedApp(AppDetails, rename="camel", kw_only=True):
    """An app that was just made, with its first key."""

    key: NewKey


class AppPage(msgspec.Struct, rename="camel"):
    """Some of the apps, by id."""

    apps: list[AppDetails]
    next: Annotated[str | None, Meta(description="What to send as `after` for the next page; null on the last.")]


class AppAdministration:
    """Operations on apps.

    Args:
        ledger: what all of the administration shares.
        keys: operations on keys.
    """

    def __init__(self, ledger: Ledger, keys: KeyAdministration) -> None:
        self._ledger = ledger
        self._keys = keys

    async def create(self, actor: str, request: AppCreation) -> CreatedApp:
        """Make an app and its first key.

        Raises:
            ConflictError: ``app_exists``.
            InvalidRequestError: ``unknown_plan``.
        """
        async with self._ledger.changing(actor) as change:
            app_id = request.id or await self._free_id(change.connection)
            if await self._is_taken(change.connection, app_id):
                raise ConflictError("app_exists", f"There is an app with the id {app_id} already.")
            await self._see_plan(change.connection, request.plan)
            await change.connection.execute(
                insert(tables.apps).values(
                    id=app_id,
                    plan=request.plan,
                    limits=json_text(request.limits),
                    created_at=change.now,
                    **given(request, _OPTIONS),
                )
            )
            await change.record("app.create", app_id, given(request, ("plan", "limits", *_OPTIONS)))
            key = await self._keys.add(change, app_id, KeyCreation(request.key_name))
            details = await self._show(change.connection, app_id)
        return CreatedApp(**msgspec.structs.asdict(details), key=key)

    async def list(self, limit: int, after: str = "") -> AppPage:
        """A page of the apps, those of the configuration among them.

        Args:
            limit: most of them on the page.
            after: the id before the page's first; it need not be there.
        """
        order = self._by_bytes(tables.apps.c.id)
        page = select(tables.apps).where(tables.apps.c.id.not_in(list(self._ledger.configured)))
        if is_storable(after):
            page = page.where(order > after)
        async with self._ledger.database.reading() as connection:
            plans = await load_plans(connection, self._ledger.plans)
            rows = (await connection.execute(page.order_by(order).limit(limit + 1))).all()
        configured = [_configured(app) for app in self._ledger.configured.values() if app.id > after]
        apps = sorted([*configured, *(_details(row, plans) for row in rows)], key=lambda app: app.id)
        return AppPage(apps[:limit], apps[limit - 1].id if len(apps) > limit else None)

    async def show(self, app_id: str) -> AppDetails:
        """One app.

        Raises:
            NotFoundError: ``no_such_app``.
        """
        if app_id in self._ledger.configured:
            return _configured(self._ledger.configured[app_id])
        async with self._ledger.database.reading() as connection:
            return await self._show(connection, app_id)

    async def edit(self, actor: str, app_id: str, request: AppEdit) -> AppDetails:
        """Change an app; servers do as it says within a second.

        Raises:
            NotFoundError: ``no_such_app``.
            ConflictError: ``configured_app``.
            InvalidRequestError: ``unknown_plan``.
        """
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            values: dict[str, Any] = given(request, ("plan", *_OPTIONS))
            if request.plan is not UNSET:
                await self._see_plan(change.connection, request.plan)
            if request.limits is not UNSET:
                values["limits"] = json_text(request.limits)
            if values:
                await change.connection.execute(update(tables.apps).where(tables.apps.c.id == app_id).values(values))
            await change.record("app.edit", app_id, given(request))
            return await self._show(change.connection, app_id)

    async def delete(self, actor: str, app_id: str) -> None:
        """Delete an app with its keys and webhooks. What it used stays in the books.

        Raises:
            NotFoundError: ``no_such_app``.
            ConflictError: ``configured_app``.
        """
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            webhooks = tables.webhooks
            webhook_ids = await change.connection.execute(select(webhooks.c.id).where(webhooks.c.app_id == app_id))
            for webhook_id in webhook_ids.scalars().all():
                await forget_endpoint(change.connection, webhook_id)
            await change.connection.execute(delete(tables.apps).where(tables.apps.c.id == app_id))
            await change.record("app.delete", app_id)

    def _by_bytes(self, column: ColumnElement[str]) -> ColumnElement[str]:
        """An order that is everywhere the same; PostgreSQL's own is that of some language."""
        return column if self._ledger.database.is_sqlite else collate(column, "C")

    async def _free_id(self, connection: AsyncConnection) -> str:
        while await self._is_taken(connection, app_id := new_app_id()):
            pass
        return app_id

    async def _is_taken(self, connection: AsyncConnection, app_id: str) -> bool:
        return app_id in self._ledger.configured or await _find(connection, app_id) is not None

    async def _see_plan(self, connection: AsyncConnection, plan: str) -> None:
        plans = await load_plans(connection, self._ledger.plans)
        if plan not in plans:
            raise InvalidRequestError("unknown_plan", f"There is no such plan; there are {', '.join(plans)}.")

    async def _show(self, connection: AsyncConnection, app_id: str) -> AppDetails:
        row = await _find(connection, app_id)
        if row is None:
            raise no_such_app()
        return _details(row, await load_plans(connection, self._ledger.plans))


async def _find(connection: AsyncConnection, app_id: str) -> Row[Any] | None:
    if not is_storable(app_id):
        return None
    return (await connection.execute(select(tables.apps).where(tables.apps.c.id == app_id))).one_or_none()


def _details(row: Row[Any], plans: dict[str, Limits]) -> AppDetails:
    own = _decode_limits(row.limits)
    return AppDetails(
        id=row.id,
        source="database",
        plan=row.plan,
        limits=given(own),
        effective_limits=own.over(plans[row.plan]),
        created_at=moment(row.created_at),
        **{name: getattr(row, name) for name in _OPTIONS},
    )


def _configured(app: App) -> AppDetails:
    return AppDetails(
        id=app.id,
        source="configuration",
        plan=app.plan,
        limits={},
        effective_limits=app.limits,
        created_at=None,
        **{name: getattr(app, name) for name in _OPTIONS},
    )
