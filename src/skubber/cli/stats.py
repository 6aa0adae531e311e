"""``skubber stats``."""

import time
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer

from skubber.cli.administering import Desk, JsonOption, administer, show_json, show_table
from skubber.cli.common import ConfigOption, UrlOption, fail, load, server_url
from skubber.cli.reports import show_usage
from skubber.cli.watching import Reading, Row, UnreadableError, watch
from skubber.settings import SettingsError
from skubber.store.administration.usage import UsageReport
from skubber.web.admin.stats import Stats

_TIMEOUT = 10

_HEAD = ("APP", "PLAN", "CONNECTIONS", "CHANNELS", "MESSAGES TODAY")


def stats(
    url: UrlOption = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="SKUBBER_ADMIN_TOKEN", help="An admin token; without it the database is read."),
    ] = None,
    config: ConfigOption = None,
    is_watching: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again and again, with rates per second; Ctrl-C ends.")
    ] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, max=3600, help="With --watch: seconds between two looks.")
    ] = 2,
    count: Annotated[
        int, typer.Option("-n", "--count", min=0, help="With --watch: end after so many looks; 0 goes on.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Show what apps are doing right now: asks the server, or without an admin token what the database has of today."""
    if not token:
        if is_watching:
            watch(lambda: _usage_reading(_usage_today(config)), interval, count, json)
        else:
            show_usage(_usage_today(config), json)
        return
    try:
        base = (url or server_url(load(config, {}, []))).rstrip("/")
        if is_watching:
            watch(lambda: _stats_reading(_ask(base, token)), interval, count, json)
            return
        result = _ask(base, token)
    except (SettingsError, UnreadableError) as error:
        fail(str(error))
    if json:
        show_json(result)
        return
    show_table(_HEAD, ((row.app_id, *row.cells) for row in _stats_reading(result).rows))


def _usage_today(config: Path | None) -> UsageReport:
    async def act(desk: Desk) -> UsageReport:
        reports = desk.administration.usage
        return await reports.report(first=reports.today())

    return administer(config, act)


def _usage_reading(report: UsageReport) -> Reading:
    return Reading(
        report,
        ("APP", "PUBLISHED", "DELIVERED", "BYTES", "PEAK", "WEBHOOKS"),
        ("PUBLISHED/S", "DELIVERED/S"),
        [
            Row(
                each.app_id,
                (each.published, each.delivered, each.delivered_bytes, each.connections_peak, each.webhooks),
                (each.published, each.delivered),
            )
            for each in report.usage
        ],
        time.monotonic(),
    )


def _stats_reading(result: Stats) -> Reading:
    return Reading(
        result,
        _HEAD,
        ("MESSAGES/S",),
        [
            Row(
                app.app_id,
                (
                    app.plan,
                    _of(app.connections, app.limits.connections),
                    _of(app.channels, app.limits.channels),
                    _of(app.messages_today, app.limits.messages_per_day),
                ),
                (app.messages_today,),
            )
            for app in result.apps
        ],
        time.monotonic(),
    )


def _ask(url: str, token: str) -> Stats:
    """What the server says.

    Raises:
        UnreadableError: it says nothing, or something else.
    """
    try:
        answer = httpx.get(f"{url}/api/admin/stats", headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT)
        if answer.status_code != httpx.codes.OK:
            raise UnreadableError(f"{url} answered {answer.status_code}: {answer.text}")
        return msgspec.json.decode(answer.content, type=Stats)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        raise UnreadableError(f"Cannot reach {url}: {error}.") from None
    except msgspec.MsgspecError:
        raise UnreadableError(f"{url} did not answer as Skubber does.") from None


def _of(value: int, limit: int) -> str:
    return f"{value} of {limit}" if limit else str(value)
