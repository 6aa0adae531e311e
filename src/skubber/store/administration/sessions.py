"""Sessions: a browser that has signed in with an admin token. Of what its cookie holds only the hash is kept."""

import hashlib
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, or_, select

from skubber.core.errors import UnauthorizedError
from skubber.store import tables
from skubber.store.administration.ledger import Change, Ledger
from skubber.store.administration.tokens import AdminToken, TokenAdministration
from skubber.store.credentials import new_session_value

SESSION_SECONDS = 12 * 3600
"""How long a session is good for: a day's work, after which it ends by itself."""

SESSIONS_A_TOKEN = 20
"""Most sessions of one token; whoever signs in once more ends the oldest."""


class SignIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who wants to sign in."""

    token: str


class SessionAdministration:
    """Operations on sessions.

    Args:
        ledger: what all of the administration shares.
        tokens: admin tokens: a session is good for what its token is good for, and no longer than that.
    """

    def __init__(self, ledger: Ledger, tokens: TokenAdministration) -> None:
        self._ledger = ledger
        self._tokens = tokens

    async def create(self, request: SignIn) -> tuple[AdminToken, str]:
        """Begin a session.

        Returns:
            Whose it is, and what the cookie is to hold: not to be had again.

        Raises:
            UnauthorizedError: ``invalid_admin_token``.
        """
        holder = await self._tokens.authenticate(request.token)
        value = new_session_value()
        async with self._ledger.noting(f"token:{holder.id}") as change:
            await _make_room(change, holder.id)
            await change.connection.execute(
                insert(tables.admin_sessions).values(
                    hash=_hash(value),
                    token_id=holder.id,
                    created_at=change.now,
                    expires_at=change.now + SESSION_SECONDS,
                )
            )
            await change.record("session.create", holder.id)
        return holder, value

    async def authenticate(self, value: str) -> AdminToken:
        """Whose session it is.

        Raises:
            UnauthorizedError: ``session_ended``: it has ended, or never was.
        """
        row = await self._find(value)
        now = self._ledger.clock()
        if row is None or row.session_expires_at <= now or (row.expires_at is not None and row.expires_at <= now):
            raise UnauthorizedError("session_ended", "This session has ended: sign in again.")
        return await self._tokens.use(row)

    async def end(self, value: str) -> None:
        """End a session for good; one that has ended already is left alone."""
        # Anybody may come here, with anything: only who had a session is worth a turn at writing.
        if await self._find(value) is None:
            return
        async with self._ledger.database.writing() as connection:
            await connection.execute(delete(tables.admin_sessions).where(tables.admin_sessions.c.hash == _hash(value)))

    async def _find(self, value: str) -> Row[Any] | None:
        """The session's token, and when the session expires."""
        sessions, tokens = tables.admin_sessions, tables.admin_tokens
        statement = (
            select(tokens, sessions.c.expires_at.label("session_expires_at"))
            .join(sessions, sessions.c.token_id == tokens.c.id)
            .where(sessions.c.hash == _hash(value))
        )
        async with self._ledger.database.reading() as connection:
            return (await connection.execute(statement)).one_or_none()


async def _make_room(change: Change, token_id: str) -> None:
    """Delete what has expired, and as many of a token's oldest sessions as are too many with one more."""
    sessions = tables.admin_sessions
    newest = (
        select(sessions.c.hash)
        .where(sessions.c.token_id == token_id)
        .order_by(sessions.c.created_at.desc(), sessions.c.hash)
        .limit(SESSIONS_A_TOKEN - 1)
    )
    kept = (await change.connection.execute(newest)).scalars().all()
    is_one_too_many = (sessions.c.token_id == token_id) & sessions.c.hash.not_in(kept)
    await change.connection.execute(delete(sessions).where(or_(sessions.c.expires_at <= change.now, is_one_too_many)))


def _hash(value: str) -> str:
    # As with tokens: 285 random bits need no slow hash.
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
