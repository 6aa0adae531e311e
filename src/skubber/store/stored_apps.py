"""Reading the apps of a database, and noticing that they have changed."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.app import ApiKey, App, Scope
from skubber.core.limits import Limits
from skubber.core.plans import PLANS, UNLIMITED
from skubber.core.webhook import WebhookEndpoint, WebhookEventName
from skubber.settings import LimitSettings
from skubber.store import tables
from skubber.store.apps import StoredApp
from skubber.store.database import Database
from skubber.store.vault import Vault

_VAULT_CHECK = "skubber"

_decode_limits = msgspec.json.Decoder(LimitSettings).decode
_decode_scopes = msgspec.json.Decoder(frozenset[Scope]).decode
_decode_events = msgspec.json.Decoder(frozenset[WebhookEventName]).decode
_decode_headers = msgspec.json.Decoder(dict[str, str]).decode


class StoredApps:
    """The apps of a database.

    Args:
        database: the database, its tables up to date.
        vault: what its secrets are encrypted with.
        plans: the plans that the configuration has; the database may have others, and others of the same names.
    """

    def __init__(self, database: Database, vault: Vault, plans: Mapping[str, Limits]) -> None:
        self._database = database
        self._vault = vault
        self._plans = plans
        # Decrypting takes longer than all the rest of loading an app, and most secrets are those of the last time.
        self._decrypted: dict[str, str] = {}

    async def revision(self) -> int:
        """A number that grows with every change to an app, its keys, its webhooks or a plan."""
        async with self._database.reading() as connection:
            return await _revision(connection)

    async def has_any(self) -> bool:
        """Whether there is an app."""
        async with self._database.reading() as connection:
            return bool((await connection.execute(select(exists(select(tables.apps.c.id))))).scalar())

    async def load(self) -> tuple[int, list[StoredApp]]:
        """Every app with its good keys, and the revision that they are of.

        Raises:
            WrongKeyError: a secret was encrypted with another key.
        """
        async with self._database.reading() as connection:
            revision = await _revision(connection)
            plans = await load_plans(connection, self._plans)
            apps = (await connection.execute(select(tables.apps))).all()
            keys = (await connection.execute(select(tables.keys).where(tables.keys.c.revoked_at.is_(None)))).all()
            webhooks = (await connection.execute(select(tables.webhooks))).all()
        decrypted, self._decrypted = self._decrypted, {}
        stored = {row.id: self._app(row, plans) for row in apps}
        # What was made between two of these queries may belong to an app that the first did not find. The next look
        # will see that there is more to load.
        for row in keys:
            if row.app_id in stored:
                _add_key(stored[row.app_id], row, self._key(row, decrypted))
        for row in webhooks:
            if row.app_id not in stored:
                continue
            app = stored[row.app_id].app
            app.webhooks = (*app.webhooks, self._endpoint(row, decrypted))
        return revision, list(stored.values())

    @staticmethod
    def _app(row: Row[Any], plans: Mapping[str, Limits]) -> StoredApp:
        app = App(
            row.id,
            {},
            row.plan,
            _decode_limits(row.limits).over(plans.get(row.plan, plans[UNLIMITED])),
            client_events=row.client_events,
            enabled=row.enabled,
            subscription_counts=row.subscription_counts,
            requires_sign_in=row.requires_sign_in,
            tls_only=row.tls_only,
        )
        return StoredApp(app)

    def _key(self, row: Row[Any], decrypted: Mapping[str, str]) -> ApiKey:
        previous = None if row.previous_secret is None else self._decrypt(row.previous_secret, decrypted)
        return ApiKey(row.key, self._decrypt(row.secret, decrypted), previous, _decode_scopes(row.scopes))

    def _endpoint(self, row: Row[Any], decrypted: Mapping[str, str]) -> WebhookEndpoint:
        headers = _decode_headers(self._decrypt(row.headers, decrypted))
        return WebhookEndpoint(
            row.id,
            row.url,
            _decode_events(row.events),
            row.channel_prefix,
            tuple(headers.items()),
            row.is_batched,
            row.enabled,
        )

    def _decrypt(self, encrypted: str, decrypted: Mapping[str, str]) -> str:
        secret = decrypted.get(encrypted)
        if secret is None:
            secret = self._vault.decrypt(encrypted)
        self._decrypted[encrypted] = secret
        return secret


async def load_plans(connection: AsyncConnection, configured: Mapping[str, Limits] = PLANS) -> dict[str, Limits]:
    """The plans there are: those that are configured, and those of the database over them."""
    rows = (await connection.execute(select(tables.plans))).all()
    unlimited = configured[UNLIMITED]
    return {**configured, **{row.name: _decode_limits(row.limits).over(unlimited) for row in rows}}


async def note_change(connection: AsyncConnection) -> None:
    """Have every server take over what this transaction changes, once it is committed."""
    facts = tables.facts
    number = func.cast(facts.c.value, tables.usage.c.day.type) + 1
    await connection.execute(
        update(facts).where(facts.c.name == "revision").values(value=func.cast(number, facts.c.value.type))
    )


async def check_vault(connection: AsyncConnection, vault: Vault) -> None:
    """See that the database is encrypted with the keys at hand; the first time, note which they are.

    Raises:
        WrongKeyError: it is not.
    """
    facts = tables.facts
    # Of servers that start together one writes: the others wait here, and then see what it wrote.
    await connection.execute(select(facts).where(facts.c.name == "revision").with_for_update())
    encrypted = (await connection.execute(select(facts.c.value).where(facts.c.name == "vault"))).scalar_one_or_none()
    if encrypted is None:
        await connection.execute(facts.insert().values(name="vault", value=vault.encrypt(_VAULT_CHECK)))
    else:
        vault.decrypt(encrypted)


def _add_key(stored: StoredApp, row: Row[Any], key: ApiKey) -> None:
    stored.app.keys = {**stored.app.keys, row.key: key}
    if row.expires_at is not None:
        stored.key_expiry[row.key] = row.expires_at
    if row.previous_until is not None:
        stored.secret_expiry[row.key] = row.previous_until


async def _revision(connection: AsyncConnection) -> int:
    facts = tables.facts
    return int((await connection.execute(select(facts.c.value).where(facts.c.name == "revision"))).scalar_one())
