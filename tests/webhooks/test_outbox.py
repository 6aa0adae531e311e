"""What waits, as those who deliver it see it."""

import pytest
from sqlalchemy import update

from skubber.store import tables
from skubber.store.attempts import Attempt, list_attempts
from skubber.webhooks.outbox import (
    DEAD_LETTER_SECONDS,
    HOPELESS_FAILURES,
    MAX_BACKOFF_SECONDS,
    MIN_ATTEMPTS,
    Outbox,
    _backoff,
)
from support.deliveries import endpoint_status, list_dead_letters
from webhooks.post_office import LEASE_SECONDS, RETRY_PERIOD, PostOffice


@pytest.fixture
def one(office: PostOffice) -> Outbox:
    """One process."""
    office.endpoint("http://a/")
    return office.outbox("one")


@pytest.fixture
def other(office: PostOffice) -> Outbox:
    """Another process."""
    return office.outbox("other")


async def test_one_process_at_a_time_has_the_lease(office: PostOffice, one: Outbox, other: Outbox) -> None:
    await office.written("a", "b")
    assert await other.due(10) == ["hook"]
    waiting = await one.lease("hook")
    assert [event.app_id for event in waiting] == [office.app.id] * 2
    assert (await other.lease("hook"), await other.due(10)) == ((), [])
    assert len(await one.delivered("hook", waiting[:1], "200")) == 1
    assert await other.lease("hook") == ()
    assert await one.delivered("hook", waiting[1:], "200") == []
    await office.written("c")
    assert len(await other.lease("hook")) == 1


async def test_a_lease_ends_by_itself_when_its_holder_was_killed(
    office: PostOffice, one: Outbox, other: Outbox
) -> None:
    await office.written("a")
    assert len(await one.lease("hook")) == 1
    office.now += LEASE_SECONDS - 1
    assert await other.lease("hook") == ()
    office.now += 1
    assert await other.due(10) == ["hook"]
    assert len(await other.lease("hook")) == 1


async def test_who_was_late_and_lost_the_lease_changes_nothing(office: PostOffice, one: Outbox, other: Outbox) -> None:
    await office.written("a", "b")
    waiting = await one.lease("hook")
    office.now += LEASE_SECONDS
    await other.lease("hook")
    assert await one.delivered("hook", waiting, "200") == ()
    await one.failed("hook", waiting, "too late")
    await one.postpone("hook", 60)
    await one.release_all()
    assert await office.waiting() == ["a", "b"]
    assert (await office.state()).holder == "other"
    assert (await office.state()).failures == 0


async def test_leases_end_when_the_process_does(office: PostOffice, one: Outbox, other: Outbox) -> None:
    await office.written("a")
    await one.lease("hook")
    await one.release_all()
    assert len(await other.lease("hook")) == 1


async def test_a_failure_is_waited_out_by_every_process(office: PostOffice, one: Outbox, other: Outbox) -> None:
    await office.written("a")
    retry_at = await one.failed("hook", await one.lease("hook"), "no")
    assert retry_at >= office.now + 1
    assert (await other.due(10), await other.lease("hook")) == ([], ())
    office.now = retry_at
    assert await other.due(10) == ["hook"]
    status = await endpoint_status(office.database, "hook")
    assert (status.waiting, status.failures, status.last_outcome) == (1, 1, "no")
    await other.delivered("hook", await other.lease("hook"), "200")
    status = await endpoint_status(office.database, "hook")
    assert (status.waiting, status.failures, status.retry_at, status.last_outcome) == (0, 0, 0, "200")
    assert status.last_attempt_at == office.now


@pytest.mark.parametrize(("failures", "most"), [(1, 1), (2, 2), (4, 8), (7, 60), (500, 60)])
def test_attempts_come_ever_more_seldom_and_at_random_times(failures: int, most: int) -> None:
    delays = [_backoff(failures) for _ in range(200)]
    assert all(0 <= delay <= most for delay in delays)
    assert min(delays) < 0.3 * most
    assert max(delays) > 0.7 * most
    assert most <= MAX_BACKOFF_SECONDS


async def fail(office: PostOffice, outbox: Outbox, count: int = 100) -> None:
    waiting = await outbox.lease("hook")
    office.now = await outbox.failed("hook", waiting[:count], "The answer was 500.")


async def test_what_is_tried_for_too_long_becomes_a_dead_letter(office: PostOffice, one: Outbox) -> None:
    await office.written("a")
    for _ in range(MIN_ATTEMPTS):
        await fail(office, one)
    assert await office.waiting() == ["a"]
    office.now += RETRY_PERIOD
    await office.written("young")
    await fail(office, one)
    assert await office.waiting() == ["young"]
    [letter] = await list_dead_letters(office.database, "hook")
    assert (letter.attempts, letter.error) == (MIN_ATTEMPTS + 1, "The answer was 500.")


async def test_what_is_old_is_still_tried_more_than_once(office: PostOffice, one: Outbox) -> None:
    await office.written("a")
    office.now += 10 * RETRY_PERIOD
    for _ in range(MIN_ATTEMPTS - 1):
        await fail(office, one)
    assert await office.waiting() == ["a"]
    await fail(office, one)
    assert await office.waiting() == []


async def test_what_waits_behind_a_dead_letter_has_its_own_turn(office: PostOffice, one: Outbox) -> None:
    await office.written("poison", "good")
    office.now += RETRY_PERIOD + 1
    for _ in range(MIN_ATTEMPTS):
        await fail(office, one, count=1)
    assert await office.waiting() == ["good"]


async def test_a_hopeless_endpoint_gives_up_all_that_is_old(office: PostOffice, one: Outbox) -> None:
    await office.written("a", "b")
    async with office.database.writing() as connection:
        await connection.execute(update(tables.webhook_endpoints).values(failures=HOPELESS_FAILURES - 1))
    office.now += RETRY_PERIOD + 1
    await office.written("young")
    await fail(office, one, count=1)
    assert await office.waiting() == ["young"]


async def test_dead_letters_are_kept_for_thirty_days(office: PostOffice, one: Outbox) -> None:
    await office.written("a")
    office.now += RETRY_PERIOD + 1
    for _ in range(MIN_ATTEMPTS):
        await fail(office, one)
    await office.written("b")
    office.now += DEAD_LETTER_SECONDS - 10
    await fail(office, one)
    assert len(await list_dead_letters(office.database, "hook")) == 1
    office.now += 20
    await fail(office, one)
    assert [letter.event for letter in await list_dead_letters(office.database, "hook")] == []


async def test_those_that_are_due_the_longest_come_first(office: PostOffice, one: Outbox) -> None:
    for name in ("x", "y", "z"):
        office.endpoint("http://a/", name)
    await office.written("a")
    for number, name in enumerate(["y", "z", "x"]):
        await one.lease(name)
        await one.postpone(name, 10 + number)
    office.now += 20
    assert await one.due(3) == ["hook", "y", "z"]


async def test_each_attempt_is_written_down_with_how_it_went(office: PostOffice, one: Outbox) -> None:
    await office.written("a", "b")
    retry_at = await one.failed("hook", await one.lease("hook"), "No.", 7)
    first_at, office.now = int(office.now), retry_at
    await one.delivered("hook", (await one.lease("hook"))[:1], "Yes.", 10, 8)
    async with office.database.reading() as connection:
        attempts = await list_attempts(connection, "hook", limit=10)
    names = ["channel_occupied"]
    assert attempts == [
        (2, Attempt(retry_at, True, "Yes.", 8, 1, names)),
        (1, Attempt(first_at, False, "No.", 7, 2, names)),
    ]


async def test_an_attempt_of_who_has_lost_the_lease_is_not_written_down(
    office: PostOffice, one: Outbox, other: Outbox
) -> None:
    await office.written("a")
    waiting = await one.lease("hook")
    office.now += LEASE_SECONDS
    await other.lease("hook")
    await one.delivered("hook", waiting, "Yes.")
    await one.failed("hook", waiting, "No.")
    async with office.database.reading() as connection:
        assert await list_attempts(connection, "hook", limit=10) == []
