"""Minutes on their way into the database."""

from skubber.history.blocks import MOST_APPS, Blocks, decode_block
from skubber.history.sample import SERVER, Sample


def test_seconds_are_gathered_by_the_minute_and_come_out_as_they_went_in() -> None:
    blocks = Blocks()
    blocks.add(119, {SERVER: Sample(1)})
    blocks.add(120, {SERVER: Sample(2), "a": Sample(3, durations=(1, 2))})
    packed = blocks.packed()
    assert {minute: [*apps] for minute, apps in packed.items()} == {60: [SERVER], 120: [SERVER, "a"]}
    assert decode_block(packed[60][SERVER]) == {59: Sample(1)}
    assert decode_block(packed[120]["a"]) == {0: Sample(3, durations=(1, 2))}
    assert blocks.seconds(SERVER) == {119: Sample(1), 120: Sample(2)}
    blocks.forget_before(120)
    assert blocks.seconds(SERVER) == {120: Sample(2)}


def test_of_many_apps_the_busiest_are_kept_and_none_is_dropped_for_another_within_a_minute() -> None:
    blocks = Blocks()
    many = {str(number): Sample(1, published=number) for number in range(MOST_APPS + 50)}
    blocks.add(60, {SERVER: Sample(), **many})
    kept = {*blocks.packed()[60]} - {SERVER}
    assert kept == {str(number) for number in range(50, MOST_APPS + 50)}
    blocks.add(61, {SERVER: Sample(), "late": Sample(published=10**6), "50": Sample(published=3)})
    assert {*blocks.packed()[60]} - {SERVER} == kept
    assert blocks.seconds("50") == {60: many["50"], 61: Sample(published=3)}


def test_a_busy_second_takes_few_bytes() -> None:
    blocks = Blocks()
    for second in range(60):
        blocks.add(second, {SERVER: Sample(), "a": Sample(20_000, 5_000, 3_000, 500_000, 90_000_000)})
    assert len(blocks.packed()[0]["a"]) <= 60 * 28
