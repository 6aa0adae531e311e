"""Long polling and Server-Sent Events on the wire, and browsers of other origins."""

import asyncio
import contextlib
import ssl
from typing import Any

import httpx
import pytest

from e2e.support.api import error_code
from e2e.support.server import NewServer, Server
from e2e.support.signalr import access_token, hub_url, publish
from e2e.support.signalr_raw import HANDSHAKE, SEPARATOR, RawHttp, RawHub, call, records
from support.signalr_messages import json_record, message_pack

EVENT_STREAM = "text/event-stream"
ORIGIN = "https://app.example.com"


# -- long polling


async def test_the_first_poll_is_answered_at_once_and_empty_and_later_ones_when_there_is_something(
    server: Server,
) -> None:
    async with RawHttp.polling(server, access_token(server)) as http:
        poll = asyncio.create_task(http.get())
        assert (await http.post(call("Subscribe", "polled", invocation_id="1"))).status_code == 200
        answer = await poll
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        succeeded, completion = records(answer.content)
        assert (succeeded["target"], completion["result"]) == ("SubscriptionSucceeded", {"channel": "polled"})
        for data in "123":
            publish(server, "polled", data=data)
        assert [m["arguments"][0]["data"] for m in records((await http.get()).content)] == ["1", "2", "3"]


async def test_a_second_poll_ends_the_first_one(server: Server) -> None:
    async with RawHttp.polling(server, access_token(server)) as http:
        first = asyncio.create_task(http.get())
        await http.post(call("Subscribe", "taken-over"))
        assert (await first).status_code == 200
        polls = [asyncio.create_task(http.get()) for _ in "12"]
        ended, waiting = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
        assert [(poll.result().status_code, poll.result().content) for poll in ended] == [(204, b"")]
        publish(server, "taken-over")
        answers = [await poll for poll in waiting]
        assert [records(answer.content)[0]["arguments"][0]["data"] for answer in answers] == ["hello"]


async def test_a_poll_whose_client_has_gone_swallows_nothing(server: Server) -> None:
    async with RawHttp.polling(server, access_token(server)) as http:
        await http.post(call("Subscribe", "abandoned"))
        await http.get()
        for number in range(5):
            given_up = asyncio.create_task(http.get())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(given_up, 0.05)
            poll = asyncio.create_task(http.get())
            publish(server, "abandoned", data=str(number))
            assert [m["arguments"][0]["data"] for m in records((await poll).content)] == [str(number)]


async def test_a_deleted_connection_is_over(server: Server) -> None:
    async with RawHttp.polling(server, access_token(server, userId="ann", channels=["*"])) as http:
        await http.post(call("Subscribe", "presence-deleted"))
        await http.get()
        poll = asyncio.create_task(http.get())
        async with RawHub.connected(server, access_token(server, userId="bob", channels=["*"])) as other:
            await other.invoke("Subscribe", "presence-deleted")
            await poll  # MemberAdded
            poll = asyncio.create_task(http.get())
            assert (await http.delete()).status_code == 202
            removed = await other.receive()
            assert (removed["target"], removed["arguments"][0]["userId"]) == ("MemberRemoved", "ann")
        assert (await poll).status_code in {204, 404}
        for again in (http.get, http.delete):
            assert (await again()).status_code == 404
        assert (await http.post(call("Subscribe", "late"))).status_code == 404


async def test_the_last_words_of_a_connection_are_polled_before_its_end(server: Server) -> None:
    async with RawHttp.polling(server, access_token(server, userId="last")) as http:
        assert (await http.post(b"junk" + SEPARATOR)).status_code == 200
        (close,) = records((await http.get()).content)
        assert (close["type"], close.get("allowReconnect", False)) == (7, False)
        assert (await http.get()).status_code == 204
        assert (await http.get()).status_code == 404


async def test_what_is_posted_may_be_split_and_packed_as_in_frames(server: Server) -> None:
    async with RawHttp.negotiated(server, access_token(server)) as http:
        await http.get()
        said = HANDSHAKE + json_record(call("Subscribe", "a-é", invocation_id="1"))
        said += json_record(call("Subscribe", "b", invocation_id="2"))
        for position in range(0, len(said), 7):
            assert (await http.post(said[position : position + 7])).status_code == 200
        accepted, *answers = records((await http.get()).content)
        assert accepted == {}
        assert [m["invocationId"] for m in answers if m["type"] == 3] == ["1", "2"]


async def test_messages_posted_at_the_same_time_are_all_done(server: Server) -> None:
    async with RawHttp.polling(server, access_token(server)) as http:
        posts = [http.post(call("Subscribe", f"same-time-{n}", invocation_id=str(n))) for n in range(30)]
        assert {answer.status_code for answer in await asyncio.gather(*posts)} == {200}
        done = [m["invocationId"] for m in records((await http.get()).content) if m["type"] == 3]
        assert sorted(done, key=int) == [str(n) for n in range(30)]


async def test_message_pack_is_polled_and_posted(server: Server) -> None:
    async with RawHttp.negotiated(server, access_token(server)) as http:
        await http.get()
        await http.post(
            b'{"protocol":"messagepack","version":1}' + SEPARATOR, message_pack([1, {}, "1", "Subscribe", ["p"]])
        )
        answer = (await http.get()).content
        assert answer.startswith(b"{}" + SEPARATOR)
        assert answer.endswith(message_pack([3, {}, "1", 3, {"channel": "p"}]))


async def test_a_polling_client_that_leaves_too_much_is_ended(new_server: NewServer) -> None:
    server = new_server("--set", "write_buffer_bytes=20000")
    async with RawHttp.polling(server, access_token(server)) as http:
        await http.post(call("Subscribe", "left"))
        for _ in range(3):
            publish(server, "left", data="x" * 10_000)
        *_, close = records((await http.get()).content)
        assert close == {"type": 7, "error": "The client reads too slowly.", "allowReconnect": True}
        assert (await http.get()).status_code == 204


async def test_a_post_over_the_servers_limit_is_refused_and_the_connection_lives(server: Server) -> None:
    async with RawHttp.polling(server, access_token(server)) as http:
        answer = await http.post(b"x" * 1_048_577)
        assert (answer.status_code, error_code(answer)) == (413, "body_too_large")
        await http.post(call("Unsubscribe", "nothing", invocation_id="1"))
        assert records((await http.get()).content) == [{"type": 3, "invocationId": "1"}]


# -- Server-Sent Events


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
async def test_an_event_stream_begins_at_once(server: Server, tls_server: Server, is_tls: bool) -> None:
    target = tls_server if is_tls else server
    token = access_token(target)
    async with RawHttp.negotiated(target, token) as http:
        tls = ssl.create_default_context(cafile=target.certificate) if is_tls else None
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port, ssl=tls)
        path = hub_url(target, token, id=http.query["id"]).removeprefix(target.url)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {EVENT_STREAM}\r\n\r\n".encode())
        async with asyncio.timeout(5):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200 ")
            assert b"content-type: text/event-stream\r\n" in head
            assert b"cache-control: no-cache, no-store\r\n" in head
            assert b"content-length" not in head
            assert await reader.readline() == b":\r\n"
        writer.close()
        await writer.wait_closed()


async def test_an_event_stream_carries_what_comes_and_ends_with_the_connection(server: Server) -> None:
    async with RawHttp.negotiated(server, access_token(server)) as http, http.event_stream() as stream:
        assert (await http.post(HANDSHAKE, call("Subscribe", "streamed", invocation_id="1"))).status_code == 200
        assert await stream.receive() == {}
        assert (await stream.receive())["target"] == "SubscriptionSucceeded"
        assert (await stream.receive())["result"] == {"channel": "streamed"}
        publish(server, "streamed", data='{"a":\n"b"}')
        assert (await stream.receive())["arguments"][0]["data"] == '{"a":\n"b"}'
        assert (await http.post({"type": 7})).status_code == 200
        assert await stream.is_over()
        assert (await http.post(call("Subscribe", "late"))).status_code == 404


async def test_a_client_that_hangs_up_its_event_stream_is_gone(server: Server) -> None:
    async with RawHub.connected(server, access_token(server, userId="bob", channels=["*"])) as other:
        await other.invoke("Subscribe", "presence-hung-up")
        async with RawHttp.negotiated(server, access_token(server, userId="ann", channels=["*"])) as http:
            async with http.event_stream() as stream:
                await http.post(HANDSHAKE, call("Subscribe", "presence-hung-up"))
                assert await stream.receive() == {}
                assert (await other.receive())["target"] == "MemberAdded"
            assert (await other.receive())["target"] == "MemberRemoved"
            assert (await http.post(call("Subscribe", "late"))).status_code == 404


async def test_event_streams_carry_no_message_pack(server: Server) -> None:
    async with RawHttp.negotiated(server, access_token(server)) as http, http.event_stream() as stream:
        await http.post(b'{"protocol":"messagepack","version":1}' + SEPARATOR)
        assert (await stream.receive())["error"] == "ServerSentEvents carry text only: use the json protocol."
        assert await stream.is_over()


# -- browsers of other origins


def assert_open_to_origin(answer: httpx.Response) -> None:
    """A browser lets the page of ``ORIGIN`` see the answer to a request with credentials."""
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    ("path", "method"),
    [("/push/negotiate", "POST"), ("/push", "GET"), ("/push", "POST"), ("/push", "DELETE")],
)
async def test_a_preflight_allows_what_clients_send(server: Server, path: str, method: str) -> None:
    needed = "authorization,content-type,x-requested-with,x-signalr-user-agent"
    answer = httpx.options(
        server.url + path,
        headers={"origin": ORIGIN, "access-control-request-method": method, "access-control-request-headers": needed},
    )
    assert answer.status_code == 200
    assert_open_to_origin(answer)
    assert method in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert set(needed.split(",")) <= allowed


async def test_every_answer_is_for_the_page_that_asked(server: Server) -> None:
    async with RawHttp.open(server, access_token(server)) as http:
        http.client.headers["origin"] = ORIGIN
        negotiated = await http.negotiate()
        answers: list[Any] = [negotiated, await http.get(), await http.get(accept=EVENT_STREAM), await http.delete()]
        http.query["id"] = negotiated.json()["connectionToken"]
        answers += [await http.get(), await http.post(HANDSHAKE), await http.get()]
        answers += [await http.delete(), await http.get()]
        http.query["access_token"] = "junk"
        answers += [await http.negotiate(), await http.get(accept=EVENT_STREAM)]
        for answer in answers:
            assert_open_to_origin(answer)
        expected = [200, 400, 400, 400, 200, 200, 200, 202, 404, 401, 401]
        assert [answer.status_code for answer in answers] == expected
    async with RawHttp.negotiated(server, access_token(server)) as http, http.event_stream(origin=ORIGIN) as stream:
        assert_open_to_origin(stream.response)
