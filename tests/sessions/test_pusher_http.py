"""Pusher clients over HTTP: one session behind polls and streams that come and go."""

import asyncio

import pytest

from skubber.core.connection import EndReason
from skubber.core.errors import NotFoundError
from skubber.core.limits import Limits
from skubber.sessions.pusher_http import (
    HEARTBEAT_INTERVAL,
    LAST_WORDS_TIMEOUT,
    RETURN_TIMEOUT,
    SOCKJS_FORMAT,
    SessionAddress,
)
from support.apps import DISABLED_KEY, KEY, make_app
from support.edge_client import settled
from support.pusher_http_client import (
    PusherHttpNode,
    closes_with,
    data_of,
    publish,
    read_messages,
    subscribed,
)
from support.slow_broker import SlowBroker

PRELUDE = "h" * 2048 + "\n"


@pytest.fixture
def node() -> PusherHttpNode:
    """A node with nobody connected."""
    return PusherHttpNode()


class TestAddresses:
    @pytest.mark.parametrize(
        ("path", "name", "app_path"),
        [
            ("/pusher/app/key/0/abcdefgh/xhr", "app/key/0/abcdefgh", "/app/key"),
            ("/pusher/app/key/999/A_-9/xhr_streaming", "app/key/999/A_-9", "/app/key"),
            ("/pusher/012/a_b_c_d_/xhr_send", "012/a_b_c_d_", None),
        ],
    )
    def test_the_client_makes_it_up(self, path: str, name: str, app_path: str | None) -> None:
        assert SessionAddress.of(path) == SessionAddress(name, app_path)

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/pusher",
            "/pusher/app/key/1/xhr",
            "/pusher/app//1/abcdefgh/xhr",
            "/pusher/app/key/1000/abcdefgh/xhr",
            "/pusher/app/key/x/abcdefgh/xhr",
            "/pusher/app/key/1/ab.cd/xhr",
            f"/pusher/app/key/1/{'a' * 65}/xhr",
            "/pusher/app/key/1/abcdefgh/xhr\n",
            "/pusher/app/key/1/abcdefgh/",
            "/pusher/app/a/b/1/abcdefgh/xhr",
            "/push/app/key/1/abcdefgh/xhr",
        ],
    )
    def test_another_path_is_not_found(self, node: PusherHttpNode, path: str) -> None:
        with pytest.raises(NotFoundError):
            SessionAddress.of(path)

    def test_nothing_is_opened_by_sending(self, node: PusherHttpNode) -> None:
        with pytest.raises(NotFoundError) as caught:
            node.client().connection  # noqa: B018
        assert caught.value.code == "no_such_connection"


class TestPolls:
    async def test_the_first_poll_opens_and_greets(self, node: PusherHttpNode) -> None:
        client = node.client()
        client.greeted(await client.poll())
        assert node.hub.connection_count == 1

    async def test_what_comes_between_two_polls_waits_for_the_second(self, node: PusherHttpNode) -> None:
        client = node.client()
        client.greeted(await client.poll())
        await client.subscribe("c")
        await publish(node, data="ü\n\u2028")
        frames = await client.poll()
        assert read_messages(frames)[0]["event"] == "pusher_internal:subscription_succeeded"
        assert data_of(frames) == ["ü\n\u2028"]
        assert await client.poll() == []

    async def test_a_poll_that_waits_gets_the_next_event(self, node: PusherHttpNode) -> None:
        client = node.client()
        client.greeted(await client.poll())
        await client.subscribe("c")
        await client.poll()
        poll = asyncio.create_task(client.poll(60))
        await asyncio.sleep(0)
        await publish(node)
        node.iteration.end()
        assert data_of(await poll) == ["d"]

    async def test_a_client_that_does_not_poll_again_leaves(self, node: PusherHttpNode) -> None:
        watcher = await node.streaming()
        await watcher.subscribe("presence-c", "watcher")
        client = node.client()
        client.greeted(await client.poll())
        await client.subscribe("presence-c", "poller")
        assert watcher.events()[-1] == "pusher_internal:member_added"
        node.pass_time(RETURN_TIMEOUT - 1)
        assert watcher.events() == []
        node.pass_time(1)
        assert watcher.events() == ["pusher_internal:member_removed"]
        assert len(node.connections) == 1

    async def test_polling_is_a_sign_of_life(self, node: PusherHttpNode) -> None:
        client = node.client()
        client.greeted(await client.poll())
        for _ in range(100):
            node.pass_time(RETURN_TIMEOUT - 1)
            assert await client.poll() == []

    async def test_a_poll_ends_the_stream_and_a_stream_the_poll(self, node: PusherHttpNode) -> None:
        client = node.client()
        stream = client.stream()
        poll = asyncio.create_task(node.connections.find_or_open(client.request("xhr")).poll(60))
        await asyncio.sleep(0)
        assert not stream.is_open
        client.stream()
        assert await poll is None
        await client.subscribe("c")
        assert client.events() == ["pusher_internal:subscription_succeeded"]


class TestStreams:
    async def test_a_stream_begins_with_what_no_browser_holds_back(self, node: PusherHttpNode) -> None:
        assert node.client().stream().text.decode().startswith(PRELUDE + "o\na[")

    async def test_events_go_out_as_they_come(self, node: PusherHttpNode) -> None:
        client = await subscribed(node)
        for number in range(3):
            await publish(node, data=number)
            assert data_of(client.frames()) == [number]

    async def test_an_event_is_encoded_once_for_everybody_over_http(
        self, node: PusherHttpNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clients = [await subscribed(node) for _ in range(3)]
        poller = node.client()
        poller.greeted(await poller.poll())
        await poller.subscribe("c")
        encoded, frame = [], SOCKJS_FORMAT.frame
        monkeypatch.setattr(SOCKJS_FORMAT, "frame", lambda message: encoded.append(message) or frame(message))  # type: ignore[func-returns-value]
        await publish(node)
        assert [data_of(client.frames()) for client in clients] == [["d"]] * 3
        assert data_of(await poller.poll()) == ["d"]
        assert len(encoded) == 1

    async def test_what_comes_between_two_streams_waits_for_the_second(self, node: PusherHttpNode) -> None:
        client = await subscribed(node)
        client._stream.close(0, "")
        await publish(node, data=1)
        node.iteration.end()
        node.pass_time(RETURN_TIMEOUT - 1)
        client.stream()
        await publish(node, data=2)
        assert data_of(client.frames()) == [1, 2]

    async def test_a_client_that_does_not_come_back_is_gone(self, node: PusherHttpNode) -> None:
        client = await subscribed(node)
        client._stream.close(0, "")
        node.pass_time(RETURN_TIMEOUT)
        node.assert_nothing_is_kept()

    async def test_a_second_stream_takes_over_before_the_first_is_known_to_be_lost(self, node: PusherHttpNode) -> None:
        client = await subscribed(node)
        first = client._stream
        client.stream()
        assert not first.is_open
        node.pass_time(RETURN_TIMEOUT)
        await publish(node)
        assert data_of(client.frames()) == ["d"]
        assert b'"d"' not in first.text

    async def test_a_silent_stream_has_heartbeats(self, node: PusherHttpNode) -> None:
        stream = (await node.streaming())._stream
        before = len(stream.text)
        node.pass_time(HEARTBEAT_INTERVAL - 1)
        assert len(stream.text) == before
        node.pass_time(1 + 2 * HEARTBEAT_INTERVAL)
        assert stream.text[before:] == b"h\nh\nh\n"

    async def test_a_client_that_answers_nothing_is_pinged_and_given_up(self, node: PusherHttpNode) -> None:
        client = await node.streaming()
        node.pass_time(120)
        assert client.events() == ["pusher:ping"]
        node.pass_time(30)
        assert closes_with(client.frames(), 4201)
        node.assert_nothing_is_kept()

    async def test_a_heartbeat_of_the_client_is_a_sign_of_life(self, node: PusherHttpNode) -> None:
        client = await node.streaming()
        for _ in range(10):
            node.pass_time(100)
            await client.send()
        assert client.events() == []


class TestEnds:
    @pytest.mark.parametrize(
        ("path", "query", "code"),
        [
            ("/app/nobody", b"protocol=7", 4001),
            (f"/app/{DISABLED_KEY}", b"protocol=7", 4003),
            (f"/app/{KEY}", b"", 4008),
            (f"/app/{KEY}", b"protocol=8", 4007),
        ],
    )
    async def test_a_client_that_is_not_let_in_is_told_why(
        self, node: PusherHttpNode, path: str, query: bytes, code: int
    ) -> None:
        client = node.client(path)
        stream = client.stream(query)
        frames = client.frames()
        assert frames[0] == ("o", None)
        assert closes_with(frames, code)
        assert not stream.is_open
        node.assert_nothing_is_kept()

    async def test_a_client_over_the_quota_is_told_so_by_its_first_poll(self) -> None:
        node = PusherHttpNode(make_app(limits=Limits(connections=1)))
        await node.streaming()
        client = node.client()
        assert closes_with(await client.poll(), 4004)
        assert len(node.connections) == 1

    @pytest.mark.parametrize(
        ("reason", "code"),
        [(EndReason.TERMINATED, 4009), (EndReason.DRAINING, 4200), (EndReason.TOO_SLOW, 4100)],
    )
    async def test_the_server_ends_a_stream_with_the_protocols_code(
        self, node: PusherHttpNode, reason: EndReason, code: int
    ) -> None:
        client = await subscribed(node)
        client._stream.attachment.end(reason)
        assert closes_with(client.frames(), code)
        assert not client._stream.is_open
        node.assert_nothing_is_kept()

    async def test_a_stopping_server_sends_everybody_to_reconnect(self, node: PusherHttpNode) -> None:
        streaming, polling, away, undecided = await node.streaming(), node.client(), node.client(), node.client("")
        polling.greeted(await polling.poll())
        away.greeted(await away.poll())
        undecided.stream()
        poll = asyncio.create_task(polling.poll(60))
        await asyncio.sleep(0)
        node.connections.drain()
        assert closes_with(streaming.frames(), 4200)
        assert closes_with(undecided.frames(), 4200)
        assert closes_with(await poll, 4200)
        assert closes_with(await away.poll(), 4200)
        node.assert_nothing_is_kept()

    async def test_last_words_wait_for_a_while(self, node: PusherHttpNode) -> None:
        client, late = node.client(), node.client()
        for each in (client, late):
            each.greeted(await each.poll())
        node.connections.drain()
        node.pass_time(LAST_WORDS_TIMEOUT - 1)
        assert closes_with(await client.poll(), 4200)
        node.pass_time(1)
        node.assert_nothing_is_kept()
        late.greeted(await late.poll())  # pusher-js takes an opening where it expects none for the end, and reconnects

    async def test_a_poll_whose_client_is_gone_leaves_the_last_words_to_the_next(self, node: PusherHttpNode) -> None:
        client = node.client()
        client.greeted(await client.poll())
        connection = client.connection
        poll = asyncio.create_task(connection.poll(60))
        await asyncio.sleep(0)
        node.connections.drain()
        connection.abandon(connection.turn)
        assert await poll is None
        assert closes_with(await client.poll(), 4200)
        node.assert_nothing_is_kept()

    async def test_what_is_posted_after_the_end_comes_to_nothing(self, node: PusherHttpNode) -> None:
        client = node.client()
        client.greeted(await client.poll())
        connection = client.connection
        node.connections.drain()
        with pytest.raises(NotFoundError):
            await connection.receive([b'{"event":"pusher:ping"}'])
        assert node.hub.connection_count == 0


class TestOrder:
    async def test_posts_that_come_at_once_are_handled_one_after_the_other(self) -> None:
        broker = SlowBroker()
        node = PusherHttpNode(broker=broker)
        broker.attach(node.hub)
        client = await node.streaming()
        hold = broker.hold("subscribe")
        first = asyncio.create_task(client.subscribe("a"))
        await hold.reached()
        second = asyncio.create_task(client.send({"event": "pusher:ping"}, {"event": "pusher:ping"}))
        await asyncio.sleep(0)
        assert client.events() == []
        hold.release()
        await asyncio.gather(first, second)
        assert client.events() == ["pusher_internal:subscription_succeeded", "pusher:pong", "pusher:pong"]

    async def test_a_client_that_leaves_while_it_subscribes_leaves_nothing_behind(self) -> None:
        broker = SlowBroker()
        node = PusherHttpNode(broker=broker)
        broker.attach(node.hub)
        client = await node.streaming()
        hold = broker.hold("subscribe")
        joining = asyncio.create_task(client.subscribe("a"))
        await hold.reached()
        client._stream.close(0, "")
        node.pass_time(RETURN_TIMEOUT)
        hold.release()
        await joining
        await settled()
        node.assert_nothing_is_kept()
