"""``skubber serve``."""

import asyncio

import typer

from skubber.cli.administering import actor
from skubber.cli.common import ConfigOption, fail, server_url
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
from skubber.server.demo_app import banner, console_lines, demo_app
from skubber.server.first_token import first_token
from skubber.server.logs import configure_logs
from skubber.server.run import serve as run_server
from skubber.server.store_service import has_stored_apps
from skubber.server.workers.supervisor import serve_by_workers
from skubber.settings import SettingsError


def serve(
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
) -> None:
    """Start the server."""
    try:
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
        settings = serving_settings(config, app, option, options)
        configure_logs(settings)
        apps = settings.configured_apps()
        if not asyncio.run(has_stored_apps(settings)) and not apps:
            apps = [demo_app()]
            url = server_url(settings)
            console = console_lines(url, asyncio.run(first_token(settings, actor()))) if settings.database else ""
            print(banner(apps[0], url, console), flush=True)
        if settings.workers > 1:
            raise typer.Exit(serve_by_workers(settings, apps))
        run_server(settings, apps)
    except (SettingsError, ValueError) as error:
        fail(str(error))
