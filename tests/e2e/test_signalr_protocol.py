"""The SignalR hub protocol over WebSockets on the wire: what client libraries hide."""

import json

import pytest
import websockets

from e2e.support.api import with_headers
from e2e.support.raw_client import RawClient
from e2e.support.server import KEY, NewServer, Server
from e2e.support.signalr import access_token, signature
from e2e.support.signalr_raw import HANDSHAKE, SEPARATOR, RawHttp, RawHub, call, stream_call
from support.signalr_messages import json_record, message_pack

VOID = {"type": 3, "invocationId": "raw"}


# -- frames and messages


async def test_messages_may_be_packed_into_one_frame_with_the_handshake(server: Server, token: str) -> None:
    async with RawHub.opened(server, token) as hub:
        packed = HANDSHAKE + b"".join(
            json_record(call("Subscribe", f"packed-{n}", invocation_id=str(n))) for n in range(20)
        )
        await hub.send(packed.decode())
        assert await hub.receive() == {}
        received = [await hub.receive() for _ in range(40)]
        assert [m["invocationId"] for m in received if m["type"] == 3] == [str(n) for n in range(20)]


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_a_message_may_be_split_over_frames(server: Server, token: str, size: int) -> None:
    async with RawHub.opened(server, token) as hub:
        said = HANDSHAKE.decode() + json.dumps(call("Unsubscribe", "gré€𝄞", invocation_id="1"), ensure_ascii=False)
        said += SEPARATOR.decode()
        for position in range(0, len(said), size):
            await hub.send(said[position : position + size])
        assert await hub.receive() == {}
        assert await hub.receive() == {"type": 3, "invocationId": "1"}


async def test_a_frame_may_be_fragmented_in_the_middle_of_a_character(server: Server, token: str) -> None:
    async with RawHub.opened(server, token) as hub:
        await hub.send(HANDSHAKE.decode())
        assert await hub.receive() == {}
        said = json.dumps(call("Unsubscribe", "€", invocation_id="1"), ensure_ascii=False).encode() + SEPARATOR
        middle = said.index("€".encode()) + 1
        await hub.connection.send([said[:middle], said[middle:]], text=True)
        assert await hub.receive() == {"type": 3, "invocationId": "1"}


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_message_pack_may_be_split_anywhere_even_in_its_length(server: Server, token: str, size: int) -> None:
    async with RawHub.opened(server, token) as hub:
        channel = "packed-" + "x" * 150  # its message's length takes two bytes
        said = b'{"protocol":"messagepack","version":1}' + SEPARATOR + message_pack([6])
        said += message_pack([1, {}, "1", "Subscribe", [channel], []]) + message_pack(
            [1, {}, "2", "Unsubscribe", [channel]]
        )
        for position in range(0, len(said), size):
            await hub.send(said[position : position + size])
        frames = [await hub.connection.recv() for _ in range(4)]
        succeeded = message_pack([1, {}, None, "SubscriptionSucceeded", [{"channel": channel}], []])
        completed = message_pack([3, {}, "1", 3, {"channel": channel}])
        assert frames == [b"{}" + SEPARATOR, succeeded, completed, message_pack([3, {}, "2", 2])]


async def test_json_goes_out_in_text_frames_whatever_comes_in(server: Server, token: str) -> None:
    async with RawHub.opened(server, token) as hub:
        await hub.send(HANDSHAKE)
        await hub.send(json_record(call("Unsubscribe", "nothing", invocation_id="1")))
        frames = [await hub.connection.recv(), await hub.connection.recv()]
        assert frames == ["{}\x1e", '{"type":3,"invocationId":"1"}\x1e']


@pytest.mark.parametrize(
    "record",
    [
        '{"arguments":["nothing"],"target":"Unsubscribe","invocationId":"raw","type":1}',
        '{"type":1,"invocationId":"raw","target":"uNSUBSCRIBE","arguments":["nothing"]}',
        '{"type":1,"headers":{"a":"b"},"invocationId":"raw","new":{"x":[]},"target":"Unsubscribe","arguments":["nothing"]}',
        ' {"type" : 1 , "invocationId":"raw","target":"Un\\u0073ubscribe","arguments":[ "nothing" ], "streamIds":[]} ',
        '{"type":99,"target":7}\x1e{"type":6}\x1e{"type":1,"invocationId":"raw","target":"Unsubscribe","arguments":["n"]}',
        '{"type":3,"invocationId":"9"}\x1e{"type":1,"invocationId":"raw","target":"Unsubscribe","arguments":["n"]}',
        '{"type":5,"invocationId":"9"}\x1e{"type":1,"invocationId":"raw","target":"Unsubscribe","arguments":["n"]}',
        '{"type":2,"invocationId":"9","item":{}}\x1e{"type":1,"invocationId":"raw","target":"Unsubscribe","arguments":["n"]}',
    ],
)
async def test_a_message_may_be_written_in_many_ways(server: Server, token: str, record: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(record + "\x1e")
        assert await hub.receive() == VOID


async def test_a_call_that_wants_no_answer_gets_none(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(call("Subscribe", "private-unanswered"), call("Trigger", "private-unanswered", "client-x", 1))
        await hub.send({**call("Unsubscribe", "private-unanswered"), "invocationId": ""})
        assert (await hub.receive())["target"] == "SubscriptionSucceeded"
        assert await hub.invoke("Unsubscribe", "nothing") == VOID
        await hub.send(call("Explode"))
        error = await hub.receive()
        assert (error["target"], error["arguments"][0]["code"], "invocationId" in error) == (
            "Error",
            "unknown_method",
            False,
        )
        assert await hub.invoke("Unsubscribe", "nothing") == VOID


async def test_calls_are_done_and_answered_in_their_order(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        steps = [
            call(method, "order", invocation_id=method + str(n))
            for n in range(50)
            for method in ("Subscribe", "Unsubscribe")
        ]
        await hub.send(*steps)
        answers = [m for m in [await hub.receive() for _ in range(150)] if m["type"] == 3]
        assert [m["invocationId"] for m in answers] == [step["invocationId"] for step in steps]
        assert not any("error" in m for m in answers)


# -- what ends a connection


@pytest.mark.parametrize(
    "record",
    [
        "junk",
        "[]",
        "7",
        "{}",
        '{"type":"1"}',
        '{"type":1,"target":"Subscribe"}',
        '{"type":1,"arguments":[]}',
        '{"type":1,"target":7,"arguments":[]}',
        '{"type":1,"target":"Subscribe","arguments":{}}',
        '{"type":4,"target":"StreamEvents","arguments":["c"]}',
        '{"type":3,"invocationId":"1","result":1,"error":"both"}',
        '{"type":5}',
        '{"type":1,"invocationId":7,"target":"Subscribe","arguments":["c"]}',
        '{"type":1,"invocationId":"' + "i" * 129 + '","target":"Subscribe","arguments":["c"]}',
        "[" * 20_000,
        "",
    ],
)
async def test_a_message_that_breaks_the_protocol_ends_the_connection_with_a_reason(
    server: Server, token: str, record: str
) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(record + "\x1e")
        close = await hub.close_message()
        assert close["error"].endswith(".")
        assert "allowReconnect" not in close
        assert "Traceback" not in close["error"]


@pytest.mark.parametrize(
    "message",
    [
        b"\x01\x92\x01",
        b"\xff\xff\xff\xff\xff\xff",
        b"\x05hello",
        b"\x01\xc0",
        b"\x02\x91\xa1",
        b"\x00",
        b"\xff\xff\xff\x7f",
    ],
)
async def test_broken_message_pack_ends_the_connection_with_a_reason(
    server: Server, token: str, message: bytes
) -> None:
    async with RawHub.opened(server, token) as hub:
        await hub.send(b'{"protocol":"messagepack","version":1}' + SEPARATOR)
        assert await hub.connection.recv() == b"{}" + SEPARATOR
        await hub.send(message + b"\x93")
        frame = await hub.connection.recv()
        assert isinstance(frame, bytes)
        assert frame[1:3] == b"\x93\x07"
        with pytest.raises(websockets.ConnectionClosed):
            await hub.connection.recv()


@pytest.mark.parametrize("is_split", [False, True])
async def test_a_message_over_the_limit_ends_the_connection(server: Server, token: str, is_split: bool) -> None:
    async with RawHub.connected(server, token) as hub:
        fits = json_record(call("Unsubscribe", "x" * 32_000, invocation_id="raw")).decode()
        await hub.send(fits)
        assert await hub.receive() == VOID
        for _ in range(4 if is_split else 1):
            await hub.send("x" * (10_000 if is_split else 32_769))
        assert (await hub.close_message())["error"] == "Messages have at most 32768 bytes."


async def test_many_messages_in_one_frame_may_be_more_than_the_limit_of_one(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(*(call("Unsubscribe", "x" * 20_000, invocation_id=str(n)) for n in range(5)))
        assert [(await hub.receive())["invocationId"] for _ in range(5)] == list("01234")


async def test_the_client_may_say_that_it_leaves(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send({"type": 7})
        with pytest.raises(websockets.ConnectionClosed):
            await hub.connection.recv()
        assert hub.connection.close_code == 1000


async def test_a_terminated_user_is_told_not_to_come_back(server: Server) -> None:
    async with RawHub.connected(server, access_token(server, userId="raw-eve")) as hub:
        assert with_headers(server, "POST", "/users/raw-eve/terminate_connections").json() == {}
        close = await hub.close_message()
        assert close == {"type": 7, "error": "The connection was terminated by the application."}


async def test_terminating_a_user_ends_a_connection_that_is_the_users_by_a_stream_alone(server: Server) -> None:
    token = access_token(server)
    async with RawHttp.open(server, token) as http:
        negotiated = (await http.negotiate()).json()
        async with RawHub.connected(server, token, id=negotiated["connectionToken"]) as hub:
            signed = signature(negotiated["connectionId"], "presence-streamed", {"user_id": "streamer"})
            await hub.send(stream_call("s", "presence-streamed", *signed))
            assert await hub.is_alive()
            assert with_headers(server, "POST", "/users/streamer/terminate_connections").json() == {}
            assert "terminated" in (await hub.close_message())["error"]


async def test_client_events_over_the_rate_are_refused(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.invoke("Subscribe", "private-rate")
        await hub.send(*(call("Trigger", "private-rate", "client-n", n, invocation_id=str(n)) for n in range(30)))
        answers = [await hub.receive() for _ in range(30)]
        assert not any("error" in answer for answer in answers[:10])
        assert "(client_event_rate)" in answers[-1]["error"]


# -- the handshake


@pytest.mark.parametrize(
    ("handshake", "reason"),
    [
        ('{"protocol":"xml","version":1}', "The protocol 'xml' is not supported: use json or messagepack."),
        ('{"protocol":"json","version":3}', "The server does not support version 3 of the protocol."),
        ('{"protocol":"json"}', "The first message must be like"),
        ('{"type":6}', "The first message must be like"),
        ('{"protocol":7,"version":"1"}', "The first message must be like"),
        ("junk", "The first message must be like"),
        ("", "The first message must be like"),
        ("x" * 5000, "The handshake has at most 4096 bytes."),
    ],
)
async def test_a_handshake_that_cannot_be_accepted_is_answered_and_ends_the_connection(
    server: Server, token: str, handshake: str, reason: str
) -> None:
    async with RawHub.opened(server, token) as hub:
        await hub.send(handshake + "\x1e")
        answer = await hub.receive()
        assert answer.keys() == {"error"}
        assert answer["error"].startswith(reason)
        with pytest.raises(websockets.ConnectionClosed):
            await hub.connection.recv()


async def test_the_handshake_has_to_come_in_time(new_server: NewServer) -> None:
    server = new_server("--set", "signalr_handshake_timeout=2")
    token = access_token(server)
    async with RawHub.opened(server, token) as silent, RawHub.opened(server, token) as slow:
        await slow.send(HANDSHAKE.decode()[:-1])
        for hub in (silent, slow):
            assert await hub.receive() == {"error": "The handshake did not come in time."}
            with pytest.raises(websockets.ConnectionClosed):
                await hub.connection.recv()


async def test_connections_of_both_protocols_count_towards_the_servers_limit(new_server: NewServer) -> None:
    server = new_server("--set", "connections=2")
    token = access_token(server)
    async with RawClient.connected(server), RawHub.connected(server, token), RawHub.opened(server, token) as third:
        await third.send(HANDSHAKE.decode())
        assert await third.receive() == {"error": "The server is at capacity: please try again later."}
        async with RawClient.opened(server, f"/app/{KEY}?protocol=7") as fourth:
            assert await fourth.close_code() == 4100
