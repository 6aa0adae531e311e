"""Settings: one model, filled from a TOML file, then ``SKUBBER_*`` variables, then command-line flags.

What comes later weighs more. The table in docs/configuration.md is made from this model.
"""

import dataclasses
import hashlib
import ipaddress
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from skubber.core.app import ApiKey, App, Scope
from skubber.core.limits import Limits
from skubber.core.plans import PLANS, UNLIMITED
from skubber.core.webhook import WebhookEndpoint, WebhookEventName

ENVIRONMENT_PREFIX = "SKUBBER_"

PositiveInt = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
# "$" alone would let a line feed follow.
HeaderName = Annotated[str, Meta(pattern="^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$(?!\\n)")]
HeaderValue = Annotated[str, Meta(pattern="^[\\x20-\\x7e]{0,2000}$(?!\\n)")]
HttpUrl = Annotated[str, Meta(pattern="^https?://[^/\\x00-\\x20\\x7f][^\\x00-\\x20\\x7f]*$(?!\\n)", max_length=2000)]
ChannelPrefix = Annotated[str, Meta(pattern="^[^\\x00-\\x1f\\x7f]*$(?!\\n)", max_length=200)]


class SettingsError(Exception):
    """The settings cannot be used; the message says which and why."""


class LimitSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Limits that a plan or an app sets itself; see ``skubber.core.limits.Limits``. The others are as they were."""

    event_name_length: PositiveInt | UnsetType = UNSET
    event_data_bytes: PositiveInt | UnsetType = UNSET
    channels_per_event: PositiveInt | UnsetType = UNSET
    events_per_batch: PositiveInt | UnsetType = UNSET
    channel_name_length: PositiveInt | UnsetType = UNSET
    presence_members: PositiveInt | UnsetType = UNSET
    presence_user_id_length: PositiveInt | UnsetType = UNSET
    presence_user_info_bytes: PositiveInt | UnsetType = UNSET
    watchlist_users: Count | UnsetType = UNSET
    client_events_per_second: Count | UnsetType = UNSET
    connections: Count | UnsetType = UNSET
    channels: Count | UnsetType = UNSET
    subscriptions_per_connection: Count | UnsetType = UNSET
    messages_per_day: Count | UnsetType = UNSET
    messages_per_second: Count | UnsetType = UNSET
    publishes_per_second: Count | UnsetType = UNSET
    reads_per_second: Count | UnsetType = UNSET

    def over(self, limits: Limits) -> Limits:
        """Limits with those set here in place of theirs."""
        own = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not UNSET}
        return dataclasses.replace(limits, **own)


class KeySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One API key of an app."""

    key: Annotated[str, Meta(min_length=1, description="Public: clients connect with it.")]
    secret: Annotated[str, Meta(min_length=1, description="For those who publish; never to be given to a browser.")]
    scopes: Annotated[
        tuple[Scope, ...], Meta(description="What it may be used for: `publish`, `read`, `admin`, `connect`.")
    ] = tuple(Scope)


class WebhookSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A URL that is told what happens on an app's channels."""

    url: Annotated[HttpUrl, Meta(description="`http://` or `https://`; not a private address.")]
    events: Annotated[
        tuple[WebhookEventName, ...],
        Meta(min_length=1, description=f"The events it wants: {', '.join(f'`{name}`' for name in WebhookEventName)}."),
    ] = tuple(WebhookEventName)
    channel_prefix: Annotated[ChannelPrefix, Meta(description="It is told of channels whose names start so.")] = ""
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(max_length=20, description="Header fields of its requests, besides those that all have."),
    ] = {}
    is_batched: Annotated[bool, Meta(description="Whether a request may hold several events.")] = True
    enabled: Annotated[bool, Meta(description="Whether it is told anything.")] = True

    def endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        """The endpoint these settings describe."""
        return WebhookEndpoint(
            endpoint_id,
            self.url,
            frozenset(self.events),
            self.channel_prefix,
            tuple(self.headers.items()),
            self.is_batched,
            self.enabled,
        )


class AppSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One app, an ``[[apps]]`` table of the file."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    keys: Annotated[tuple[KeySettings, ...], Meta(min_length=1, description="Its API keys, all good at the same time.")]
    plan: str = UNLIMITED
    client_events: bool = True
    enabled: bool = True
    tls_only: bool = False
    subscription_counts: bool = False
    requires_sign_in: bool = False
    webhooks: tuple[WebhookSettings, ...] = ()
    limits: LimitSettings = LimitSettings()

    def __post_init__(self) -> None:
        """Refuse a key that is there twice: one of its secrets would not work."""
        keys = [key.key for key in self.keys]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"The key {key!r} is there twice")

    def app(self, plans: Mapping[str, Limits] = PLANS) -> App:
        """The app these settings describe.

        Args:
            plans: the plans there are.

        Raises:
            SettingsError: its plan is none of them.
        """
        plan = plans.get(self.plan)
        if plan is None:
            raise SettingsError(f"App {self.id!r} has the plan {self.plan!r}; there are {', '.join(plans)}.")
        return App.with_keys(
            self.id,
            (ApiKey(key.key, key.secret, scopes=frozenset(key.scopes)) for key in self.keys),
            plan=self.plan,
            limits=self.limits.over(plan),
            client_events=self.client_events,
            enabled=self.enabled,
            subscription_counts=self.subscription_counts,
            requires_sign_in=self.requires_sign_in,
            tls_only=self.tls_only,
            webhooks=tuple(webhook.endpoint(_endpoint_id(self.id, webhook)) for webhook in self.webhooks),
        )


def _endpoint_id(app_id: str, webhook: WebhookSettings) -> str:
    """An id that stays the same when the server starts anew: what waits for the endpoint is found again."""
    said = msgspec.json.encode([app_id, webhook.url, webhook.channel_prefix, webhook.events])
    return "configured-" + hashlib.sha256(said).hexdigest()[:16]


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Everything that can be set."""

    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` for every IPv4 one.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 5187
    workers: Annotated[
        int,
        Meta(
            ge=1,
            le=256,
            description="Processes that share the port, one for each processor say; more than one need a `broker`.",
        ),
    ] = 1
    tls_certificate: Annotated[
        str | None, Meta(description="PEM file of the certificate chain; read again on SIGHUP.")
    ] = None
    tls_key: Annotated[str | None, Meta(description="PEM file of the certificate's private key.")] = None
    log_format: Annotated[
        Literal["auto", "console", "json"], Meta(description="`auto` is `console` in a terminal, else `json`.")
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severe messages to log.")
    ] = "info"
    access_log: Annotated[bool, Meta(description="Log every HTTP request.")] = False
    activity_timeout: Annotated[
        int, Meta(ge=1, le=3600, description="Seconds of silence after which client and server ping each other.")
    ] = 120
    pong_timeout: Annotated[
        int, Meta(ge=1, le=3600, description="Seconds a client has to answer a ping before it is closed with 4201.")
    ] = 30
    signalr_keep_alive: Annotated[
        int, Meta(ge=1, le=120, description="Seconds after which the server pings a SignalR client.")
    ] = 15
    signalr_client_timeout: Annotated[
        int, Meta(ge=2, le=240, description="Seconds of silence after which a SignalR client counts as gone.")
    ] = 30
    signalr_handshake_timeout: Annotated[
        int, Meta(ge=1, le=120, description="Seconds a SignalR client has for the handshake.")
    ] = 15
    signalr_token_lifetime: Annotated[
        int, Meta(ge=60, le=86_400, description="Longest validity of a SignalR access token, seconds.")
    ] = 3600
    signalr_expiry_grace: Annotated[
        int, Meta(ge=0, le=3600, description="Seconds a SignalR connection outlives its access token.")
    ] = 0
    signalr_message_bytes: Annotated[
        int, Meta(ge=1024, description="Largest hub message a SignalR client may send, bytes.")
    ] = 32_768
    signalr_replay_bytes: Annotated[
        int, Meta(ge=1024, description="Most bytes kept for a SignalR client with stateful reconnect.")
    ] = 100_000
    signalr_resume_window: Annotated[
        int, Meta(ge=1, le=240, description="Seconds a cut SignalR connection with stateful reconnect is kept.")
    ] = 30
    message_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Largest message over a WebSocket, or posted by a Pusher client, bytes; larger ones close with "
            "1009, or are answered 413.",
        ),
    ] = 131_072
    request_bytes: Annotated[
        int, Meta(ge=1024, description="Largest HTTP request body, bytes; larger ones are answered 413.")
    ] = 1_048_576
    write_buffer_bytes: Annotated[
        int,
        Meta(ge=1024, description="Most bytes a client may leave unread before it is closed with 4100."),
    ] = 1_048_576
    connections: Annotated[
        int,
        Meta(
            ge=0,
            description="Most client connections of a process; further ones are closed with 4100. 0: no limit.",
        ),
    ] = 0
    tcp_connections: Annotated[
        int,
        Meta(
            ge=0,
            description="Most open TCP connections of a process, those included that ask for nothing; further ones are "
            "answered 503 and closed. 0: no limit.",
        ),
    ] = 0
    keep_alive_timeout: Annotated[int, Meta(ge=1, description="Seconds an idle HTTP connection is kept.")] = 75
    drain_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="Seconds over which a server that stops sends its clients to reconnect, one after another. "
            "0: all at once.",
        ),
    ] = 5
    shutdown_timeout: Annotated[
        int,
        Meta(
            ge=0,
            description="Seconds that requests in flight have to finish when the server stops, after `drain_seconds`; "
            "and after that, webhooks.",
        ),
    ] = 10
    database: Annotated[
        str,
        Meta(
            description="Where apps, keys, plans, usage and waiting webhooks are kept: a SQLite file, or "
            "`postgresql://user:password@host/name`. Empty: nowhere, and then there are no webhooks."
        ),
    ] = "skubber.db"
    broker: Annotated[
        str,
        Meta(
            pattern="^((rediss?(\\+sentinel|\\+cluster)?|unix)://[^\\x00-\\x20\\x7f]+)?$(?!\\n)",
            description="What several servers have in common: a Redis 6 or newer, or a Valkey, as "
            "`redis://user:password@host:6379/0`, `rediss://` with TLS, or `unix://` and a path; with Sentinels "
            "`redis+sentinel://user:password@host1:26379,host2:26379/service/0`; a cluster "
            "`redis+cluster://user:password@host1:6379,host2:6379`. Empty: this server is the only one.",
        ),
    ] = ""
    broker_lease: Annotated[
        int,
        Meta(
            ge=1,
            le=300,
            description="Seconds after which a server that the others hear nothing of is lost, with its subscriptions "
            "and members. The same for all of them.",
        ),
    ] = 10
    broker_publish_alone: Annotated[
        bool,
        Meta(
            description="Answer 200 to what is published while the broker cannot be reached, which this server's own "
            "subscribers get in either case. Otherwise the answer is 503 with `Retry-After`."
        ),
    ] = False
    encryption_key: Annotated[
        str | None,
        Meta(
            description="What secrets in the database are encrypted with: a key of `skubber secrets new-key`; several "
            "separated by commas, the newest first. Without it, the file."
        ),
    ] = None
    encryption_key_file: Annotated[
        str, Meta(description="File with that key, made if it is not there, for its owner's eyes only.")
    ] = "skubber.key"
    webhook_timeout: Annotated[int, Meta(ge=1, le=120, description="Seconds a back end has to answer a webhook.")] = 10
    webhook_retry_period: Annotated[
        int,
        Meta(ge=1, le=604_800, description="Seconds an event is tried again for; then it is among the dead letters."),
    ] = 300
    webhook_allowed_networks: Annotated[
        tuple[str, ...],
        Meta(description="Networks that webhooks may go to though they are private, like `10.0.0.0/8`."),
    ] = ()
    metrics_token: Annotated[
        str,
        Meta(
            pattern="^([\\x21-\\x7e]{16,})?$(?!\\n)",
            description="Bearer token that Prometheus reads `/metrics` with, 16 characters or more. Without it there "
            "is no `/metrics` on `port`.",
        ),
    ] = ""
    metrics_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="Port of its own for `/metrics`; worker N has the one N - 1 above it. 0: none. It asks for "
            "`metrics_token` only if that is set.",
        ),
    ] = 0
    metrics_host: Annotated[str, Meta(description="Address to listen on at `metrics_port`.")] = "127.0.0.1"
    metrics_apps: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Most apps with numbers of their own in the metrics; the others are one, `other`.",
        ),
    ] = 100
    traces_endpoint: Annotated[
        str,
        Meta(
            pattern="^(https?://[^/\\x00-\\x20\\x7f][^\\x00-\\x20\\x7f]*)?$(?!\\n)",
            description="Where OpenTelemetry traces go: the OTLP/HTTP URL of a collector, like "
            "`http://localhost:4318/v1/traces`. Empty: where `OTEL_EXPORTER_OTLP_ENDPOINT` says, or nowhere.",
        ),
    ] = ""
    traces_sample_ratio: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of publishing requests, and of webhook requests, that begin a trace."),
    ] = 0.01
    plans: Annotated[
        dict[str, LimitSettings],
        Meta(
            description="Plans by name, as `[plans.NAME]` tables, besides or instead of "
            f"{', '.join(f'`{name}`' for name in PLANS)}."
        ),
    ] = {}
    apps: Annotated[
        tuple[AppSettings, ...], Meta(description="The apps, as `[[apps]]` tables; without any a demo app is made up.")
    ] = ()

    def all_plans(self) -> dict[str, Limits]:
        """The plans there are: those that come with the server, and these over them."""
        unlimited = PLANS[UNLIMITED]
        return {**PLANS, **{name: own.over(PLANS.get(name, unlimited)) for name, own in self.plans.items()}}

    def configured_apps(self) -> list[App]:
        """The apps these settings name.

        Raises:
            SettingsError: an app's plan is not there.
        """
        plans = self.all_plans()
        return [each.app(plans) for each in self.apps]


def load_settings(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any], apps: Sequence[AppSettings] = ()
) -> Settings:
    """Put the settings together.

    Args:
        file: a TOML file, if there is one.
        environment: ``SKUBBER_PORT=5187`` and the like; ``SKUBBER_APPS`` takes ``id:key:secret`` items, separated by
            commas or white space. A variable that is empty is not set.
        flags: settings by name from the command line; None values are not set.
        apps: apps from the command line, in place of all others.

    Raises:
        SettingsError: a file cannot be read, or a value is not what it should be.
    """
    values = _from_file(file) if file else {}
    values.update(_from_environment(environment))
    values.update({name: value for name, value in flags.items() if value is not None})
    if apps:
        values["apps"] = msgspec.to_builtins(tuple(apps))
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$.")
        raise SettingsError(f"Setting `{place}: {problem}." if place else f"{problem}.") from None
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("Set tls_certificate and tls_key together, or neither.")
    if settings.workers > 1 and not settings.broker:
        raise SettingsError(
            "Several workers are one server only by a Redis or Valkey that they share: set broker, or workers to 1."
        )
    if settings.metrics_port:
        _check_metrics_ports(settings)
    for network in settings.webhook_allowed_networks:
        _check_network(network)
    if not settings.database and any(app.webhooks for app in settings.apps):
        raise SettingsError("Webhooks wait in a database until they are delivered: set database.")
    return settings


def _check_metrics_ports(settings: Settings) -> None:
    ports = range(settings.metrics_port, settings.metrics_port + settings.workers)
    if settings.port in ports or ports[-1] > 65535:
        raise SettingsError(
            f"Every worker has a port for its metrics, from metrics_port on: {ports[0]} to {ports[-1]} must be ports, "
            "and port none of them."
        )


def _check_network(network: str) -> None:
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        raise SettingsError(f"Setting `webhook_allowed_networks`: {error}.") from None


def parse_app(text: str) -> AppSettings:
    """Read an app given as ``ID:KEY:SECRET``; the secret may hold colons.

    Raises:
        SettingsError: a part is missing, or it is not UTF-8. What was given is not repeated: it may be a secret.
    """
    app_id, _, rest = text.partition(":")
    key, _, secret = rest.partition(":")
    if not (app_id and key and secret):
        raise SettingsError("Give apps as ID:KEY:SECRET; one of the three is missing.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError("Give apps as ID:KEY:SECRET in UTF-8.") from None
    return AppSettings(app_id, (KeySettings(key, secret),))


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"Cannot read {file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"Cannot read {file}: it is not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        text = environment.get(ENVIRONMENT_PREFIX + name.upper())
        if not text:
            continue
        values[name] = text
        if name == "webhook_allowed_networks":
            values[name] = text.replace(",", " ").split()
        elif name == "apps":
            values[name] = msgspec.to_builtins([parse_app(item) for item in text.replace(",", " ").split()])
    return values
