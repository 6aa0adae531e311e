"""The options of ``skubber serve``, for every command that reads its settings."""

from pathlib import Path
from typing import Annotated, Any

import typer

from skubber.cli.common import assignment, load
from skubber.settings import Settings, parse_app

HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on.")]
AppsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--app", metavar="ID:KEY:SECRET", help="Serve this app, and no others than those given so. Repeatable."
    ),
]
WorkersOption = Annotated[int | None, typer.Option(help="Processes that share the port, by way of a broker.")]
TlsCertificateOption = Annotated[str | None, typer.Option(help="PEM file of the certificate chain.")]
TlsKeyOption = Annotated[str | None, typer.Option(help="PEM file of the private key.")]
LogFormatOption = Annotated[str | None, typer.Option(help="auto, console or json.")]
LogLevelOption = Annotated[str | None, typer.Option(help="debug, info, warning or error.")]
AccessLogOption = Annotated[bool | None, typer.Option(help="Log every HTTP request.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other setting by name. Repeatable.")
]


def serving_settings(
    config: Path | None, apps: list[str] | None, assignments: list[str] | None, options: dict[str, Any]
) -> Settings:
    """The settings that ``serve`` would use, given these options.

    Args:
        config: the configuration file, if one is named.
        apps: apps as ``ID:KEY:SECRET``.
        assignments: settings as ``NAME=VALUE``.
        options: settings by name, which weigh more; None values are not set.

    Raises:
        SettingsError: they cannot be used.
    """
    flags = dict(assignment(text) for text in assignments or ())
    flags |= {name: value for name, value in options.items() if value is not None}
    return load(config, flags, [parse_app(text) for text in apps or ()])
