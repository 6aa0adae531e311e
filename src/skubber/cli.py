"""The command line: ``skubber serve``, ``keys new``, ``trigger`` and ``tail``."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from skubber import __version__
from skubber.client import ClientError, publish, tail_channel
from skubber.core.app import App
from skubber.server.demo_app import banner, demo_app
from skubber.server.logs import configure_logs
from skubber.server.run import serve as run_server
from skubber.server.store_service import has_stored_apps
from skubber.settings import AppSettings, Settings, SettingsError, load_settings, parse_app
from skubber.store.credentials import new_key, new_secret

DEFAULT_CONFIG = Path("skubber.toml")

main = typer.Typer(
    name="skubber",
    help="A self-hosted realtime push server: Pusher Channels and SignalR on one port.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
main.add_typer(keys, name="keys")

ConfigOption = Annotated[
    Path | None, typer.Option(envvar="SKUBBER_CONFIG", help="TOML file; ./skubber.toml is read if it is there.")
]
AppOption = Annotated[
    str | None,
    typer.Option("--app", metavar="ID:KEY:SECRET", help="The app; the first of SKUBBER_APPS or the file if not given."),
]
UrlOption = Annotated[str | None, typer.Option(help="The server's URL; made from the settings if not given.")]


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


@main.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@main.command()
def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    app: Annotated[
        list[str] | None,
        typer.Option(metavar="ID:KEY:SECRET", help="Serve this app, and no others than those given so. Repeatable."),
    ] = None,
    tls_certificate: Annotated[str | None, typer.Option(help="PEM file of the certificate chain.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="PEM file of the private key.")] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, console or json.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    access_log: Annotated[bool | None, typer.Option(help="Log every HTTP request.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other setting by name. Repeatable.")
    ] = None,
) -> None:
    """Start the server."""
    try:
        options = {
            "host": host,
            "port": port,
            "tls_certificate": tls_certificate,
            "tls_key": tls_key,
            "log_format": log_format,
            "log_level": log_level,
            "access_log": access_log,
        }
        flags = dict(_assignment(text) for text in option or ())
        flags |= {name: value for name, value in options.items() if value is not None}
        settings = _load(config, flags, [parse_app(text) for text in app or ()])
        configure_logs(settings)
        apps = settings.configured_apps()
        if not asyncio.run(has_stored_apps(settings)) and not apps:
            apps = [demo_app()]
            print(banner(apps[0], _url(settings)), flush=True)
        run_server(settings, apps)
    except (SettingsError, ValueError) as error:
        _fail(str(error))


@keys.command("new")
def keys_new() -> None:
    """Make up an API key and its secret, and print them as configuration."""
    print(f'key = "{new_key()}"\nsecret = "{new_secret()}"')


@main.command()
def trigger(
    channel: Annotated[str, typer.Argument(help="Channel name; several separated by commas.")],
    event: Annotated[str, typer.Argument(help="Event name.")],
    data: Annotated[str, typer.Argument(help="Event data; - reads standard input.")] = "{}",
    app: AppOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Publish an event."""
    try:
        text = sys.stdin.read() if data == "-" else data
        chosen, base = _client_target(app, url, config)
        print(publish(base, chosen, channel.split(","), event, text))
    except (ClientError, SettingsError) as error:
        _fail(str(error))
    except UnicodeDecodeError:
        _fail("Event data must be UTF-8.")


@main.command()
def tail(
    channel: Annotated[str, typer.Argument(help="Channel name; private and presence ones are signed for.")],
    app: AppOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
    count: Annotated[int, typer.Option("-n", "--count", help="Stop after so many events; 0 goes on.")] = 0,
) -> None:
    """Print a channel's events as they arrive, one JSON object a line."""

    def subscribed() -> None:
        print(f"Listening on {channel}; Ctrl-C ends.", file=sys.stderr, flush=True)

    def show(message: dict[str, Any]) -> None:
        print(json.dumps(message, ensure_ascii=False), flush=True)

    try:
        chosen, base = _client_target(app, url, config)
        asyncio.run(tail_channel(base, chosen, channel, subscribed, show, count))
    except (ClientError, SettingsError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _load(config: Path | None, flags: dict[str, Any], apps: list[AppSettings]) -> Settings:
    file = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    return load_settings(file, os.environ, flags, apps)


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"Give settings as NAME=VALUE, not {text!r}.")
    return name, value


def _client_target(app: str | None, url: str | None, config: Path | None) -> tuple[App, str]:
    settings = _load(config, {}, [parse_app(app)] if app else [])
    if not settings.apps:
        raise SettingsError("Say which app: --app ID:KEY:SECRET, SKUBBER_APPS, or a configuration file.")
    return settings.configured_apps()[0], (url or _url(settings)).rstrip("/")


def _url(settings: Settings) -> str:
    scheme = "https" if settings.tls_certificate else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"{scheme}://{host}:{settings.port}"


def _fail(message: str) -> None:
    print(f"skubber: {message}", file=sys.stderr)
    raise typer.Exit(2)
