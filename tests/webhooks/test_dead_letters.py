"""What could not be delivered, and what a person may do about it."""

import json

from skubber.store.deliveries import Backlog, EndpointStatus
from skubber.webhooks.outbox import MIN_ATTEMPTS
from support.deliveries import (
    backlog,
    delete_dead_letters,
    endpoint_status,
    forget_endpoint,
    list_dead_letters,
    replay_dead_letters,
)
from webhooks.post_office import RETRY_PERIOD, PostOffice


async def dead(office: PostOffice, *channels: str, endpoint_id: str = "hook") -> list[int]:
    """Have events on channels become dead letters."""
    office.endpoint("http://a/", endpoint_id)
    await office.written(*channels)
    office.now += RETRY_PERIOD + 1
    outbox = office.outbox("one")
    for _ in range(MIN_ATTEMPTS):
        office.now = await outbox.failed(endpoint_id, await outbox.lease(endpoint_id), "The answer was 500.")
    office.app.webhooks = ()
    return [letter.id for letter in await list_dead_letters(office.database, endpoint_id)]


async def test_they_are_listed_a_page_at_a_time(office: PostOffice) -> None:
    ids = await dead(office, "a", "b", "c")
    first = await list_dead_letters(office.database, "hook", limit=2)
    rest = await list_dead_letters(office.database, "hook", after=first[-1].id, limit=2)
    assert [json.loads(letter.event)["channel"] for letter in [*first, *rest]] == ["a", "b", "c"]
    assert [letter.id for letter in [*first, *rest]] == ids
    assert first[0].app_id == office.app.id
    assert first[0].time_ms < first[0].dead_at * 1000
    assert await list_dead_letters(office.database, "other") == []


async def test_they_are_replayed_in_order_with_a_new_clock(office: PostOffice) -> None:
    await dead(office, "a", "b")
    assert await replay_dead_letters(office.database, "hook", office.now) == 2
    assert await office.waiting() == ["a", "b"]
    outbox = office.outbox("one")
    assert await outbox.due(10) == ["hook"]
    for _ in range(MIN_ATTEMPTS + 1):
        office.now = await outbox.failed("hook", await outbox.lease("hook"), "no")
    assert await office.waiting() == ["a", "b"]


async def test_some_of_them_are_replayed(office: PostOffice) -> None:
    ids = await dead(office, "a", "b", "c")
    assert await replay_dead_letters(office.database, "other", office.now, ids) == 0
    assert await replay_dead_letters(office.database, "hook", office.now, [ids[1], 999_999]) == 1
    assert await office.waiting() == ["b"]
    assert await replay_dead_letters(office.database, "hook", office.now, [ids[1]]) == 0


async def test_they_are_deleted(office: PostOffice) -> None:
    ids = await dead(office, "a", "b", "c")
    assert await delete_dead_letters(office.database, "other", ids) == 0
    assert await delete_dead_letters(office.database, "hook", ids[:1]) == 1
    assert await delete_dead_letters(office.database, "hook") == 2
    assert await list_dead_letters(office.database, "hook") == []


async def test_what_waits_is_not_deleted_with_them(office: PostOffice) -> None:
    ids = await dead(office, "a")
    await replay_dead_letters(office.database, "hook", office.now)
    assert await delete_dead_letters(office.database, "hook", ids) == 0
    assert await office.waiting() == ["a"]


async def test_the_status_counts_them(office: PostOffice) -> None:
    assert await endpoint_status(office.database, "hook") == EndpointStatus(0, 0, 0, 0, None, None)
    await dead(office, "a", "b")
    status = await endpoint_status(office.database, "hook")
    assert (status.waiting, status.dead, status.failures) == (0, 2, MIN_ATTEMPTS)
    assert status.last_outcome == "The answer was 500."


async def test_an_endpoint_is_forgotten_whole(office: PostOffice) -> None:
    await dead(office, "a", endpoint_id="kept")
    await dead(office, "a")
    await forget_endpoint(office.database, "hook")
    assert await endpoint_status(office.database, "hook") == EndpointStatus(0, 0, 0, 0, None, None)
    assert (await endpoint_status(office.database, "kept")).dead == 1


async def test_they_are_told_from_what_waits_over_all_endpoints(office: PostOffice) -> None:
    assert await backlog(office.database) == Backlog(0, 0, None)
    await dead(office, "a", "b")
    office.endpoint("http://b/", "second")
    office.endpoint("http://c/", "third")
    since = office.now
    await office.written("c")
    office.now += 10
    await office.written("d")
    assert await backlog(office.database) == Backlog(4, 2, int(since * 1000))
