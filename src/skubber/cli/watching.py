"""Showing figures again and again, with what they grow by in a second."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from skubber.cli.administering import show_table
from skubber.cli.common import fail


class UnreadableError(Exception):
    """Whoever has the figures cannot be asked right now; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One app's figures.

    Attributes:
        app_id: the app.
        cells: what is shown, besides the app.
        counters: numbers that only grow, but for the midnight that has them begin anew.
    """

    app_id: str
    cells: Sequence[object]
    counters: Sequence[int]


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of all apps at a moment.

    Attributes:
        result: what they come from.
        head: what the columns are called, the app's among them.
        rate_head: what the columns are called of what counters grow by in a second.
        rows: the figures.
        at: when they were read, seconds of a clock that only goes forward.
    """

    result: msgspec.Struct
    head: Sequence[str]
    rate_head: Sequence[str]
    rows: Sequence[Row]
    at: float


def with_rates(reading: Reading, earlier: Reading | None) -> list[list[object]]:
    """The rows as they are shown: app, figures, and what each counter grew by in a second since an earlier reading."""
    before = {} if earlier is None else {row.app_id: row.counters for row in earlier.rows}
    return [
        [
            row.app_id,
            *row.cells,
            *_rates(row.counters, before.get(row.app_id), reading.at - earlier.at if earlier else 0),
        ]
        for row in reading.rows
    ]


def _rates(now: Sequence[int], before: Sequence[int] | None, seconds: float) -> list[str]:
    if before is None or seconds <= 0:
        return ["-"] * len(now)
    # What is less than it was has begun anew.
    grown = [new - old if new >= old else new for new, old in zip(now, before, strict=True)]
    return [f"{number / seconds:.1f}" for number in grown]


def watch(read: Callable[[], Reading], interval: float, count: int, json: bool) -> None:
    """Show figures until Ctrl-C: in a terminal always in the same place, elsewhere one table below the other.

    Args:
        read: reads them; raises ``UnreadableError``, which is waited out unless it is the first time.
        interval: seconds between two readings.
        count: how often they are shown; 0 for ever.
        json: print what they come from instead, one line each time.
    """
    try:
        if json or not sys.stdout.isatty():
            for reading, earlier, trouble in _readings(read, interval, count):
                _print(reading, earlier, trouble, json)
            return
        with Live(auto_refresh=False) as live:
            for reading, earlier, trouble in _readings(read, interval, count):
                live.update(drawn(reading, earlier, trouble), refresh=True)
    except UnreadableError as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _readings(
    read: Callable[[], Reading], interval: float, count: int
) -> Iterator[tuple[Reading, Reading | None, str]]:
    """Each reading with the one before it; where there is none to be had, the last one and why."""
    reading, earlier = read(), None
    yield reading, earlier, ""
    number = 1
    while number != count:
        time.sleep(interval)
        number += 1
        try:
            reading, earlier = read(), reading
        except UnreadableError as error:
            yield reading, earlier, str(error)
        else:
            yield reading, earlier, ""


def _print(reading: Reading, earlier: Reading | None, trouble: str, json: bool) -> None:
    if trouble:
        print(f"skubber: {trouble}", file=sys.stderr, flush=True)
    elif json:
        print(msgspec.json.encode(reading.result).decode(), flush=True)
    else:
        print(_now())
        show_table((*reading.head, *reading.rate_head), with_rates(reading, earlier))
        print(flush=True)


def drawn(reading: Reading, earlier: Reading | None, trouble: str = "") -> Table:
    """The table as it is in a terminal.

    Args:
        reading: the figures.
        earlier: those before, which rates are made from.
        trouble: why there are no newer ones, if so.
    """
    table = Table(title=_now(), caption=Text(trouble or "Ctrl-C ends."), caption_style="bold red" if trouble else "dim")
    for number, name in enumerate((*reading.head, *reading.rate_head)):
        table.add_column(
            name, justify="right" if number else "left", style="bold" if name in reading.rate_head else None
        )
    for row in with_rates(reading, earlier):
        table.add_row(*(Text(str(cell)) for cell in row))  # a name may look like markup
    return table


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
