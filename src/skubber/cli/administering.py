"""Running an operation on the database, and showing what comes of it."""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from sqlalchemy.exc import SQLAlchemyError

from skubber.cli.common import assignment, fail, load
from skubber.core.errors import SkubberError
from skubber.settings import Settings, SettingsError
from skubber.store.administration.administration import Administration
from skubber.store.open import open_database
from skubber.store.reason import reason
from skubber.store.vault import Vault

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
LimitOption = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=N", help="A limit, named as in the configuration. Repeatable."),
]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Desk:
    """What an operation works with.

    Attributes:
        settings: the settings.
        administration: operations on the database that they name.
        vault: what its secrets are encrypted with.
        actor: who is at it, for the record.
    """

    settings: Settings
    administration: Administration
    vault: Vault
    actor: str


def administer(config: Path | None, act: Callable[[Desk], Awaitable[Result]]) -> Result:
    """Open the database that the settings name, act on it, and close it. What is wrong is said in a sentence."""
    try:
        return asyncio.run(_at_desk(load(config, {}, []), act))
    except (SettingsError, SkubberError) as error:
        fail(str(error))
    except SQLAlchemyError as error:
        fail(f"The database cannot be used: {reason(error)}.")
    except UnicodeEncodeError:
        fail("Give everything in UTF-8.")


async def _at_desk(settings: Settings, act: Callable[[Desk], Awaitable[Result]]) -> Result:
    if not settings.database:
        raise SettingsError("There is no database: set database.")
    configured = settings.configured_apps()
    database, vault = await open_database(settings)
    try:
        administration = Administration(database, vault, settings.all_plans(), time.time, configured)
        return await act(Desk(settings, administration, vault, actor()))
    finally:
        await database.close()


def actor() -> str:
    """Who is at it, for the record."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container may run as a user that nobody has named
        return "cli:unknown"


def show_json(result: msgspec.Struct) -> None:
    """Print a result as the admin API would answer it."""
    print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below their head, in columns."""
    cells = [[*head], *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print named values, one a line."""
    for name, value in fields:
        print(f"{name:<8}{_text(value)}")


def _text(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        case list() | tuple():
            return ",".join(map(str, value)) or "-"
        case dict():
            return " ".join(f"{name}={each}" for name, each in value.items()) or "-"
    return str(value)


def confirm(question: str, yes: bool) -> None:
    """Ask before something is gone for good; without a yes the command ends with status 1."""
    if not yes:
        typer.confirm(question, abort=True)


def limits(assignments: Sequence[str]) -> dict[str, Any]:
    """Limits given as NAME=N; ``NAME=`` stands for None: as in the plan.

    Raises:
        SettingsError: one of them is not a number.
    """
    values: dict[str, Any] = {}
    for name, value in map(assignment, assignments):
        if value and not (value.isascii() and value.isdigit() and len(value) < 16):
            raise SettingsError(f"The limit {name} must be a number.")
        values[name] = int(value) if value else None
    return values


def given(**values: Any) -> dict[str, Any]:
    """The values that were given."""
    return {name: value for name, value in values.items() if value is not None}


def expiry(days: int | None) -> str | None:
    """The time in so many days, as requests have it."""
    if days is None:
        return None
    return datetime.fromtimestamp(int(time.time()) + days * 86_400, UTC).isoformat()
