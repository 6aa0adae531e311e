from skubber.cli.bench.timeline import Timeline


def test_what_ended_in_the_same_part_is_counted_there() -> None:
    timeline = Timeline(0.5)
    for at in (100.0, 100.2, 101.1):
        timeline.add(at, {7: 2})
    assert [part.counts for part in timeline.parts] == [{7: 4}, {}, {7: 2}]


def test_a_long_time_has_fewer_and_longer_parts_and_loses_nothing() -> None:
    timeline = Timeline(0.25)
    for second in range(3600):
        timeline.add(second, {1: 1})
    assert len(timeline.parts) <= 240
    assert timeline.interval == 16
    assert sum(part.total for part in timeline.parts) == 3600
    assert timeline.parts[10].total == 16


def test_what_is_reported_once_in_an_interval_more_or_less_leaves_no_gap() -> None:
    timeline = Timeline(0.2)
    for number in range(200):
        timeline.add(5 + number * 0.2 + (0.04 if number % 3 else -0.04), {1: 1})
    assert {part.total for part in timeline.parts} == {1}
