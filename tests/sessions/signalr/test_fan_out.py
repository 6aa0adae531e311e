"""What a thousand clients cost: nothing is encoded, awaited or kept for one that could be for all."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from skubber.codecs.signalr_json import JsonHubProtocol
from skubber.codecs.signalr_messagepack import MessagePackHubProtocol
from skubber.core.event import Event
from support.signalr_client import IN_JSON, IN_MESSAGE_PACK, HubClient, SignalRNode, event
from support.signalr_messages import Said

MANY = 1000

Connect = Callable[[SignalRNode], HubClient]

CONNECT: dict[str, Connect] = {
    "json": lambda node: node.connect_client(encoding=IN_JSON),
    "messagepack": lambda node: node.connect_client(encoding=IN_MESSAGE_PACK),
    "by name": lambda node: node.connect_client(encoding=IN_JSON, dispatch="name"),
    "ServerSentEvents": lambda node: node.connect_event_stream(),
    "resumable": lambda node: node.connect_resumable(),
}
"""Ways to be connected. All but the last have a wire format of their own; that one shares its with the first."""


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The encodings of events and items, one by one, as they happen."""
    done: list[str] = []
    for protocol in (JsonHubProtocol, MessagePackHubProtocol):
        for method in ("invocation", "stream_item"):
            encode = getattr(protocol, method)

            def count(*arguments: Any, _encode: Any = encode, _name: str = f"{protocol.name} {method}") -> bytes:
                done.append(_name)
                message: bytes = _encode(*arguments)
                return message

            monkeypatch.setattr(protocol, method, count)
    return done


def crowd(node: SignalRNode, *ways: str, count: int = MANY) -> list[HubClient]:
    """So many clients in all, connected in these ways."""
    return [CONNECT[ways[number % len(ways)]](node) for number in range(count)]


async def publish(node: SignalRNode, *names: str) -> None:
    """Publish events, all in one event-loop iteration."""
    for name in names:
        await node.hub.publish(node.app, ("c",), Event(name, b'"d"'))


async def test_an_event_is_encoded_once_for_each_format_however_many_clients(
    node: SignalRNode, encoded: list[str]
) -> None:
    clients = crowd(node, *CONNECT)
    for client in clients:
        client.call("Subscribe", "c")
        client.received()
    encoded.clear()
    await publish(node, "e")
    node.iteration.end()
    assert sorted(encoded) == ["json invocation"] * 3 + ["messagepack invocation"]
    by_event: Said = {"type": 1, "target": "Event", "arguments": [event("e", "c")]}
    by_name: Said = {"type": 1, "target": "e", "arguments": ["d", {"channel": "c"}]}
    for number, client in enumerate(clients):
        assert client.received() == [by_name if number % len(CONNECT) == 2 else by_event]


@pytest.mark.parametrize(("way", "encoding"), [("json", "json"), ("messagepack", "messagepack")])
async def test_streams_of_the_same_id_share_their_items(
    node: SignalRNode, encoded: list[str], way: str, encoding: str
) -> None:
    """They mostly have the same: clients count their own invocations from the start."""
    clients = crowd(node, way)
    for client in clients:
        client.stream("c")
    await publish(node, "first")
    node.iteration.end()
    assert encoded == [f"{encoding} stream_item"]
    clients[0].send({"type": 5, "invocationId": "0"})
    clients[0].stream("c", invocation_id="another")
    encoded.clear()
    await publish(node, "second")
    node.iteration.end()
    assert encoded == [f"{encoding} stream_item"] * 2
    for client in clients[1:]:
        assert client.events() == ["first", "second"]


async def test_a_burst_leaves_in_one_write_for_each_client_and_the_same_bytes_for_all(node: SignalRNode) -> None:
    clients = [node.connect_client() for _ in range(MANY)]
    for client in clients:
        client.invoke("Subscribe", "c")
        client.writes.clear()
    await publish(node, *(f"e{number}" for number in range(20)))
    node.iteration.end()
    assert {len(client.writes) for client in clients} == {1}
    first = clients[0].writes[0]
    assert first.count(b'"Event"') == 20
    assert all(client.writes[0] is first for client in clients)


async def test_an_excluded_client_makes_nothing_be_encoded_twice(node: SignalRNode, encoded: list[str]) -> None:
    clients = crowd(node, "json", "messagepack")
    for client in clients:
        client.call("Subscribe", "c")
        client.received()
    encoded.clear()
    await node.hub.publish(node.app, ("c",), Event("e", b'"d"'), clients[7].connection_id)
    assert sorted(encoded) == ["json invocation", "messagepack invocation"]
    assert [number for number, client in enumerate(clients) if not client.received()] == [7]


@pytest.mark.parametrize("way", CONNECT)
async def test_clients_take_no_tasks_whether_they_talk_listen_or_idle(node: SignalRNode, way: str) -> None:
    for client in crowd(node, way, count=100):
        client.call("Subscribe", "c")
        client.stream("d")
        client.call("Unsubscribe", "c")
    await publish(node, "e")
    node.pass_time(1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(("way", "at_most"), [("json", 2560), ("messagepack", 2560), ("resumable", 4096)])
async def test_an_idle_client_is_kept_in_little_memory(node: SignalRNode, way: str, at_most: int) -> None:
    """Bytes that the server's own code allocates, besides the event loop's transport."""
    servers = tracemalloc.Filter(True, "*/src/skubber/*")
    clients = crowd(node, way, count=10)
    gc.collect()
    tracemalloc.start()
    try:
        clients += crowd(node, way, count=300)
        gc.collect()
        snapshot = tracemalloc.take_snapshot().filter_traces([servers])
    finally:
        tracemalloc.stop()
    assert len(node.edge.connections) == len(clients) == 310
    assert sum(each.size for each in snapshot.statistics("filename")) / 300 < at_most
