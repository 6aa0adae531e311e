"""``skubber usage``, ``stats`` and ``audit``."""

import json as json_text
from datetime import timedelta
from typing import Annotated

import httpx
import msgspec
import typer

from skubber.cli.administering import Desk, JsonOption, administer, show_json, show_table
from skubber.cli.common import ConfigOption, UrlOption, fail, load, server_url
from skubber.settings import SettingsError
from skubber.store.administration.usage import MAX_DAYS, UsageReport
from skubber.web.admin.stats import Stats

_TIMEOUT = 10


def usage(
    app_id: Annotated[str | None, typer.Argument(metavar="[APP]", help="This app only.")] = None,
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="How many days, today the last of them.")] = 30,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what apps have used, by day (UTC)."""

    async def act(desk: Desk) -> UsageReport:
        reports = desk.administration.usage
        return await reports.report(app_id, reports.today() - timedelta(days - 1))

    _show_usage(administer(config, act), json)


def stats(
    url: UrlOption = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="SKUBBER_ADMIN_TOKEN", help="An admin token; without it the database is read."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what apps are doing right now: asks the server, or without an admin token what the database has of today."""
    if not token:

        async def act(desk: Desk) -> UsageReport:
            reports = desk.administration.usage
            return await reports.report(first=reports.today())

        _show_usage(administer(config, act), json)
        return
    try:
        base = url or server_url(load(config, {}, []))
    except SettingsError as error:
        fail(str(error))
    result = _ask(base.rstrip("/"), token)
    if json:
        show_json(result)
        return
    show_table(
        ("APP", "PLAN", "CONNECTIONS", "CHANNELS", "MESSAGES TODAY"),
        (
            (
                app.app_id,
                app.plan,
                _of(app.connections, app.limits.connections),
                _of(app.channels, app.limits.channels),
                _of(app.messages_today, app.limits.messages_per_day),
            )
            for app in result.apps
        ),
    )


def audit(
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=200, help="How many changes.")] = 50,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show who changed what, the newest first."""
    page = administer(config, lambda desk: desk.administration.audit.list(count))
    if json:
        show_json(page)
        return
    show_table(
        ("WHEN", "WHO", "WHAT", "TO WHAT", "DETAILS"),
        (
            (entry.at, entry.actor, entry.action, entry.subject, json_text.dumps(entry.details, ensure_ascii=False))
            for entry in page.entries
        ),
    )


def _ask(url: str, token: str) -> Stats:
    try:
        answer = httpx.get(f"{url}/api/admin/stats", headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT)
        if answer.status_code != httpx.codes.OK:
            fail(f"{url} answered {answer.status_code}: {answer.text}")
        return msgspec.json.decode(answer.content, type=Stats)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        fail(f"Cannot reach {url}: {error}.")
    except msgspec.MsgspecError:
        fail(f"{url} did not answer as Skubber does.")


def _show_usage(report: UsageReport, json: bool) -> None:
    if json:
        show_json(report)
        return
    show_table(
        ("DAY", "APP", "PUBLISHED", "DELIVERED", "BYTES", "PEAK", "WEBHOOKS"),
        (
            (
                each.day,
                each.app_id,
                each.published,
                each.delivered,
                each.delivered_bytes,
                each.connections_peak,
                each.webhooks,
            )
            for each in report.usage
        ),
    )


def _of(value: int, limit: int) -> str:
    return f"{value} of {limit}" if limit else str(value)
