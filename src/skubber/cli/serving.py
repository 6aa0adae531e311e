"""``skubber serve``."""

import asyncio
from typing import Annotated

import typer

from skubber.cli.common import ConfigOption, assignment, fail, load, server_url
from skubber.server.demo_app import banner, demo_app
from skubber.server.logs import configure_logs
from skubber.server.run import serve as run_server
from skubber.server.store_service import has_stored_apps
from skubber.server.workers.supervisor import serve_by_workers
from skubber.settings import SettingsError, parse_app


def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    app: Annotated[
        list[str] | None,
        typer.Option(metavar="ID:KEY:SECRET", help="Serve this app, and no others than those given so. Repeatable."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port, by way of a broker.")] = None,
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
            "workers": workers,
            "tls_certificate": tls_certificate,
            "tls_key": tls_key,
            "log_format": log_format,
            "log_level": log_level,
            "access_log": access_log,
        }
        flags = dict(assignment(text) for text in option or ())
        flags |= {name: value for name, value in options.items() if value is not None}
        settings = load(config, flags, [parse_app(text) for text in app or ()])
        configure_logs(settings)
        apps = settings.configured_apps()
        if not asyncio.run(has_stored_apps(settings)) and not apps:
            apps = [demo_app()]
            print(banner(apps[0], server_url(settings)), flush=True)
        if settings.workers > 1:
            raise typer.Exit(serve_by_workers(settings, apps))
        run_server(settings, apps)
    except (SettingsError, ValueError) as error:
        fail(str(error))
