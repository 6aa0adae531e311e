"""Writes docs/reference/command-line.md, from the commands and their options.

python scripts/command_line_reference.py [--check] [FILE]
"""

from collections.abc import Iterator
from typing import Any

import typer

from reference_page import fenced, prose, table, write
from skubber.cli import main as command_line

_INTRODUCTION = """\
`skubber COMMAND --help` says the same of one command. The commands that administer work on the database that the
settings name: see [administration](../administration.md). What they cannot do they say in a sentence, and end with
status 2; a command that asked first and was told no ends with 1."""


def body() -> Iterator[str]:
    """The page's paragraphs: every command, those of a group after it."""
    yield _INTRODUCTION
    root = typer.main.get_command(command_line)
    yield from _commands(root, "skubber")


def _commands(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        full = f"{path} {name}"
        yield f"## `{full}`" if path == "skubber" else f"### `{full}`"
        yield prose(command.help)
        if hasattr(command, "commands"):
            yield from _commands(command, full)
        else:
            yield from _usage(command, full)


def _usage(command: Any, path: str) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    yield fenced("text", " ".join([path, *map(_argument_name, arguments), "[OPTIONS]"]))
    rows = [(f"`{_argument_name(each)}`", _meaning(each)) for each in arguments]
    rows += [(f"`{_option_name(each)}`", _meaning(each)) for each in options]
    yield table(("Argument or option", "Meaning"), rows)


def _argument_name(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _option_name(option: Any) -> str:
    names = " / ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    return f"{names} {option.metavar or option.name.upper()}"


def _meaning(parameter: Any) -> str:
    environment = getattr(parameter, "envvar", None)
    return f"{parameter.help}{f' Also `{environment}`.' if environment else ''}"


if __name__ == "__main__":
    write(__file__, "command-line.md", "Command line", body)
