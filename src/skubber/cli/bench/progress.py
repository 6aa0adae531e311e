"""How it goes, while it goes, in a terminal."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from skubber.cli.bench.measurement import Measurement, Phase

_INTERVAL = 0.25


@contextlib.asynccontextmanager
async def show_progress(measurement: Measurement, console: Console) -> AsyncIterator[None]:
    """Show a measurement's progress in a line that is gone when the body has ended."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        showing = asyncio.create_task(_show(measurement, progress))
        try:
            yield
        finally:
            showing.cancel()


async def _show(measurement: Measurement, progress: Progress) -> None:
    phase, begin = measurement.phase, time.monotonic()
    bar = progress.add_task(phase, total=1, said="")
    while True:
        if measurement.phase is not phase:
            phase, begin = measurement.phase, time.monotonic()
        done, said = _state(measurement, time.monotonic() - begin)
        progress.update(bar, description=phase, completed=done, said=said)
        progress.refresh()
        await asyncio.sleep(_INTERVAL)


def _state(measurement: Measurement, seconds: float) -> tuple[float, str]:
    """How much of the phase is done, from 0 to 1, and what is to be said of it."""
    tally, asked = measurement.tally, measurement.asked
    if measurement.phase is Phase.CONNECTING:
        share = tally.connected / asked.connections
        return share, f"{tally.connected:,} of {asked.connections:,} clients"
    recent = tally.recent()
    p99 = recent.percentile(0.99)
    said = f"{recent.total:,} deliveries/s" + ("" if p99 is None else f"  p99 {p99:.1f} ms")
    if measurement.phase is Phase.PUBLISHING:
        return min(1, seconds / asked.seconds), said
    return 1, said
