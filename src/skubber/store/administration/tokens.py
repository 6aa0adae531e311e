"""Admin tokens: who may use the admin API. Only their hashes are kept."""

import hashlib
import hmac
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Row, delete, exists, insert, select, update

from skubber.core.errors import NotFoundError, UnauthorizedError
from skubber.store import tables
from skubber.store.administration.ledger import Change, Ledger
from skubber.store.administration.rules import Name, Time, expiry, given, is_storable, moment
from skubber.store.credentials import new_admin_token, new_id

_USE_INTERVAL = 60
"""Seconds between two notes that a token is in use: a write for each request would be too much."""


class Role(StrEnum):
    """What the holder of a token may do."""

    OWNER = "owner"
    """Everything."""
    READ_ONLY = "read_only"
    """Look."""


class TokenCreation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """An admin token to be made."""

    name: Annotated[Name, Meta(min_length=1)]
    role: Annotated[Role, Meta(description="`owner` may do everything, `read_only` only look.")] = Role.READ_ONLY
    expires_at: Annotated[Time | None, Meta(description="When it ceases to be good; null: never.")] = None


class AdminToken(msgspec.Struct, rename="camel", kw_only=True):
    """An admin token, without the token itself."""

    id: str
    name: str
    role: Role
    created_at: Time | None
    expires_at: Time | None
    last_used_at: Annotated[Time | None, Meta(description="To the minute.")]


class NewAdminToken(AdminToken, rename="camel", kw_only=True):
    """An admin token that was just made; the token itself is shown this once."""

    token: str


class AdminTokenList(msgspec.Struct, rename="camel"):
    """All admin tokens, the oldest first."""

    tokens: list[AdminToken]


class TokenAdministration:
    """Operations on admin tokens.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def create(self, actor: str, request: TokenCreation) -> NewAdminToken:
        """Make a token.

        Raises:
            InvalidRequestError: ``invalid_expiry``.
        """
        async with self._ledger.changing(actor) as change:
            return await _create(change, request)

    async def create_first(self, actor: str, request: TokenCreation) -> NewAdminToken | None:
        """Make a token, unless there is one; None: there is. Of several that try at a time one does it.

        Raises:
            InvalidRequestError: ``invalid_expiry``.
        """
        async with self._ledger.changing(actor) as change:
            if (await change.connection.execute(select(exists().where(tables.admin_tokens.c.id != "")))).scalar():
                return None
            return await _create(change, request)

    async def list(self) -> AdminTokenList:
        """All tokens, expired ones too."""
        tokens = tables.admin_tokens
        async with self._ledger.database.reading() as connection:
            rows = await connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
            return AdminTokenList([_details(row) for row in rows])

    async def revoke(self, actor: str, token_id: str) -> None:
        """End a token for good.

        Raises:
            NotFoundError: ``no_such_token``.
        """
        tokens = tables.admin_tokens
        async with self._ledger.changing(actor) as change:
            gone = 0
            if is_storable(token_id):
                gone = (await change.connection.execute(delete(tokens).where(tokens.c.id == token_id))).rowcount
            if not gone:
                raise NotFoundError("no_such_token", "There is no admin token with this id.")
            await change.record("token.revoke", token_id)

    async def authenticate(self, token: str) -> AdminToken:
        """Whose token this is.

        Raises:
            UnauthorizedError: ``invalid_admin_token``: there is none such, or its time is over.
        """
        tokens = tables.admin_tokens
        digest = _hash(token)
        now = int(self._ledger.clock())
        async with self._ledger.database.reading() as connection:
            row = (await connection.execute(select(tokens).where(tokens.c.hash == digest))).one_or_none()
        is_known = row is not None and hmac.compare_digest(row.hash, digest)
        if row is None or not is_known or (row.expires_at is not None and row.expires_at <= now):
            raise UnauthorizedError("invalid_admin_token", "Send a good admin token: Authorization: Bearer mpa_....")
        return await self.use(row)

    async def use(self, row: Row[Any]) -> AdminToken:
        """Note that a token is in use.

        Args:
            row: its row, just read.
        """
        tokens = tables.admin_tokens
        now = int(self._ledger.clock())
        if row.last_used_at is None or row.last_used_at <= now - _USE_INTERVAL:
            async with self._ledger.database.writing() as connection:
                await connection.execute(update(tokens).where(tokens.c.id == row.id).values(last_used_at=now))
        return _details(row)


async def _create(change: Change, request: TokenCreation) -> NewAdminToken:
    token_id, token = new_id("at_"), new_admin_token()
    expires_at = expiry(request.expires_at, change.now)
    await change.connection.execute(
        insert(tables.admin_tokens).values(
            id=token_id,
            name=request.name,
            role=request.role,
            hash=_hash(token),
            created_at=change.now,
            expires_at=expires_at,
        )
    )
    await change.record("token.create", token_id, given(request))
    return NewAdminToken(
        id=token_id,
        name=request.name,
        role=request.role,
        created_at=moment(change.now),
        expires_at=moment(expires_at),
        last_used_at=None,
        token=token,
    )


def _hash(token: str) -> str:
    # 285 random bits cannot be guessed, however fast the hash is.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _details(row: Row[Any]) -> AdminToken:
    return AdminToken(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at),
        last_used_at=moment(row.last_used_at),
    )
