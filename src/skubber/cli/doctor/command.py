"""``skubber doctor``."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import msgspec
import typer
from rich.console import Console
from rich.text import Text

from skubber.cli.administering import JsonOption, show_json
from skubber.cli.common import ConfigOption
from skubber.cli.doctor.address import check_port, check_server
from skubber.cli.doctor.apps import check_apps, known_apps, usable_app
from skubber.cli.doctor.assets import check_assets
from skubber.cli.doctor.broker import check_broker
from skubber.cli.doctor.certificate import check_certificate
from skubber.cli.doctor.database import check_database
from skubber.cli.doctor.finding import Finding, Status, failure, well
from skubber.cli.doctor.machine import check_kernel, check_open_files
from skubber.cli.doctor.round_trip import check_running_server, check_trial_server
from skubber.cli.doctor.served_certificate import check_served_certificate
from skubber.cli.serving_options import (
    AccessLogOption,
    AppsOption,
    HostOption,
    LogFormatOption,
    LogLevelOption,
    PortOption,
    SetOption,
    TlsCertificateOption,
    TlsKeyOption,
    WorkersOption,
    serving_settings,
)
from skubber.client import ClientError, is_local
from skubber.settings import Settings, SettingsError
from skubber.store.apps import AppRegistry

_COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red"}
_STATUS_WIDTH, _CHECK_WIDTH = 9, 22


class Report(msgspec.Struct, frozen=True):
    """Everything that was found."""

    findings: list[Finding]


def doctor(
    url: Annotated[
        str | None,
        typer.Option(help="A running server to look at; without it, one is started for a moment, on a free port."),
    ] = None,
    config: ConfigOption = None,
    host: HostOption = None,
    port: PortOption = None,
    app: AppsOption = None,
    workers: WorkersOption = None,
    tls_certificate: TlsCertificateOption = None,
    tls_key: TlsKeyOption = None,
    log_format: LogFormatOption = None,
    log_level: LogLevelOption = None,
    access_log: AccessLogOption = None,
    option: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Look at everything that a server with these settings needs, and say what to mend. Status 1: something failed."""
    options = {
        "host": host,
        "port": port,
        "workers": workers,
        "tls_certificate": tls_certificate,
        "tls_key": tls_key,
        "log_format": log_format,
        "log_level": log_level,
        "access_log": access_log,
    }
    try:
        settings = serving_settings(config, app, option, options)
        if url is not None:
            is_local(url)  # which refuses what is no URL
        AppRegistry(settings.configured_apps())  # as the server would, which refuses an id or a key that is there twice
    except (SettingsError, ClientError, ValueError) as error:
        checks = _only(
            failure("settings", str(error).rstrip("."), "Mend that first: docs/configuration.md has them all.")
        )
    else:
        checks = _checks(settings, url and url.rstrip("/"))
    findings = asyncio.run(_examine(checks, None if json else Console(highlight=False, soft_wrap=True)))
    if json:
        show_json(Report(findings))
    if any(finding.status is Status.FAILED for finding in findings):
        raise typer.Exit(1)


async def _examine(checks: AsyncIterator[Finding], console: Console | None) -> list[Finding]:
    """Check one thing after another, and show on the console what is found as it is."""
    findings = []
    async for finding in checks:
        findings.append(finding)
        if console is not None:
            _show(console, finding)
    return findings


async def _only(finding: Finding) -> AsyncIterator[Finding]:
    yield finding


async def _checks(settings: Settings, url: str | None) -> AsyncIterator[Finding]:
    yield well("settings", "can be used")
    yield check_open_files(settings)
    yield check_kernel(settings)
    for finding in check_certificate(settings, None if url is None else httpx.URL(url).host):
        yield finding
    async for finding in check_database(settings):
        yield finding
    async for finding in check_broker(settings):
        yield finding
    apps = await known_apps(settings)
    yield check_apps(apps)
    yield check_assets()
    if url is None:
        yield check_port(settings)
        yield await check_trial_server(settings)
        return
    for finding in (*check_served_certificate(url), *check_server(url)):
        yield finding
    yield await check_running_server(url, usable_app(apps))


def _show(console: Console, finding: Finding) -> None:
    status = Text(finding.status.ljust(_STATUS_WIDTH), _COLOURS[finding.status])
    console.print(status, Text(f"{finding.check:{_CHECK_WIDTH}}{finding.message}"), sep="")
    if finding.advice:
        console.print(Text(f"{'':{_STATUS_WIDTH}}{finding.advice}"))
