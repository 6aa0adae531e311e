"""Writes the table of settings in docs/configuration.md, from the settings model and the command line.

    python scripts/configuration_table.py [--check] [FILE]

With ``--check`` nothing is written; the exit status tells whether the table is what it should be.
"""

import argparse
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import typer

from skubber.cli import main as command_line
from skubber.core.app import App
from skubber.core.limits import Limits
from skubber.settings import ENVIRONMENT_PREFIX, AppSettings, LimitSettings, Settings

DOCUMENT = Path(__file__).parents[1] / "docs" / "configuration.md"

_HEAD = ("Setting", "Environment variable", "Flag", "Default", "Meaning")
_BEGIN, _END = "<!-- settings: written by scripts/configuration_table.py -->\n", "<!-- end of settings -->\n"

# Where the fields' own descriptions are not in the model, they are in the docstring of what it sets.
_DESCRIBED_BY = {AppSettings.__name__: App, LimitSettings.__name__: Limits}


def table() -> str:
    """The table, in Markdown."""
    definitions = msgspec.json.schema(Settings)["$defs"]
    rows = [_HEAD, ("---",) * len(_HEAD), *_rows(definitions, Settings.__name__, "", _flags())]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(document: str) -> str:
    """The document with its table written anew.

    Raises:
        ValueError: it has no place for the table.
    """
    before, begin, rest = document.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"There is no place for the table: put {_BEGIN.strip()} and {_END.strip()} where it belongs.")
    return f"{before}{begin}\n{table()}\n{end}{after}"


def _rows(
    definitions: Mapping[str, Any], kind: str, prefix: str, flags: Mapping[str, str]
) -> Iterable[tuple[str, ...]]:
    """One row for each field of a model, each followed by the rows of the model it holds, if any."""
    described_by = _attributes(_DESCRIBED_BY[kind]) if kind in _DESCRIBED_BY else {}
    required = definitions[kind].get("required", ())
    defaults = dataclasses.asdict(Limits()) if kind == LimitSettings.__name__ else {}
    for name, field in definitions[kind]["properties"].items():
        sources = (f"`{ENVIRONMENT_PREFIX}{name.upper()}`", f"`{flags.get(name, f'--set {name}=…')}`")
        meaning = field.get("description") or described_by[name]
        yield (
            f"`{prefix}{name}`",
            *(("", "") if prefix else sources),
            "required" if name in required else _default(field.get("default", defaults.get(name))),
            meaning.replace("|", "\\|"),
        )
        if (inner := _inner(field)) and "properties" in definitions[inner]:
            yield from _rows(definitions, inner, f"{prefix}{name}.", flags)


def _inner(field: Mapping[str, Any]) -> str:
    """The name of the model that a field holds, by itself or in a list; empty when it holds none."""
    reference: str = field.get("$ref") or field.get("items", {}).get("$ref", "")
    return reference.rpartition("/")[2]


def _default(value: Any) -> str:
    match value:
        case None | [] | "" | {}:
            return "none"
        case dict():
            return "as below"
    return f"`{json.dumps(value)}`"


def _flags() -> dict[str, str]:
    """The flags of ``skubber serve`` by the setting they set."""
    serve = typer.main.get_command(command_line).commands["serve"]  # type: ignore[attr-defined]
    flags = {parameter.name: " / ".join([*parameter.opts, *parameter.secondary_opts]) for parameter in serve.params}
    flags["apps"] = flags.pop("app") + " ID:KEY:SECRET"
    return flags


def _attributes(kind: type) -> dict[str, str]:
    """What a class's docstring says of each of its attributes."""
    _, _, section = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    lines = re.sub(r"\n +", " ", dedent(section)).replace("``", "`").splitlines()
    pairs = (line.partition(": ") for line in lines)
    return {name: text[:1].upper() + text[1:] for name, _, text in pairs}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the table is out of date")
    parser.add_argument("file", nargs="?", type=Path, default=DOCUMENT)
    arguments = parser.parse_args()
    current = arguments.file.read_text("utf-8")
    written = with_table(current)
    if not arguments.check:
        arguments.file.write_text(written, "utf-8")
    elif written != current:
        sys.exit(f"{arguments.file} is out of date: run scripts/configuration_table.py")
