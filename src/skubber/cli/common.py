"""What the commands share: their options, the settings, and how they end."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from skubber.settings import AppSettings, Settings, SettingsError, load_settings

DEFAULT_CONFIG = Path("skubber.toml")

ConfigOption = Annotated[
    Path | None, typer.Option(envvar="SKUBBER_CONFIG", help="TOML file; ./skubber.toml is read if it is there.")
]
UrlOption = Annotated[str | None, typer.Option(help="The server's URL; made from the settings if not given.")]


def load(config: Path | None, flags: dict[str, Any], apps: list[AppSettings]) -> Settings:
    """The settings of a file (or ``skubber.toml``, where there is one), the environment and flags.

    Raises:
        SettingsError: they cannot be used.
    """
    file = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    return load_settings(file, os.environ, flags, apps)


def assignment(text: str) -> tuple[str, Any]:
    """Name and value of a NAME=VALUE.

    Raises:
        SettingsError: it is not one.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"Give settings as NAME=VALUE, not {text!r}.")
    return name, value


def server_url(settings: Settings) -> str:
    """Where the server that the settings describe is reached from this machine."""
    scheme = "https" if settings.tls_certificate else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"{scheme}://{host}:{settings.port}"


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 2."""
    print(f"skubber: {message}", file=sys.stderr)
    raise typer.Exit(2)
