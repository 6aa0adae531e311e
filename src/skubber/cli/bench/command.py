"""``skubber bench``."""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from skubber.cli.administering import JsonOption, show_json
from skubber.cli.bench.drawing import draw, save_svg
from skubber.cli.bench.judging import judge
from skubber.cli.bench.measurement import Measurement
from skubber.cli.bench.progress import show_progress
from skubber.cli.bench.result import Asked, Result
from skubber.cli.bench.target import find_target
from skubber.cli.common import ConfigOption, fail
from skubber.cli.messages import AppOption, client_target
from skubber.cli.trial_server import trial_server
from skubber.client import ClientError
from skubber.core.app import App
from skubber.core.limits import Limits
from skubber.load.open_files import OTHER_FILES, raise_open_files
from skubber.load.reasons import reason
from skubber.load.stamp import SMALLEST
from skubber.load.tasks import Channels, Protocol
from skubber.settings import AppSettings, KeySettings, LimitSettings, Settings, SettingsError
from skubber.store.credentials import new_key, new_secret

_CLIENTS_OF_A_PROCESS = 5000

_WIDTH = 100
"""Columns where there is no terminal to say how many."""


class _Place(NamedTuple):
    """The server that is measured, the app, and the server's process id where it is ours."""

    url: str
    app: App
    pid: int | None


def bench(
    url: Annotated[
        str | None,
        typer.Option(help="A running server to measure; without it, one is started for a moment, on a free port."),
    ] = None,
    app: AppOption = None,
    config: ConfigOption = None,
    connections: Annotated[int, typer.Option(min=1, max=1_000_000, help="Clients that subscribe.")] = 1000,
    protocol: Annotated[Protocol, typer.Option(help="What they speak: pusher or signalr.")] = "pusher",
    channels: Annotated[int, typer.Option(min=1, max=10_000, help="Channels, to which they are spread evenly.")] = 10,
    publishers: Annotated[
        int, typer.Option(min=1, max=500, help="Publishers, each with one HTTP request at a time.")
    ] = 4,
    rate: Annotated[
        float, typer.Option(min=0, help="Messages a second, all publishers together; 0: as fast as it answers.")
    ] = 100,
    size: Annotated[int, typer.Option(min=SMALLEST, max=1_000_000, help="Bytes of data in each message.")] = 200,
    duration: Annotated[float, typer.Option(min=0.1, max=86_400, help="Seconds to publish for.")] = 10,
    connect_rate: Annotated[
        float, typer.Option(min=0, help="Connections a second; 0: as fast as it takes them, 64 at a time.")
    ] = 0,
    processes: Annotated[
        int, typer.Option(min=0, max=256, help="Processes that have the clients; 0: one for each 5,000.")
    ] = 0,
    json: JsonOption = False,
    svg: Annotated[Path | None, typer.Option(help="Write table and plots to this file, too.")] = None,
) -> None:
    """Measure a server with clients of its own. Status 1: it lost, repeated, reordered or refused something."""
    console = Console(force_terminal=sys.stdout.isatty(), highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    parts = min(connections, processes or -(-connections // _CLIENTS_OF_A_PROCESS))
    try:
        _check_open_files(connections, parts, is_own_server=url is None)
        _check_file(svg)
        asked = Asked(url or "", protocol, connections, channels, publishers, rate, size, duration)
        running = None if url is None else client_target(app, url, config)
        measurement = asyncio.run(_measure(asked, running, parts, connect_rate, None if json else console))
    except (ClientError, SettingsError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"Cannot go on: {error}.")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    result = judge(measurement)
    _show(result, console, json)
    if svg is not None:
        _save(result, svg)
    if result.status:
        raise typer.Exit(result.status)


async def _measure(
    asked: Asked, running: tuple[App, str] | None, processes: int, connect_rate: float, console: Console | None
) -> Measurement:
    async with _own_server(asked.size) if running is None else _running_server(*running) as place:
        target = await find_target(place.url, place.app, asked.protocol)
        channels = Channels(secrets.token_hex(4), asked.channels, asked.publishers)
        measurement = Measurement(asked.at(place.url), target, channels, processes, connect_rate, place.pid)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, measurement.interrupt)
        if console is not None and console.is_terminal:
            async with show_progress(measurement, console):
                await measurement.run()
        else:
            await measurement.run()
    return measurement


def _show(result: Result, console: Console, json: bool) -> None:
    if json:
        show_json(result)
    elif result.publishing.answered or not result.error:
        draw(result, console)
    if result.error:
        print(f"skubber: {result.error}", file=sys.stderr)


def _save(result: Result, svg: Path) -> None:
    try:
        save_svg(result, svg)
    except OSError as error:
        fail(f"Cannot write {svg}: {reason(error)}.")


@asynccontextmanager
async def _running_server(app: App, url: str) -> AsyncIterator[_Place]:
    yield _Place(url, app, None)


@asynccontextmanager
async def _own_server(size: int) -> AsyncIterator[_Place]:
    """A server with the default settings, one app made up for it, and no database."""
    limits = LimitSettings(event_data_bytes=max(size, Limits().event_data_bytes))
    app = AppSettings("bench", (KeySettings(new_key(), new_secret()),), limits=limits)
    settings = Settings(port=0, apps=(app,), database="", drain_seconds=0, log_level="error")
    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(trial_server(settings))
        except (SettingsError, OSError) as error:
            raise SettingsError(f"No server could be started: {reason(error)}.") from None
        yield _Place(server.url, app.app(), server.pid)


def _check_open_files(connections: int, processes: int, *, is_own_server: bool) -> None:
    """Raise the limit of open files, and see that it is high enough.

    Raises:
        SettingsError: it is not.
    """
    limit = raise_open_files()
    needed = (connections if is_own_server else -(-connections // processes)) + OTHER_FILES
    if limit < needed:
        advice = "" if is_own_server else ", or give more --processes"
        raise SettingsError(
            f"Every client is an open file, and a process may have {limit} here where {needed} are needed: raise the "
            f"hard limit (ulimit -Hn, or LimitNOFILE of a systemd unit){advice}."
        )


def _check_file(svg: Path | None) -> None:
    """See that there is a place for the drawing before the measurement, and not after.

    Raises:
        SettingsError: there is none.
    """
    if svg is not None and not svg.parent.is_dir():
        raise SettingsError(f"There is no directory {svg.parent} to write {svg.name} to.")
