"""The result for people: tables, and plots of blocks, in a terminal or as an SVG."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from skubber.cli.bench.plots import histogram, over_time
from skubber.cli.bench.result import Quantiles, Result

_SVG_WIDTH = 100

# rich's drawing would have a browser fetch a font from another site.
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def draw(result: Result, console: Console) -> None:
    """Print everything."""
    console.print(_drawn(result, console.width))


def save_svg(result: Result, file: Path) -> None:
    """Write the same as an SVG that fetches nothing.

    Raises:
        OSError: it cannot be written.
    """
    console = Console(
        record=True,
        file=io.StringIO(),
        width=_SVG_WIDTH,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    draw(result, console)
    file.write_text(_FONT_FACE.sub("", console.export_svg(title="skubber bench")), "utf-8")


def _drawn(result: Result, width: int) -> RenderableType:
    inner = width - 4
    parts: list[RenderableType] = [_head(result), _latencies(result), _figures(result)]
    if result.histogram:
        parts.append(Panel(histogram(result.histogram, inner), title="Delivery latency", title_align="left"))
    if len(result.timeline) > 1:
        title = "Delivery latency in the course of time"
        parts.append(Panel(over_time(result.timeline, inner), title=title, title_align="left"))
    parts += _sentences(result)
    return Group(*parts)


def _head(result: Result) -> Text:
    asked = result.asked
    rate = f"{asked.rate:,g} messages/s" if asked.rate else "as many messages as it answers"
    return Text(
        f"{asked.url}\n{asked.connections:,} {asked.protocol} clients, {_plural(asked.channels, 'channel')}, "
        f"{_plural(asked.publishers, 'publisher')}, {rate} of {asked.size:,} bytes, {asked.seconds:g} s"
    )


def _latencies(result: Result) -> Table:
    table = Table("", *(f"{name}" for name in ("per second", "p50", "p90", "p99", "max")), header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    connecting, publishing, delivery = result.connecting, result.publishing, result.delivery
    table.add_row("connected and subscribed", f"{connecting.per_second:,.0f}")
    table.add_row("published (HTTP answer)", f"{publishing.per_second:,.0f}", *_cells(publishing.latency))
    table.add_row("delivered", f"{delivery.per_second:,.0f}", *_cells(delivery.latency), style="bold")
    return table


def _cells(latency: Quantiles) -> Iterator[str]:
    for value in (latency.p50, latency.p90, latency.p99, latency.max):
        yield "-" if value is None else f"{value:,.2f} ms"


def _figures(result: Result) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value, style in _rows(result):
        table.add_row(name, Text(value, style))
    return table


def _rows(result: Result) -> Iterator[tuple[str, str, str]]:
    delivery, generator = result.delivery, result.generator
    yield "deliveries", f"{delivery.received:,}", ""
    amiss = (delivery.lost, delivery.duplicated, delivery.reordered)
    said = f"{delivery.lost:,} lost, {delivery.duplicated:,} repeated, {delivery.reordered:,} out of order"
    yield "of them", said, "bold red" if any(amiss) else "green"
    yield (
        "load generator",
        f"{generator.subscribers_cpu:.0%} of a processor to receive, {generator.publishers_cpu:.0%} to publish"
        + ("" if generator.loop_delay is None else f", p99 of its own delay {generator.loop_delay:.1f} ms"),
        "",
    )
    served = result.server
    if served is not None:
        cpu = "" if served.cpu is None else f"{served.cpu:.0%} of a processor"
        memory = (
            "" if served.bytes_per_connection is None else f"{served.bytes_per_connection / 1024:.1f} KiB a connection"
        )
        yield "server", ", ".join(filter(None, (cpu, memory))), ""


def _sentences(result: Result) -> Iterator[Text]:
    for finding in result.findings:
        yield Text(f"wrong    {finding}", "bold red")
    for warning in result.warnings:
        yield Text(f"warning  {warning}", "yellow")
    if result.is_interrupted:
        yield Text("Ended before its time: this is what was measured so far.", "yellow")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
