from benchmarks.harness.row import Comparison, Row, Target
from benchmarks.harness.table import render_table

ROWS = [
    Row("w", "fan-out", "us", Comparison([6.0, 5.0], [5.0, 5.0]), "C", Target(1.3, "at most", "ratio")),
    Row("w", "connect", "clients/s", Comparison([4321.0]), None, Target(5000, "at least", "measured")),
    Row("w", "memory", "KiB", Comparison(())),
]


def test_the_table_is_markdown_with_aligned_columns() -> None:
    assert render_table(ROWS).splitlines() == [
        "| row     | measured        | baseline | ratio | target  | reached |",
        "| ------- | --------------- | -------- | ----- | ------- | ------- |",
        "| fan-out | 5.50 us         | 5.00 (C) | 1.10x | ≤ 1.3x  | yes     |",
        "| connect | 4,321 clients/s | -        | -     | ≥ 5,000 | no      |",
        "| memory  | not measured    | -        | -     | -       | -       |",
    ]
