"""Everything an operator may do, in one place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import select, update

from skubber.core.app import App
from skubber.core.limits import Limits
from skubber.settings import Settings, SettingsError
from skubber.store import tables
from skubber.store.administration.apps import AppAdministration
from skubber.store.administration.attempts import AttemptAdministration
from skubber.store.administration.audit import AuditTrail
from skubber.store.administration.deliveries import DeliveryAdministration
from skubber.store.administration.keys import KeyAdministration
from skubber.store.administration.ledger import Change, Ledger
from skubber.store.administration.plans import PlanAdministration
from skubber.store.administration.sessions import SessionAdministration
from skubber.store.administration.tokens import TokenAdministration
from skubber.store.administration.usage import UsageReports
from skubber.store.administration.webhooks import WebhookAdministration
from skubber.store.database import Database
from skubber.store.vault import Vault, new_encryption_key, read_key_file, write_key_file


class Administration:
    """Operations on a database. Each change is made in the name of an ``actor`` and goes on the record.

    Args:
        database: the database, its tables up to date.
        vault: what its secrets are encrypted with.
        plans: the plans that the configuration has.
        clock: seconds since the epoch.
        configured: the apps that the configuration has.

    Attributes:
        apps: apps.
        keys: their API keys.
        webhooks: their webhooks.
        deliveries: how those fare.
        attempts: the log of how they were told, and tests of them.
        plans: plans.
        tokens: admin tokens.
        sessions: browsers that have signed in with one.
        audit: the record.
        usage: what apps have used.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        plans: Mapping[str, Limits],
        clock: Callable[[], float],
        configured: Iterable[App] = (),
    ) -> None:
        self._ledger = Ledger(database, vault, plans, clock, {app.id: app for app in configured})
        self.keys = KeyAdministration(self._ledger)
        self.apps = AppAdministration(self._ledger, self.keys)
        self.webhooks = WebhookAdministration(self._ledger)
        self.deliveries = DeliveryAdministration(self._ledger)
        self.attempts = AttemptAdministration(self._ledger)
        self.plans = PlanAdministration(self._ledger)
        self.tokens = TokenAdministration(self._ledger)
        self.sessions = SessionAdministration(self._ledger, self.tokens)
        self.audit = AuditTrail(self._ledger)
        self.usage = UsageReports(self._ledger)

    async def reencrypt(self, actor: str) -> int:
        """Encrypt every secret anew, with the vault's first key; its other keys are not needed from then on.

        Returns:
            How many secrets there are.

        Raises:
            UnavailableError: ``encryption_key_changed``: the vault lacks the old key, and all stays as it is.
        """
        async with self._ledger.changing(actor) as change:
            count = await self._reencrypt_keys(change)
            count += await self._reencrypt_webhooks(change)
            facts = tables.facts
            check = (await change.connection.execute(select(facts.c.value).where(facts.c.name == "vault"))).scalar_one()
            await change.connection.execute(
                update(facts).where(facts.c.name == "vault").values(value=self._anew(check))
            )
            await change.record("secrets.rotate", "encryption key", {"secrets": count})
        return count

    async def _reencrypt_keys(self, change: Change) -> int:
        keys = tables.keys
        rows = (await change.connection.execute(select(keys.c.key, keys.c.secret, keys.c.previous_secret))).all()
        for row in rows:
            previous = None if row.previous_secret is None else self._anew(row.previous_secret)
            values = {"secret": self._anew(row.secret), "previous_secret": previous}
            await change.connection.execute(update(keys).where(keys.c.key == row.key).values(values))
        return len(rows)

    async def _reencrypt_webhooks(self, change: Change) -> int:
        webhooks = tables.webhooks
        rows = (await change.connection.execute(select(webhooks.c.id, webhooks.c.headers))).all()
        for row in rows:
            values = {"headers": self._anew(row.headers)}
            await change.connection.execute(update(webhooks).where(webhooks.c.id == row.id).values(values))
        return len(rows)

    def _anew(self, encrypted: str) -> str:
        vault = self._ledger.vault
        return vault.encrypt(vault.decrypt(encrypted))


async def rotate_encryption_key(administration: Administration, vault: Vault, settings: Settings, actor: str) -> int:
    """Encrypt every secret with a new key.

    With a file of keys a new one is made, and in the end the file holds it alone. With keys in the settings the first
    of them is the new one. Servers that are running read the file again.

    Args:
        administration: what does it.
        vault: its vault, which takes the new key over.
        settings: they say where the keys are.
        actor: who does it.

    Returns:
        How many secrets there are.

    Raises:
        SettingsError: the file cannot be read or written.
    """
    if settings.encryption_key:
        return await administration.reencrypt(actor)
    file = Path(settings.encryption_key_file)
    keys = [new_encryption_key(), *read_key_file(file)]
    # Should this end half-way, the file still has the key that the secrets are encrypted with.
    _write(file, keys)
    vault.become(Vault(keys))
    count = await administration.reencrypt(actor)
    _write(file, keys[:1])
    return count


def _write(file: Path, keys: Sequence[str]) -> None:
    try:
        write_key_file(file, keys)
    except OSError as error:
        raise SettingsError(f"Cannot write {file}: {error.strerror}.") from None
