"""What the scripts have in common that write the pages of docs/reference: how they run, and pieces of Markdown."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"


def write(script: str, name: str, title: str, body: Callable[[], Iterable[str]]) -> None:
    """Write a page, or with ``--check`` end with status 1 when it is not what it should be.

    Args:
        script: the path of the script that runs.
        name: the page's file name.
        title: its heading.
        body: makes its paragraphs; those that are empty are left out.
    """
    parser = argparse.ArgumentParser(description=f"Writes docs/reference/{name} from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is out of date")
    parser.add_argument("file", nargs="?", type=Path, default=REFERENCE / name)
    arguments = parser.parse_args()
    origin = f"scripts/{Path(script).name}"
    page = "\n\n".join([f"<!-- written by {origin} -->", f"# {title}", *filter(None, body())]) + "\n"
    file: Path = arguments.file
    if not arguments.check:
        file.write_text(page, "utf-8")
    elif not file.exists() or file.read_text("utf-8") != page:
        sys.exit(f"{file} is out of date: run {origin}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty when it has no rows."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if cells else ""


def prose(text: str) -> str:
    """A docstring's text as Markdown: what it calls code is code, and its paragraphs are one line each."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("``", "`").split("\n\n"))


def fenced(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"
