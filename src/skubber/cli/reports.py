"""``skubber usage`` and ``skubber audit``."""

import json as json_text
from datetime import timedelta
from typing import Annotated

import typer

from skubber.cli.administering import Desk, JsonOption, administer, show_json, show_table
from skubber.cli.common import ConfigOption
from skubber.store.administration.usage import MAX_DAYS, UsageReport


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

    show_usage(administer(config, act), json)


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


def show_usage(report: UsageReport, json: bool) -> None:
    """Print what apps have used."""
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
