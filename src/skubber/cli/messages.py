"""``skubber trigger`` and ``skubber tail``."""

import asyncio
import json as json_text
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from skubber.cli.common import ConfigOption, UrlOption, fail, load, server_url
from skubber.cli.pretty_event import pretty
from skubber.client import ClientError, publish, tail_channels
from skubber.core.app import App
from skubber.settings import SettingsError, parse_app

AppOption = Annotated[
    str | None,
    typer.Option("--app", metavar="ID:KEY:SECRET", help="The app; the first of SKUBBER_APPS or the file if not given."),
]


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
        chosen, base = client_target(app, url, config)
        print(publish(base, chosen, channel.split(","), event, text))
    except (ClientError, SettingsError) as error:
        fail(str(error))
    except UnicodeDecodeError:
        fail("Event data must be UTF-8.")


def tail(
    channels: Annotated[
        list[str],
        typer.Argument(metavar="CHANNEL...", help="Channel names; private and presence ones are signed for."),
    ],
    app: AppOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
    count: Annotated[
        int, typer.Option("-n", "--count", help="Stop after so many events, members not counted; 0 goes on.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as where it is no terminal.")] = False,
) -> None:
    """Print channels' events as they arrive, and who comes to presence channels and goes."""
    # Each once: the server would refuse the second subscription.
    names = list(dict.fromkeys(channels))
    console = Console(highlight=False)

    def subscribed() -> None:
        print(f"Listening on {', '.join(names)}; Ctrl-C ends.", file=sys.stderr, flush=True)

    def show(channel: str, event: dict[str, Any]) -> None:
        if json or not sys.stdout.isatty():  # and not as rich has it, which FORCE_COLOR can tell otherwise
            told = event if len(names) == 1 else {"channel": channel, **event}
            print(json_text.dumps(told, ensure_ascii=False), flush=True)
        else:
            console.print(pretty(channel, event, datetime.now()), soft_wrap=True)  # noqa: DTZ005 - whoever looks on

    try:
        chosen, base = client_target(app, url, config)
        asyncio.run(tail_channels(base, chosen, names, subscribed, show, count))
    except (ClientError, SettingsError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def client_target(app: str | None, url: str | None, config: Path | None) -> tuple[App, str]:
    """The app that a client acts as, and the URL of its server, without a slash at the end.

    Raises:
        SettingsError: there is no app, or the settings cannot be used.
    """
    settings = load(config, {}, [parse_app(app)] if app else [])
    if not settings.apps:
        raise SettingsError("Say which app: --app ID:KEY:SECRET, SKUBBER_APPS, or a configuration file.")
    return settings.configured_apps()[0], (url or server_url(settings)).rstrip("/")
