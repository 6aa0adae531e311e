"""The API keys of an app."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.app import Scope
from skubber.core.errors import ConflictError, NotFoundError
from skubber.store import tables
from skubber.store.administration.ledger import Change, Ledger
from skubber.store.administration.rules import Name, Time, expiry, given, is_storable, json_text, moment
from skubber.store.credentials import new_key, new_secret

MAX_OVERLAP = 2_592_000
"""Longest time for which the secret before the current one may stay good, seconds."""

_decode_scopes = msgspec.json.Decoder(list[Scope]).decode

_Scopes = Annotated[
    tuple[Scope, ...],
    Meta(min_length=1, description="What it may be used for: `publish`, `read`, `admin`, `connect`."),
]


class KeyCreation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """A key to be made."""

    name: Name = ""
    scopes: _Scopes = tuple(Scope)
    expires_at: Annotated[Time | None, Meta(description="When it ceases to be good; null: never.")] = None


class KeyEdit(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """What is to be different about a key; the rest stays."""

    name: Name | UnsetType = UNSET
    scopes: _Scopes | UnsetType = UNSET
    expires_at: Annotated[Time | None, Meta(description="null: it stays good.")] | UnsetType = UNSET


class KeyRotation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """How a key gets a new secret."""

    overlap: Annotated[
        int, Meta(ge=0, le=MAX_OVERLAP, description="Seconds for which the old secret stays good; 0: it ends at once.")
    ] = 86_400


class KeyDetails(msgspec.Struct, rename="camel", kw_only=True):
    """An API key, without its secret."""

    app_id: str
    key: str
    name: str
    scopes: list[Scope]
    created_at: Time | None
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Annotated[Time | None, Meta(description="Written down every ten seconds.")]
    previous_secret_until: Annotated[Time | None, Meta(description="Until when the secret before is good, too.")]


class NewKey(KeyDetails, rename="camel", kw_only=True):
    """An API key with its secret, which is shown this once."""

    secret: str


class KeyList(msgspec.Struct, rename="camel"):
    """All keys of an app, the oldest first."""

    keys: list[KeyDetails]


class KeyAdministration:
    """Operations on keys.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def create(self, actor: str, app_id: str, request: KeyCreation) -> NewKey:
        """Make a key.

        Raises:
            NotFoundError: ``no_such_app``.
            ConflictError: ``configured_app``.
            InvalidRequestError: ``invalid_expiry``.
        """
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            return await self.add(change, app_id, request)

    async def add(self, change: Change, app_id: str, request: KeyCreation) -> NewKey:
        """Make a key as a part of a change."""
        key, secret = new_key(), new_secret()
        await change.connection.execute(
            insert(tables.keys).values(
                key=key,
                app_id=app_id,
                name=request.name,
                secret=self._ledger.vault.encrypt(secret),
                scopes=json_text(sorted(set(request.scopes))),
                created_at=change.now,
                expires_at=expiry(request.expires_at, change.now),
            )
        )
        await change.record("key.create", key, {"app": app_id, **given(request)})
        return _with_secret(_details(await _find(change.connection, app_id, key)), secret)

    async def list(self, app_id: str) -> KeyList:
        """All keys of an app, revoked ones too.

        Raises:
            NotFoundError: ``no_such_app``.
        """
        configured = self._ledger.configured.get(app_id)
        if configured is not None:
            return KeyList([_configured(app_id, each.key, sorted(each.scopes)) for each in configured.keys.values()])
        keys = tables.keys
        async with self._ledger.database.reading() as connection:
            await self._ledger.see_app(connection, app_id)
            rows = await connection.execute(
                select(keys).where(keys.c.app_id == app_id).order_by(keys.c.created_at, keys.c.key)
            )
            return KeyList([_details(row) for row in rows])

    async def edit(self, actor: str, app_id: str, key: str, request: KeyEdit) -> KeyDetails:
        """Change what is known of a key.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_key``.
            ConflictError: ``configured_app`` or ``key_revoked``.
            InvalidRequestError: ``invalid_expiry``.
        """
        async with self._ledger.changing(actor) as change:
            await self._good_key(change, app_id, key)
            values: dict[str, Any] = given(request, ("name",))
            if request.scopes is not UNSET:
                values["scopes"] = json_text(sorted(set(request.scopes)))
            if request.expires_at is not UNSET:
                values["expires_at"] = expiry(request.expires_at, change.now)
            await _set(change, key, values)
            await change.record("key.edit", key, {"app": app_id, **given(request)})
            return _details(await _find(change.connection, app_id, key))

    async def rotate(self, actor: str, app_id: str, key: str, request: KeyRotation) -> NewKey:
        """Give a key a new secret. Connections stay, and for a while the old secret is good, too.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_key``.
            ConflictError: ``configured_app`` or ``key_revoked``.
        """
        secret = new_secret()
        async with self._ledger.changing(actor) as change:
            row = await self._good_key(change, app_id, key)
            stays = request.overlap > 0
            values = {
                "secret": self._ledger.vault.encrypt(secret),
                "previous_secret": row.secret if stays else None,
                "previous_until": change.now + request.overlap if stays else None,
            }
            await _set(change, key, values)
            await change.record("key.rotate", key, {"app": app_id, **given(request)})
            return _with_secret(_details(await _find(change.connection, app_id, key)), secret)

    async def revoke(self, actor: str, app_id: str, key: str) -> KeyDetails:
        """End a key for good: within a second its connections are closed. One that was revoked stays as it is.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_key``.
            ConflictError: ``configured_app``.
        """
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            row = await _find(change.connection, app_id, key)
            if row.revoked_at is None:
                values = {"revoked_at": change.now, "previous_secret": None, "previous_until": None}
                await _set(change, key, values)
                await change.record("key.revoke", key, {"app": app_id})
            return _details(await _find(change.connection, app_id, key))

    async def _good_key(self, change: Change, app_id: str, key: str) -> Row[Any]:
        await self._ledger.see_app(change.connection, app_id)
        row = await _find(change.connection, app_id, key)
        if row.revoked_at is not None:
            raise ConflictError("key_revoked", "This key was revoked: make a new one.")
        return row


async def _find(connection: AsyncConnection, app_id: str, key: str) -> Row[Any]:
    keys = tables.keys
    row = None
    if is_storable(key):
        row = (await connection.execute(select(keys).where(keys.c.key == key, keys.c.app_id == app_id))).one_or_none()
    if row is None:
        raise NotFoundError("no_such_key", "This app has no such key.")
    return row


async def _set(change: Change, key: str, values: dict[str, Any]) -> None:
    if values:
        await change.connection.execute(update(tables.keys).where(tables.keys.c.key == key).values(values))


def _details(row: Row[Any]) -> KeyDetails:
    return KeyDetails(
        app_id=row.app_id,
        key=row.key,
        name=row.name,
        scopes=_decode_scopes(row.scopes),
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at),
        revoked_at=moment(row.revoked_at),
        last_used_at=moment(row.last_used_at),
        previous_secret_until=moment(row.previous_until),
    )


def _configured(app_id: str, key: str, scopes: Sequence[Scope]) -> KeyDetails:
    return KeyDetails(
        app_id=app_id,
        key=key,
        name="",
        scopes=[*scopes],
        created_at=None,
        expires_at=None,
        revoked_at=None,
        last_used_at=None,
        previous_secret_until=None,
    )


def _with_secret(details: KeyDetails, secret: str) -> NewKey:
    return NewKey(**msgspec.structs.asdict(details), secret=secret)
