"""A server whose way to Redis is cut, while its clients still reach it."""

from collections.abc import Iterator

import pytest

from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.signalr import SignalR
from faults.cluster import (
    FaultyRedis,
    join,
    join_with_signalr,
    news_of,
    publish,
    publish_everywhere,
    signalr_news_of,
    until_count_is,
    until_ready_answers,
    until_users_are,
)
from faults.conftest import NewNode
from faults.network import Cable
from faults.proxy import Proxy

ROOM = "presence-room"
FROM_ALL = ["from 0", "from 1", "from 2"]


@pytest.fixture
def far_redis(cable: Cable, faulty_redis: FaultyRedis) -> Iterator[str]:
    """The Redis, by way of the cable."""
    proxy = Proxy(faulty_redis.port, listener=cable.listener)
    yield f"redis://{cable.address}:{proxy.port}/0"
    proxy.stop()


async def test_a_node_cut_off_from_redis_serves_its_own_and_makes_up_for_it_when_it_is_back(
    new_node: NewNode,
    far_redis: str,
    cable: Cable,
    auth_endpoint: AuthEndpoint,
    javascript: JavaScript,
    signalr: SignalR,
) -> None:
    one, two, cut = new_node(), new_node(), new_node(broker=far_redis)
    await join(javascript, auth_endpoint, "ada", one, ROOM)
    await join_with_signalr(signalr, "eve", two, two, ROOM)
    await join(javascript, auth_endpoint, "bob", cut, ROOM)
    async with RawClient.connected(cut) as leaving:
        await leaving.subscribe_presence(ROOM, "dan")
        await until_users_are(["ada", "bob", "dan", "eve"], ROOM, one, two, cut)

        cable.pull()
        await until_users_are(["ada", "eve"], ROOM, one, two)
        await until_ready_answers(503, cut)
        answer = await publish(cut, ROOM, "within")
        assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert (await javascript.event("bob", ROOM, "e"))["data"] == "within"
        assert (await publish(one, ROOM, "without")).status_code == 200
    await javascript.event("ada", ROOM, "e")

    cable.plug_in()
    await until_ready_answers(200, one, two, cut)
    await until_users_are(["ada", "bob", "eve"], ROOM, one, two, cut)
    await until_count_is(3, ROOM, one, two, cut)
    await publish_everywhere((one, two, cut), ROOM)
    for client in ("ada", "bob"):
        assert [(await javascript.event(client, ROOM, "e"))["data"] for _ in range(3)] == FROM_ALL
    events = [(await signalr.called("eve", "Event"))[0]["data"] for _ in range(4)]
    assert events == ["without", *FROM_ALL]

    expected = {"bob": ["added", "removed", "added"], "dan": ["added", "removed"]}
    for news in (news_of(javascript, "ada", ROOM), signalr_news_of(signalr, "eve")):
        assert {who: [what for what, whom in news if whom == who] for who in expected} == expected
    # Who has gone meanwhile, its own clients hear as soon as it is back; and nothing of those who have been there.
    assert news_of(javascript, "bob", ROOM) == [("added", "dan"), ("removed", "dan")]
