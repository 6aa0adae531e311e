"""The tables of the database.

Times are whole seconds since the epoch. What is secret is encrypted, see ``skubber.store.vault``; tokens are hashed.
A change of these tables needs a migration in ``migrations/versions``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up by itself in columns of the type INTEGER only.
_Serial = BigInteger().with_variant(Integer, "sqlite")

facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values: ``revision`` counts changes to apps; ``vault`` is something encrypted, to know the right key by."""

plans = Table(
    "plans",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("limits", Text, nullable=False),
)

apps = Table(
    "apps",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("plan", String(60), nullable=False),
    Column("limits", Text, nullable=False),
    Column("client_events", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("subscription_counts", Boolean, nullable=False),
    Column("requires_sign_in", Boolean, nullable=False),
    Column("tls_only", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_until", BigInteger),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("channel_prefix", String(200), nullable=False),
    Column("headers", Text, nullable=False),
    Column("is_batched", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("endpoint_id", String(60), nullable=False),
    Column("app_id", String(200), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("dead_at", BigInteger),
    Column("error", Text),
    Index("ix_webhook_events_waiting", "endpoint_id", "dead_at", "id"),
)
"""Events that wait to be delivered, and those that could not be: the dead letters."""

webhook_departures = Table(
    "webhook_departures",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("place", String(64), nullable=False, unique=True),
    Column("app_id", String(200), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
"""Who is gone, and may be back before back ends are told."""

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String(60), primary_key=True),
    Column("holder", String(60)),
    Column("held_until", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("retry_at", BigInteger, nullable=False),
    Column("last_attempt_at", BigInteger),
    Column("last_outcome", Text),
    Column("attempts", BigInteger, nullable=False, server_default="0"),
)
"""How delivery to an endpoint stands, and which process sees to it; ``attempts`` counts all there ever were."""

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("endpoint_id", String(60), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("milliseconds", BigInteger, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("events", Text, nullable=False),
)
"""The last attempts at each endpoint."""

admin_tokens = Table(
    "admin_tokens",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
)

admin_sessions = Table(
    "admin_sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("token_id", ForeignKey("admin_tokens.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
"""Browsers that have signed in to the console with a token."""

audit = Table(
    "audit",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("details", Text, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("app_id", String(200), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("published", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("delivered_bytes", BigInteger, nullable=False),
    Column("connections_peak", BigInteger, nullable=False),
    Column("webhooks", BigInteger, nullable=False),
)
"""What apps have used, by day: days since the epoch, in UTC."""
