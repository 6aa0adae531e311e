"""An app: the unit that owns keys, channels, connections and limits. Nothing crosses from one app to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skubber.core.limits import Limits


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and its secret. The key is public (browsers connect with it), the secret stays with the back end."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class App:
    """One app and what it is allowed.

    Attributes:
        id: the ``{appId}`` of ``/apps/{appId}``, any non-empty string.
        keys: its API keys by key.
        limits: its plan's numbers.
        client_events: whether clients may send ``client-`` events.
        enabled: a disabled app answers 403 and closes connections with 4003.
        subscription_counts: whether the subscribers of a channel are told how many they are.
        requires_sign_in: connections on which no user signs in are closed after half a minute.
        tls_only: plain connections are closed with 4000.
        is_demo: generated at start for trying things out; its secret may be shown on the demo page.
    """

    id: str
    keys: Mapping[str, ApiKey]
    limits: Limits = field(default_factory=Limits)
    client_events: bool = True
    enabled: bool = True
    subscription_counts: bool = False
    requires_sign_in: bool = False
    tls_only: bool = False
    is_demo: bool = False

    @classmethod
    def with_keys(cls, app_id: str, keys: Iterable[ApiKey], **options: object) -> "App":
        """Build an app from its keys; ``options`` are the other fields by name."""
        return cls(app_id, {key.key: key for key in keys}, **options)  # type: ignore[arg-type]
