"""The administration of a database of each kind, its clock in the test's hands."""

from typing import Any

from sqlalchemy import Table, select

from skubber.core.app import ApiKey, App
from skubber.core.plans import PLANS
from skubber.core.webhook import WebhookEndpoint
from skubber.store import tables
from skubber.store.administration.administration import Administration
from skubber.store.administration.apps import AppCreation, CreatedApp
from skubber.store.administration.audit import AuditEntry
from skubber.store.administration.rules import checked
from skubber.store.apps import StoredApp
from skubber.store.database import Database
from skubber.store.stored_apps import StoredApps
from skubber.store.vault import Vault

NOW = 1_800_000_000
ACTOR = "cli:tester"
CONFIGURED = App.with_keys(
    "configured",
    [ApiKey("configured-key", "secret")],
    webhooks=(WebhookEndpoint("configured-1", "https://example.com", headers=(("X-Token", "hidden"),)),),
)


class Office:
    """An administration, and what servers make of it.

    Attributes:
        now: what its clock shows.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.vault = vault
        self.now: float = NOW
        self.administration = Administration(database, vault, PLANS, lambda: self.now, [CONFIGURED])
        self._stored = StoredApps(database, vault, PLANS)

    async def create_app(self, **fields: Any) -> CreatedApp:
        """Make an app; the fields are those of the JSON."""
        return await self.administration.apps.create(ACTOR, checked(AppCreation, fields))

    async def stored(self, app_id: str) -> StoredApp:
        """An app as a server loads it."""
        _, apps = await self._stored.load()
        (app,) = (each for each in apps if each.app.id == app_id)
        return app

    async def served(self, app_id: str) -> App:
        """An app as a server serves it now."""
        return (await self.stored(app_id)).at(self.now)

    async def revision(self) -> int:
        """What servers look at to see whether something has changed."""
        return await self._stored.revision()

    async def record(self) -> list[AuditEntry]:
        """Every change, the newest first."""
        return (await self.administration.audit.list(200)).entries

    async def rows(self, table: Table = tables.keys) -> list[dict[str, Any]]:
        """Everything in a table."""
        async with self.database.reading() as connection:
            return [dict(row) for row in (await connection.execute(select(table))).mappings()]
