"""Settings: one model, filled from a TOML file, then ``SKUBBER_*`` variables, then command-line flags.

What comes later weighs more. The table in docs/configuration.md is made from this model.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from skubber.core.app import ApiKey, App
from skubber.core.limits import Limits

ENVIRONMENT_PREFIX = "SKUBBER_"

PositiveInt = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]


class SettingsError(Exception):
    """The settings cannot be used; the message says which and why."""


class LimitSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An app's limits; see ``skubber.core.limits.Limits``."""

    event_name_length: PositiveInt = Limits().event_name_length
    event_data_bytes: PositiveInt = Limits().event_data_bytes
    channels_per_event: PositiveInt = Limits().channels_per_event
    events_per_batch: PositiveInt = Limits().events_per_batch
    channel_name_length: PositiveInt = Limits().channel_name_length
    presence_members: PositiveInt = Limits().presence_members
    presence_user_id_length: PositiveInt = Limits().presence_user_id_length
    presence_user_info_bytes: PositiveInt = Limits().presence_user_info_bytes
    watchlist_users: Count = Limits().watchlist_users
    client_events_per_second: Count = Limits().client_events_per_second
    connections: Count = Limits().connections


class KeySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One API key of an app."""

    key: Annotated[str, Meta(min_length=1, description="Public: clients connect with it.")]
    secret: Annotated[str, Meta(min_length=1, description="For those who publish; never to be given to a browser.")]


class AppSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One app, an ``[[apps]]`` table of the file."""

    id: Annotated[str, Meta(min_length=1)]
    keys: Annotated[tuple[KeySettings, ...], Meta(min_length=1, description="Its API keys, all good at the same time.")]
    client_events: bool = True
    enabled: bool = True
    tls_only: bool = False
    subscription_counts: bool = False
    requires_sign_in: bool = False
    limits: LimitSettings = LimitSettings()

    def __post_init__(self) -> None:
        """Refuse a key that is there twice: one of its secrets would not work."""
        keys = [key.key for key in self.keys]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"The key {key!r} is there twice")

    def app(self) -> App:
        """The app these settings describe."""
        return App.with_keys(
            self.id,
            (ApiKey(key.key, key.secret) for key in self.keys),
            limits=Limits(**msgspec.structs.asdict(self.limits)),
            client_events=self.client_events,
            enabled=self.enabled,
            subscription_counts=self.subscription_counts,
            requires_sign_in=self.requires_sign_in,
            tls_only=self.tls_only,
        )


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Everything that can be set."""

    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` for every IPv4 one.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 5187
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
        int, Meta(ge=0, description="Most client connections in all; further ones are closed with 4100. 0: no limit.")
    ] = 0
    keep_alive_timeout: Annotated[int, Meta(ge=1, description="Seconds an idle HTTP connection is kept.")] = 75
    shutdown_timeout: Annotated[
        int, Meta(ge=0, description="Seconds that requests in flight have to finish when the server stops.")
    ] = 10
    apps: Annotated[
        tuple[AppSettings, ...], Meta(description="The apps, as `[[apps]]` tables; without any a demo app is made up.")
    ] = ()


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
    return settings


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
        if name == "apps":
            values[name] = msgspec.to_builtins([parse_app(item) for item in text.replace(",", " ").split()])
    return values
