"""The grace period, over a database that several processes share."""

import asyncio
import json

import pytest
from sqlalchemy import select

from skubber.core.errors import UnavailableError
from skubber.core.presence import PresenceMember
from skubber.core.webhook import WebhookEvent, WebhookEventName
from skubber.store import tables
from skubber.webhooks.departures import GRACE_SECONDS, Departures, write, write_rows
from skubber.webhooks.happening import happening
from skubber.webhooks.queue import WebhookQueue
from support.apps import other_app
from support.node import Node
from support.slow_broker import SlowBroker
from webhooks.post_office import PostOffice

OCCUPIED, VACATED = WebhookEventName.CHANNEL_OCCUPIED, WebhookEventName.CHANNEL_VACATED
ADDED, REMOVED = WebhookEventName.MEMBER_ADDED, WebhookEventName.MEMBER_REMOVED
COUNT = WebhookEventName.SUBSCRIPTION_COUNT

LATE = 2 * GRACE_SECONDS


class Telling:
    """Two processes, and what is told. Which of them looks for what is due makes no difference."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office
        self._processes = [office.queue, WebhookQueue(office.apps, office.clock)]
        office.endpoint("http://a/")

    async def happens(
        self, name: WebhookEventName, user_id: str | None = None, channel: str = "c", *, process: int = 0, app: str = ""
    ) -> None:
        """Let something happen on a process, and be written."""
        queue = self._processes[process]
        queue(app or self._office.app.id, WebhookEvent(name, channel, user_id))
        await queue._write_all(self._office.database, lambda _: None)

    async def pass_time(self, seconds: float = GRACE_SECONDS) -> list[tuple[str, ...]]:
        """Let time pass and look for what is due; returns all that is told, in order."""
        self._office.now += seconds
        await self._office.departures.tell_due()
        return await self.told()

    async def told(self) -> list[tuple[str, ...]]:
        events = tables.webhook_events
        async with self._office.database.reading() as connection:
            bodies = (await connection.execute(select(events.c.body).order_by(events.c.id))).scalars()
            told = [json.loads(body) for body in bodies]
        return [tuple(event[part] for part in ("name", "channel", "user_id") if part in event) for event in told]

    async def waiting(self) -> int:
        async with self._office.database.reading() as connection:
            return len((await connection.execute(select(tables.webhook_departures.c.id))).all())


@pytest.fixture
def telling(office: PostOffice) -> Telling:
    return Telling(office)


async def test_what_comes_is_told_at_once(telling: Telling) -> None:
    names = [OCCUPIED, ADDED, WebhookEventName.CLIENT_EVENT, WebhookEventName.CACHE_MISS]
    for name in names:
        await telling.happens(name)
    assert [name for name, *_ in await telling.told()] == names


async def test_what_goes_is_told_three_seconds_later(telling: Telling) -> None:
    await telling.happens(VACATED)
    assert await telling.pass_time(GRACE_SECONDS - 1) == []
    assert await telling.pass_time(1) == [(VACATED, "c")]
    assert await telling.pass_time(LATE) == [(VACATED, "c")]
    assert await telling.waiting() == 0


@pytest.mark.parametrize("process", [0, 1])
async def test_who_is_back_was_never_gone_whichever_process_they_come_to(telling: Telling, process: int) -> None:
    await telling.happens(REMOVED, "u")
    await telling.happens(VACATED)
    await telling.pass_time(GRACE_SECONDS - 1)
    await telling.happens(OCCUPIED, process=process)
    await telling.happens(ADDED, "u", process=process)
    assert await telling.pass_time(LATE) == []
    assert await telling.waiting() == 0


async def test_what_comes_and_goes_before_it_is_written_comes_to_the_same(telling: Telling, office: PostOffice) -> None:
    await telling.happens(REMOVED, "u")
    for name, user in [(ADDED, "u"), (REMOVED, "u"), (ADDED, "u"), (ADDED, "v"), (REMOVED, "v"), (REMOVED, "w")]:
        office.queue(office.app.id, WebhookEvent(name, "c", user))
    await telling.happens(ADDED, "w")
    assert await telling.pass_time() == [(ADDED, "c", "v"), (REMOVED, "c", "v")]


async def test_who_is_back_too_late_was_gone(telling: Telling) -> None:
    await telling.happens(VACATED)
    await telling.pass_time()
    await telling.happens(OCCUPIED, process=1)
    assert await telling.told() == [(VACATED, "c"), (OCCUPIED, "c")]


async def test_somebody_else_is_not_who_was_gone(telling: Telling, office: PostOffice) -> None:
    other = other_app()
    other.webhooks = office.app.webhooks
    office.apps._by_id[other.id] = other
    await telling.happens(REMOVED, "u")
    await telling.happens(ADDED, "v")
    await telling.happens(ADDED, "u", "d")
    await telling.happens(ADDED, "u", app=other.id)
    assert await telling.pass_time() == [(ADDED, "c", "v"), (ADDED, "d", "u"), (ADDED, "c", "u"), (REMOVED, "c", "u")]


async def test_one_who_goes_again_waits_anew(telling: Telling) -> None:
    await telling.happens(VACATED)
    await telling.pass_time(GRACE_SECONDS - 1)
    await telling.happens(OCCUPIED, process=1)
    await telling.happens(VACATED, process=1)
    assert await telling.pass_time(GRACE_SECONDS - 1) == []
    assert await telling.pass_time(1) == [(VACATED, "c")]


async def test_members_are_removed_in_order_and_before_their_channel_is_vacated(
    telling: Telling, office: PostOffice
) -> None:
    users = [f"u{number}" for number in range(30)]
    for user in users[:20]:
        office.queue(office.app.id, WebhookEvent(REMOVED, "c", user))
    await telling.happens(REMOVED, users[20])
    for user in users[21:]:
        await telling.happens(REMOVED, user, process=1)
    await telling.happens(VACATED, process=1)
    assert await telling.pass_time() == [*((REMOVED, "c", user) for user in users), (VACATED, "c")]


async def test_what_makes_an_event_untold_need_not_be_wanted_itself(telling: Telling, office: PostOffice) -> None:
    (endpoint,) = office.app.webhooks
    office.app.webhooks = ()
    office.endpoint(endpoint.url, events=frozenset({OCCUPIED, REMOVED}))
    await telling.happens(VACATED)
    await telling.happens(REMOVED, "u")
    await telling.happens(OCCUPIED, process=1)
    await telling.happens(ADDED, "u", process=1)
    assert await telling.pass_time(LATE) == []
    await telling.happens(COUNT)
    await telling.happens(OCCUPIED)
    await telling.happens(REMOVED, "u")
    assert await telling.pass_time() == [(OCCUPIED, "c"), (REMOVED, "c", "u")]


async def test_a_departure_that_its_arrival_has_overtaken_is_never_told(telling: Telling, office: PostOffice) -> None:
    Node(broker=office.broker)
    await office.broker.subscribe(office.app.id, "c")
    await office.broker.join(office.app.id, "c", "1.1", PresenceMember("u"), 100)
    await telling.happens(OCCUPIED, process=1)
    await telling.happens(ADDED, "u", process=1)
    for name, user in [(VACATED, None), (REMOVED, "u"), (REMOVED, "v")]:
        await telling.happens(name, user)
    told = [(OCCUPIED, "c"), (ADDED, "c", "u"), (REMOVED, "c", "v")]
    assert await telling.pass_time() == told
    assert await telling.waiting() == 2  # the arrivals could be on their way
    assert await telling.pass_time() == told
    assert await telling.waiting() == 0


async def test_while_nobody_can_say_who_is_there_departures_wait(telling: Telling, office: PostOffice) -> None:
    broker = SlowBroker()
    departures = Departures(office.database, office.apps, broker, office.clock)
    await telling.happens(VACATED)
    office.now += LATE
    broker.fail("occupancy")
    with pytest.raises(UnavailableError):
        await departures.tell_due()
    assert await telling.told() == []
    assert await telling.pass_time(0) == [(VACATED, "c")]


async def test_several_processes_that_look_at_once_tell_it_once(telling: Telling, office: PostOffice) -> None:
    users = [f"u{number}" for number in range(50)]
    for user in users:
        office.queue(office.app.id, WebhookEvent(REMOVED, "c", user))
    await telling.happens(VACATED)
    office.now += GRACE_SECONDS
    others = [Departures(office.database, office.apps, office.broker, office.clock) for _ in range(3)]
    await asyncio.gather(*(each.tell_due() for each in others))
    assert await telling.told() == [*((REMOVED, "c", user) for user in users), (VACATED, "c")]


async def test_the_only_server_there_is_tells_all_before_it_ends(telling: Telling, office: PostOffice) -> None:
    await telling.happens(REMOVED, "u")
    await telling.happens(VACATED)
    assert await office.departures.tell_all() == ["hook"]
    assert await telling.told() == [(REMOVED, "c", "u"), (VACATED, "c")]
    assert await telling.waiting() == 0


async def test_what_is_written_first_is_committed_first(telling: Telling, office: PostOffice) -> None:
    """Or else those who deliver would see the second, send it, and find the first too late."""

    def event(channel: str) -> WebhookEvent:
        return WebhookEvent(OCCUPIED, channel)

    await telling.happens(OCCUPIED, channel="known")
    async with office.database.writing() as connection:
        await write_rows(connection, [happening(office.app.id, 0, event("first"), ("hook",))])

        async def write_second() -> None:
            async with office.database.writing() as another:
                await write(another, [happening(office.app.id, 0, event("second"), ("hook",))])

        second = asyncio.create_task(write_second())
        # It has all the time that it would need if nothing kept it.
        done, _ = await asyncio.wait([second], timeout=0.5)
        assert done == set()
    await second
    assert [channel for _, channel in await telling.told()] == ["known", "first", "second"]
