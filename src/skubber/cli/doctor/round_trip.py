"""The proof of it all: a client subscribes, an event is published, the client gets it."""

import asyncio
import secrets
import ssl
import time
from pathlib import Path
from typing import Any

import msgspec

from skubber.cli.doctor.certificate import trusting
from skubber.cli.doctor.finding import Finding, failure, warning, well
from skubber.cli.trial_server import trial_server
from skubber.client import ClientError, publish, tail_channels
from skubber.core.app import App
from skubber.settings import AppSettings, KeySettings, Settings, SettingsError
from skubber.store.credentials import new_key, new_secret

_CHECK = "round trip"

_PATIENCE = 20
"""Seconds for each step, on a machine that is busy."""


async def check_running_server(url: str, app: App | None) -> Finding:
    """Publish and receive at a running server, on a channel that nobody else has.

    Args:
        url: the server's, without a trailing slash.
        app: an app it serves, with a key that may publish and subscribe; None where none is known.
    """
    if app is None:
        return warning(
            _CHECK,
            "not tried, for want of an app",
            "Give one that the server has with --app ID:KEY:SECRET; its key must have the scopes connect and publish.",
        )
    return await _check(url, app, ssl.create_default_context())


async def check_trial_server(settings: Settings) -> Finding:
    """Publish and receive at a server of its own: a child process with these settings, on a free port.

    It has an app made up for it and no database, so nothing is changed there and no webhook is sent; by way of the
    broker, it is a server among the others for the moment.
    """
    app = AppSettings(f"skubber-doctor-{secrets.token_hex(4)}", (KeySettings(new_key(), new_secret()),))
    try:
        async with trial_server(_trial_settings(settings, app)) as server:
            return await _check(server.url, app.app(), _trust(settings))
    except (SettingsError, OSError) as error:
        return failure(_CHECK, f"no server could be started: {error}", "See what it has said above.")


async def _check(url: str, app: App, tls: ssl.SSLContext) -> Finding:
    try:
        seconds = await _round_trip(url, app, tls)
    except ClientError as error:
        return failure(
            _CHECK,
            str(error).rstrip("."),
            "See the findings above, and the server's log; docs/reference/errors.md tells what each code means.",
        )
    except TimeoutError:
        return failure(
            _CHECK,
            f"the event did not arrive within {_PATIENCE} s",
            "See that what is in front of the server passes WebSockets on, and that the broker can be reached.",
        )
    return well(_CHECK, f"an event was published and received in {seconds * 1000:.1f} ms")


async def _round_trip(url: str, app: App, tls: ssl.SSLContext) -> float:
    """Seconds from the publish to the event's arrival."""
    channel = f"skubber-doctor-{secrets.token_hex(8)}"
    is_subscribed = asyncio.Event()
    arrivals: list[float] = []

    def show(_channel: str, _event: dict[str, Any]) -> None:
        arrivals.append(time.perf_counter())

    async def publish_once() -> float:
        await is_subscribed.wait()
        begin = time.perf_counter()
        await asyncio.to_thread(publish, url, app, [channel], "checked", "{}", tls)
        return begin

    publishing = asyncio.create_task(publish_once())
    tailing = asyncio.create_task(tail_channels(url, app, [channel], is_subscribed.set, show, 1, tls))
    try:
        async with asyncio.timeout(_PATIENCE):
            await asyncio.wait((publishing, tailing), return_when=asyncio.FIRST_EXCEPTION)
            for task in (tailing, publishing):
                if task.done():
                    task.result()
            return arrivals[0] - await publishing
    finally:
        for task in (publishing, tailing):
            task.cancel()
        await asyncio.gather(publishing, tailing, return_exceptions=True)


def _trial_settings(settings: Settings, app: AppSettings) -> Settings:
    return msgspec.structs.replace(
        settings, host="127.0.0.1", port=0, workers=1, apps=(app,), database="", drain_seconds=0, log_level="error"
    )


def _trust(settings: Settings) -> ssl.SSLContext:
    """Trust for the certificate that the trial server has, which is for another name than the loopback address."""
    if settings.tls_certificate is None:
        return ssl.create_default_context()
    context = trusting(Path(settings.tls_certificate))
    context.check_hostname = False
    return context
