"""An app: the unit that owns keys, channels, connections and limits. Nothing crosses from one app to another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum

from skubber.core.limits import Limits
from skubber.core.meter import Meter
from skubber.core.webhook import WebhookEndpoint


class Scope(StrEnum):
    """What an API key may be used for."""

    PUBLISH = "publish"
    """Publishing events."""
    READ = "read"
    """Asking which channels there are, and who is on them."""
    ADMIN = "admin"
    """Acting on users: terminating their connections."""
    CONNECT = "connect"
    """Clients: connecting with the key, and fetching access tokens with it."""


ALL_SCOPES = frozenset(Scope)


@dataclass(slots=True, eq=False)
class ApiKey:
    """A key and its secret. The key is public (browsers connect with it), the secret stays with the back end.

    One object stands for a key for as long as the key is good: the store changes it in place, so that whoever holds it
    sees the change.

    Attributes:
        key: the key.
        secret: its secret.
        previous_secret: the one before it, while that is still good.
        scopes: what it may be used for.
    """

    key: str
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    scopes: frozenset[Scope] = ALL_SCOPES

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that is good, the newest first."""
        return (self.secret,) if self.previous_secret is None else (self.secret, self.previous_secret)

    def become(self, other: "ApiKey") -> None:
        """Take over what is known of the same key now."""
        self.secret, self.previous_secret, self.scopes = other.secret, other.previous_secret, other.scopes


@dataclass(slots=True, eq=False)
class App:
    """One app and what it is allowed.

    One object stands for an app for as long as the app is there: the store changes it in place, so that every
    connection sees the change.

    Attributes:
        id: the ``{appId}`` of ``/apps/{appId}``, any non-empty string.
        keys: its good API keys by key.
        plan: the name of its plan.
        limits: its plan's numbers, and its own where it has any.
        client_events: whether clients may send ``client-`` events.
        enabled: a disabled app answers 403 and closes connections with 4003.
        subscription_counts: whether the subscribers of a channel are told how many they are.
        requires_sign_in: connections on which no user signs in are closed after half a minute.
        tls_only: plain connections are closed with 4000.
        webhooks: where its back end wants to be told what happens.
        is_demo: generated at start for trying things out; its secret may be shown on the demo page.
        meter: what it uses.
    """

    id: str
    keys: Mapping[str, ApiKey]
    plan: str = "unlimited"
    limits: Limits = field(default_factory=Limits)
    client_events: bool = True
    enabled: bool = True
    subscription_counts: bool = False
    requires_sign_in: bool = False
    tls_only: bool = False
    webhooks: Sequence[WebhookEndpoint] = ()
    is_demo: bool = False
    meter: Meter = field(default_factory=Meter, repr=False)

    @classmethod
    def with_keys(cls, app_id: str, keys: Iterable[ApiKey], **options: object) -> "App":
        """Build an app from its keys; ``options`` are the other fields by name."""
        return cls(app_id, {key.key: key for key in keys}, **options)  # type: ignore[arg-type]

    def become(self, other: "App") -> Sequence[ApiKey]:
        """Take over what is known of the same app now, all but the meter.

        Returns:
            The keys that were good until now.
        """
        gone = [key for key in self.keys.values() if key.key not in other.keys]
        keys = {}
        for key in other.keys.values():
            known = self.keys.get(key.key)
            if known is not None:
                known.become(key)
            keys[key.key] = known or key
        for each in fields(self):
            if each.name not in {"id", "keys", "meter"}:
                setattr(self, each.name, getattr(other, each.name))
        self.keys = keys
        return gone
