"""Changing the database on the record: what is changed and who did it are written in one transaction."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.app import App
from skubber.core.errors import NotFoundError, UnavailableError
from skubber.core.limits import Limits
from skubber.store import tables
from skubber.store.administration.rules import configured_app, is_storable, json_text
from skubber.store.database import Database
from skubber.store.stored_apps import check_vault, note_change
from skubber.store.vault import Vault, WrongKeyError


@dataclass(slots=True)
class Change:
    """A change that is being made.

    Attributes:
        connection: the transaction it is made in.
        now: when, whole seconds since the epoch.
        actor: who makes it.
    """

    connection: AsyncConnection
    now: int
    actor: str

    async def record(self, action: str, subject: str, details: Mapping[str, Any] | None = None) -> None:
        """Put it on the record.

        Args:
            action: what is done, like ``key.create``.
            subject: what it is done to.
            details: more to know; nothing secret.
        """
        await self.connection.execute(
            insert(tables.audit).values(
                at=self.now,
                actor=self.actor[:200],
                action=action,
                # Clients choose the names of users and events, and PostgreSQL cannot keep a NUL.
                subject=subject[:400].replace("\0", "\N{REPLACEMENT CHARACTER}"),
                details=json_text(details or {}),
            )
        )


class Ledger:
    """What all of the administration shares.

    Args:
        database: the database, its tables up to date.
        vault: what its secrets are encrypted with.
        plans: the plans that the configuration has.
        clock: seconds since the epoch.
        configured: the apps that the configuration has, by id: they are shown, and cannot be changed.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        plans: Mapping[str, Limits],
        clock: Callable[[], float],
        configured: Mapping[str, App],
    ) -> None:
        self.database = database
        self.vault = vault
        self.plans = plans
        self.clock = clock
        self.configured = configured

    @asynccontextmanager
    async def changing(self, actor: str) -> AsyncIterator[Change]:
        """A transaction that servers take note of.

        Raises:
            UnavailableError: ``encryption_key_changed``; a server takes the new one over within a second.
        """
        async with self.database.writing() as connection:
            # It comes first: with this row locked, changes wait for each other, and what one finds stays as it is.
            await note_change(connection)
            try:
                # A secret that is encrypted with a key that has just been replaced could never be read again.
                await check_vault(connection, self.vault)
            except WrongKeyError:
                raise UnavailableError(
                    "encryption_key_changed", "The encryption key was just changed: try again in a second."
                ) from None
            yield Change(connection, int(self.clock()), actor)

    @asynccontextmanager
    async def noting(self, actor: str) -> AsyncIterator[Change]:
        """A transaction that servers need not take note of: it changes nothing that they serve, and keeps no change of
        that waiting."""
        async with self.database.writing() as connection:
            yield Change(connection, int(self.clock()), actor)

    async def see_app(self, connection: AsyncConnection, app_id: str) -> None:
        """See that an app is there, and in the database.

        Raises:
            ConflictError: ``configured_app``.
            NotFoundError: ``no_such_app``.
        """
        if app_id in self.configured:
            raise configured_app(app_id)
        if not is_storable(app_id) or not await _has_app(connection, app_id):
            raise no_such_app()


async def _has_app(connection: AsyncConnection, app_id: str) -> bool:
    return bool((await connection.execute(select(exists().where(tables.apps.c.id == app_id)))).scalar())


def no_such_app() -> NotFoundError:
    """What answers a request about an app that nobody knows."""
    return NotFoundError("no_such_app", "There is no app with this id.")
