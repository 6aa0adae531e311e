"""What is recorded, written, kept by the hour and read again, on a database of each kind."""

import pytest
from sqlalchemy import insert, select, text

from history.conftest import MIDNIGHT, Ward
from skubber.core.post import Answers
from skubber.history.history import Grain, HistoryReader
from skubber.history.hours import KEPT_HOURS, KEPT_SECONDS
from skubber.history.live import ask_for_live
from skubber.store import tables

HOUR = 3600


async def test_nodes_are_added_up_second_by_second(ward: Ward) -> None:
    one, other = ward.node("one"), ward.node("other")
    one.node.connect(one.app, "1.1")
    other.node.connect(other.app, "1.2")
    for second in range(3):
        ward.now = MIDNIGHT + second + 1
        one.publish(1)
        other.publish(second)
        one.recorder.take()
        other.recorder.take()
    await one.recorder.write(ward.database)
    await other.recorder.write(ward.database)
    history = await ward.reader.read(Grain.SECOND, ward.now)
    assert (history.grain, len(history.at)) == (1, KEPT_SECONDS)
    assert history.at[-3:] == [MIDNIGHT, MIDNIGHT + 1, MIDNIGHT + 2]
    assert history.published[-4:] == [None, 1, 2, 3]
    assert history.connections[-4:] == [None, 2, 2, 2]
    assert history.p50_ms[-1] is None
    of_app = await ward.reader.read(Grain.SECOND, ward.now, "4711")
    assert of_app.published[-4:] == [None, 1, 2, 3]
    assert of_app.slow_consumers[-1] is None


async def test_an_app_that_did_nothing_while_a_node_ran_shows_nothing_done(ward: Ward) -> None:
    node = ward.node("one")
    ward.now = MIDNIGHT + 1
    node.recorder.take()
    await node.recorder.write(ward.database)
    history = await ward.reader.read(Grain.SECOND, ward.now, "4711")
    assert history.published[-2:] == [None, 0]


async def test_a_second_that_is_missing_is_a_hole(ward: Ward) -> None:
    node = ward.node("one")
    for at in (1, 2, 5):
        ward.now = MIDNIGHT + at
        node.publish(1)
        node.recorder.take()
    node.recorder.take()  # again within the same second
    await node.recorder.write(ward.database)
    history = await ward.reader.read(Grain.SECOND, ward.now)
    assert history.published[-5:] == [1, 1, None, None, 1]


async def test_what_is_not_written_yet_is_asked_for(ward: Ward) -> None:
    node = ward.node("one")
    await node.recorder.start(ward.database)
    try:
        ward.now = MIDNIGHT + 1
        node.publish(1)
        node.recorder.take()
        await node.recorder.write(ward.database)
        ward.now += 1
        node.publish(5)
        node.recorder.take()
        assert (await ward.reader.read(Grain.SECOND, ward.now)).published[-2:] == [1, None]
        reader = HistoryReader(ward.database, node.broker.post)
        assert (await reader.read(Grain.SECOND, ward.now)).published[-2:] == [1, 5]
        live = await ask_for_live(node.broker.post)
        assert (live.at, live.nodes, live.published) == (MIDNIGHT + 1, 1, 5)
        of_app = await ask_for_live(node.broker.post, "4711")
        assert (of_app.published, of_app.slow_consumers, of_app.webhooks_waiting) == (5, None, None)
        assert (await ask_for_live(node.broker.post, "other")).published == 0
    finally:
        await node.recorder.stop()
    assert await node.broker.post.ask_all("history-live", b"", 1) == Answers()
    assert (await ward.reader.read(Grain.SECOND, ward.now)).published[-2:] == [1, 5]


async def test_a_write_that_failed_is_made_up_for(ward: Ward) -> None:
    node = ward.node("one")
    ward.now = MIDNIGHT + 59
    node.publish(1)
    node.recorder.take()
    async with ward.database.writing() as connection:
        await connection.execute(text("ALTER TABLE history_seconds RENAME TO away"))
    with pytest.raises(Exception, match="history_seconds"):
        await node.recorder.write(ward.database)
    async with ward.database.writing() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO history_seconds"))
    ward.now = MIDNIGHT + 62
    node.recorder.take()
    await node.recorder.write(ward.database)
    assert (await ward.reader.read(Grain.SECOND, ward.now)).published[-4:] == [1, None, None, 0]


async def test_waiting_webhooks_are_told_of_once_the_database_was_asked(ward: Ward) -> None:
    async with ward.database.writing() as connection:
        await connection.execute(
            insert(tables.webhook_events).values(
                endpoint_id="hook", app_id="4711", time_ms=MIDNIGHT * 1000, body="{}", attempts=0
            )
        )
    node = ward.node("one")
    ward.now = MIDNIGHT + 1
    node.recorder.take()
    await node.recorder.write(ward.database)
    ward.now = MIDNIGHT + 2
    node.recorder.take()
    await node.recorder.write(ward.database)
    history = await ward.reader.read(Grain.SECOND, ward.now)
    assert history.webhooks_waiting[-2:] == [None, 1]
    assert history.webhook_lag_ms[-1] == 2000


async def record_hour(ward: Ward, name: str, start: int, published: int, clients: int) -> None:
    """Two seconds in an hour, with clients and a number of publishes each, by a node that ends then."""
    node = ward.node(name)
    for number in range(clients):
        node.node.connect(node.app, f"1.{number}")
    for second in (10, 70):
        ward.now = start + second + 1
        node.publish(published)
        node.recorder.take()
        await node.recorder.write(ward.database)


async def test_an_hour_is_the_sum_and_the_peak_of_its_seconds_whoever_recorded_them(ward: Ward) -> None:
    await record_hour(ward, "one", MIDNIGHT, 1, 2)
    await record_hour(ward, "other", MIDNIGHT, 2, 3)
    # Started anew within the hour: what it had before does not come on top.
    await record_hour(ward, "restarted", MIDNIGHT + 600, 10, 4)
    running = await ward.reader.read(Grain.HOUR, ward.now)
    assert (running.grain, len(running.at)) == (HOUR, KEPT_HOURS)
    assert (running.at[-1], running.published[-2:], running.connections[-1]) == (MIDNIGHT, [None, 26], 5)
    await record_hour(ward, "next", MIDNIGHT + HOUR, 0, 1)
    kept = await ward.reader.read(Grain.HOUR, ward.now)
    assert kept.at[-2:] == [MIDNIGHT, MIDNIGHT + HOUR]
    assert (kept.published[-3:], kept.connections[-2:]) == ([None, 26, 0], [5, 1])
    of_app = await ward.reader.read(Grain.HOUR, ward.now, "4711")
    assert (of_app.published[-3:], of_app.connections[-2:]) == ([None, 26, 0], [5, 1])
    assert of_app.webhooks_waiting[-1] is None


async def stored(ward: Ward) -> tuple[set[int], set[int]]:
    """When the minutes and the hours begin that are in the database."""
    async with ward.database.reading() as connection:
        minutes = await connection.execute(select(tables.history_seconds.c.minute))
        hours = await connection.execute(select(tables.history_hours.c.hour))
        return {*minutes.scalars()}, {*hours.scalars()}


async def test_seconds_go_after_an_hour_or_two_and_hours_after_a_month(ward: Ward) -> None:
    await record_hour(ward, "one", MIDNIGHT, 1, 1)
    assert await stored(ward) == ({MIDNIGHT, MIDNIGHT + 60}, set())
    await record_hour(ward, "two", MIDNIGHT + 2 * HOUR, 1, 1)
    minutes, hours = await stored(ward)
    assert minutes == {MIDNIGHT + 2 * HOUR, MIDNIGHT + 2 * HOUR + 60}
    assert hours == {MIDNIGHT}
    await record_hour(ward, "three", MIDNIGHT + (KEPT_HOURS + 1) * HOUR, 1, 1)
    assert (await stored(ward))[1] == {MIDNIGHT + 2 * HOUR}
    history = await ward.reader.read(Grain.HOUR, ward.now)
    assert (history.at[0], history.published[0], history.published[-1]) == (MIDNIGHT + 2 * HOUR, 2, 2)
    assert {*history.published[1:-1]} == {None}
