"""Microsoft's JavaScript client, in Node, over every transport in every encoding."""

from typing import Any

import pytest

from e2e.support.api import with_headers
from e2e.support.server import Server
from e2e.support.signalr import (
    SERVER_SENT_EVENTS,
    WAYS,
    WEBSOCKETS,
    SignalR,
    Way,
    access_token,
    hub_url,
    publish,
    publish_numbers,
    signature,
    user_signature,
)

over_every_way = pytest.mark.parametrize("way", WAYS, ids=" ".join)
TEXT = '{"a": 1, "s": "€𝄞\u2028\\u0000\\n"}\n\r\n\x1e \x00'
"""Awkward for everything on its way: newlines, a record separator, more than one byte a character."""

KINDS = [
    ("", False, False),
    ("cache-", False, False),
    ("private-", True, True),
    ("private-cache-", True, True),
    ("private-encrypted-", True, False),
    ("private-encrypted-cache-", True, False),
    ("presence-", True, True),
    ("presence-cache-", True, True),
]
"""Prefix, whether a subscription must be signed, whether clients may send events."""


def name_of(way: Way) -> str:
    """A part of channel names that no other way has."""
    return "-".join(way)


@over_every_way
async def test_a_subscriber_gets_what_is_published_in_order_until_it_unsubscribes(
    signalr: SignalR, server: Server, way: Way
) -> None:
    left, kept = f"left-{name_of(way)}", f"kept-{name_of(way)}"
    await signalr.connect(server, "a", way)
    assert await signalr.subscribe("a", left) == {"channel": left}
    await signalr.subscribe("a", kept)
    publish(server, left, "grüße", TEXT)
    assert await signalr.called("a", "Event") == [{"event": "grüße", "channel": left, "data": TEXT}]
    publish_numbers(server, left, range(200))
    assert await signalr.numbers("a", 200) == list(range(200))

    assert await signalr.invoke("a", "Unsubscribe", left) is None
    publish(server, left)
    publish(server, kept)
    assert await signalr.called("a", "Event") == [{"event": "greeting", "channel": kept, "data": "hello"}]

    await signalr.call("stop", client="a")
    assert (await signalr.told("a", "closed"))["error"] is None
    assert not signalr.unexpected("a")


@over_every_way
async def test_members_see_each_other_come_speak_and_go(signalr: SignalR, server: Server, way: Way) -> None:
    channel = f"presence-{name_of(way)}"
    ann, bob = ({"userId": user, "userInfo": {"name": user}} for user in ("ann", "bob"))
    await signalr.connect(server, "ann", way)
    assert await signalr.subscribe("ann", channel) == {"channel": channel, "members": [ann], "me": ann}
    await signalr.connect(server, "bob", way)
    assert await signalr.subscribe("bob", channel) == {"channel": channel, "members": [ann, bob], "me": bob}
    assert await signalr.called("ann", "MemberAdded") == [{"channel": channel, **bob}]

    assert await signalr.invoke("ann", "Trigger", channel, "client-typing", {"on": [True, None, 1.5, "é"]}) is None
    said = {"event": "client-typing", "channel": channel, "data": {"on": [True, None, 1.5, "é"]}, "userId": "ann"}
    assert await signalr.called("bob", "Event") == [said]

    await signalr.call("stop", client="bob")
    assert await signalr.called("ann", "MemberRemoved") == [{"channel": channel, "userId": "bob"}]
    assert with_headers(server, "GET", f"/channels/{channel}/users").json() == {"users": [{"id": "ann"}]}
    assert not signalr.unexpected("ann")


@over_every_way
async def test_a_channel_can_be_had_as_a_stream(signalr: SignalR, server: Server, way: Way) -> None:
    channel = f"stream-{name_of(way)}"
    await signalr.connect(server, "a", way)
    await signalr.connect(server, "observer", way)
    await signalr.subscribe("observer", channel)
    await signalr.call("stream", client="a", stream="s", method="StreamEvents", args=[channel])
    await signalr.subscribe("a", "after")  # the server has opened the stream before it
    for data in "12":
        publish(server, channel, data=data)
    items = [(await signalr.message(lambda m: m.get("kind") == "item"))["item"] for _ in "12"]
    assert items == [{"event": "greeting", "channel": channel, "data": data} for data in "12"]

    await signalr.call("cancel", stream="s")
    await signalr.invoke("a", "Unsubscribe", "after")
    publish(server, channel, data="3")
    assert [(await signalr.called("observer", "Event"))[0]["data"] for _ in "123"] == ["1", "2", "3"]
    assert (await signalr.subscribe("a", channel)) == {"channel": channel}
    assert not signalr.seen(lambda m: m.get("kind") in {"item", "failed", "call"})


@over_every_way
async def test_everything_goes_over_tls_with_the_token_in_the_header(
    tls_signalr: SignalR, tls_server: Server, way: Way
) -> None:
    token = access_token(tls_server, userId="ann", channels=["private-*"])
    await tls_signalr.connect(tls_server, "a", way, hub_url(tls_server, userId="ann"), token=token)
    channel = f"private-{name_of(way)}"
    await tls_signalr.subscribe("a", channel)
    publish(tls_server, channel, data="x" * 10_000)
    assert (await tls_signalr.called("a", "Event"))[0]["data"] == "x" * 10_000
    await tls_signalr.call("stop", client="a")


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_a_refused_call_says_why_and_the_connection_lives(
    signalr: SignalR, server: Server, protocol: str
) -> None:
    await signalr.connect(server, "a", (WEBSOCKETS, protocol), hub_url(server, access_token(server)))

    async def refusal(method: str, *args: Any) -> str:
        with pytest.raises(AssertionError) as error:
            await signalr.invoke("a", method, *args)
        return str(error.value)

    assert "There is no method 'Explode'" in await refusal("Explode")
    assert "Call Subscribe(channel, auth?, channelData?)" in await refusal("Subscribe")
    assert "Call Subscribe(channel, auth?, channelData?)" in await refusal("Subscribe", 7)
    assert "Call Trigger(channel, event, data)" in await refusal("Trigger", "a", "b", "c", "d")
    assert "(invalid_channel_name)" in await refusal("Subscribe", "no spaces")
    assert (await signalr.called("a", "SubscriptionError"))[0]["code"] == "invalid_channel_name"
    assert "(invalid_signature)" in await refusal("Subscribe", "private-refused")
    (error,) = await signalr.called("a", "SubscriptionError")
    assert (error["channel"], error["code"], error["status"]) == ("private-refused", "invalid_signature", 401)
    assert "(not_subscribed)" in await refusal("Trigger", "private-refused", "client-x", 1)
    assert "(invalid_signature)" in await refusal("SignIn", "wrong:wrong", '{"id":"eve"}')
    await signalr.subscribe("a", "refused-no-more")
    assert "(already_subscribed)" in await refusal("Subscribe", "refused-no-more")


async def test_a_refused_call_that_wants_no_answer_is_reported_as_a_call_of_error(
    signalr: SignalR, server: Server
) -> None:
    await signalr.connect(server, "a")
    await signalr.call("send", client="a", method="Trigger", args=["public", "client-x", 1])
    (error,) = await signalr.called("a", "Error")
    assert (error["code"], error["error"][-1]) == ("not_subscribed", ".")


@pytest.mark.parametrize(
    ("stream", "args", "reason"),
    [("StreamEvents", ["private-stream"], "(invalid_signature)"), ("Countdown", [3], "There is no stream 'Countdown'")],
)
async def test_a_refused_stream_says_why(
    signalr: SignalR, server: Server, stream: str, args: list[Any], reason: str
) -> None:
    await signalr.connect(server, "a", url=hub_url(server, access_token(server)))
    await signalr.call("stream", client="a", stream="s", method=stream, args=args)
    assert reason in (await signalr.message(lambda m: m.get("kind") == "failed"))["error"]
    await signalr.subscribe("a", "public-after-stream")


@pytest.mark.parametrize("way", [WAYS[0], WAYS[-1]], ids=" ".join)
async def test_streams_from_the_client_are_refused_and_the_connection_lives(
    signalr: SignalR, server: Server, way: Way
) -> None:
    await signalr.connect(server, "a", way)
    with pytest.raises(AssertionError, match=r"No method takes streams from the client\. \(client_stream\)"):
        await signalr.call("upload", client="a", method="Subscribe", items=[1, 2, 3])
    await signalr.subscribe("a", f"after-upload-{name_of(way)}")
    assert not signalr.unexpected("a")


async def test_every_kind_of_channel_takes_a_signature_where_it_needs_one(signalr: SignalR, server: Server) -> None:
    url = hub_url(server, access_token(server))
    clients = {client: await signalr.connect(server, client, url=url) for client in ("sender", "receiver")}
    for prefix, is_signed, speaks in KINDS:
        channel = f"{prefix}kind"
        member = {"user_id": "ann", "user_info": {"name": "Ann"}} if prefix.startswith("presence-") else None
        for client, connection_id in clients.items():
            result = await signalr.subscribe(
                client, channel, *(signature(connection_id, channel, member) if is_signed else ())
            )
            assert result.get("me") == ({"userId": "ann", "userInfo": {"name": "Ann"}} if member else None)
        publish(server, channel)
        for client in clients:
            assert (await signalr.called(client, "Event"))[0]["channel"] == channel
        call = signalr.invoke("sender", "Trigger", channel, "client-x", [1])
        if not speaks:
            with pytest.raises(AssertionError, match="client_event_channel"):
                await call
            continue
        await call
        said = {"event": "client-x", "channel": channel, "data": [1], **({"userId": "ann"} if member else {})}
        assert await signalr.called("receiver", "Event") == [said]
    for client in clients:
        assert not signalr.unexpected(client)


async def test_a_signature_for_another_connection_or_channel_is_refused(signalr: SignalR, server: Server) -> None:
    url = hub_url(server, access_token(server))
    own, other = [await signalr.connect(server, client, url=url) for client in ("own", "other")]
    for auth in (signature(other, "private-mine"), signature(own, "private-other")):
        with pytest.raises(AssertionError, match="invalid_signature"):
            await signalr.invoke("own", "Subscribe", "private-mine", *auth)
    await signalr.invoke("own", "Subscribe", "private-mine", *signature(own, "private-mine"))


async def test_a_user_signs_in_and_gets_events_of_its_own(signalr: SignalR, server: Server) -> None:
    connection_id = await signalr.connect(server, "a", url=hub_url(server, access_token(server)))
    assert await signalr.invoke("a", "SignIn", *user_signature(connection_id, {"id": "ida"})) == {"userId": "ida"}
    await signalr.connect(server, "b", url=hub_url(server, access_token(server, userId="ida")))
    publish(server, "#server-to-user-ida")
    for client in "ab":
        (event,) = await signalr.called(client, "Event")
        assert (event["channel"], event["data"]) == ("#server-to-user-ida", "hello")


async def test_a_user_id_in_the_url_alone_gets_no_events_of_the_user(signalr: SignalR, server: Server) -> None:
    await signalr.connect(server, "liar", url=hub_url(server, access_token(server, channels=["*"]), userId="victim"))
    with pytest.raises(AssertionError, match="user_required"):
        await signalr.invoke("liar", "Subscribe", "presence-victims")
    await signalr.subscribe("liar", "public-victims")
    publish(server, "#server-to-user-victim")
    publish(server, "public-victims")
    assert (await signalr.called("liar", "Event"))[0]["channel"] == "public-victims"


async def test_a_grant_opens_the_channels_it_names_and_no_others(signalr: SignalR, server: Server) -> None:
    token = access_token(server, channels=["private-orders.*", "private-one"], permissions=["subscribe"])
    await signalr.connect(server, "a", url=hub_url(server, token))
    for channel in ("private-orders.7", "private-orders.", "private-one"):
        await signalr.subscribe("a", channel)
    for channel in ("private-order", "private-onE", "private-one-more", "Private-x private-one"):
        with pytest.raises(AssertionError, match=r"invalid_signature|invalid_channel_name"):
            await signalr.invoke("a", "Subscribe", channel)
    with pytest.raises(AssertionError, match="not_permitted"):
        await signalr.invoke("a", "Trigger", "private-one", "client-x", 1)


async def test_a_publisher_can_exclude_a_connection(signalr: SignalR, server: Server) -> None:
    ids = [await signalr.connect(server, client, way) for client, way in zip("abc", WAYS, strict=False)]
    for client in "abc":
        await signalr.subscribe(client, "exclusion")
    for excluded in ids:
        publish(server, "exclusion", data=excluded, socket_id=excluded)
    for client, own in zip("abc", ids, strict=True):
        received = [(await signalr.called(client, "Event"))[0]["data"] for _ in "12"]
        assert received == [each for each in ids if each != own]
        assert not signalr.unexpected(client)


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_events_are_calls_of_their_own_names_where_the_url_says_so(
    signalr: SignalR, server: Server, protocol: str
) -> None:
    url = hub_url(server, access_token(server, userId="ann", channels=["*"]), dispatch="name")
    await signalr.connect(server, "a", (WEBSOCKETS, protocol), url, targets=["order-shipped", "client-typing"])
    await signalr.connect(server, "b")
    for client in "ab":
        await signalr.subscribe(client, "presence-names")
    publish(server, "presence-names", "order-shipped", '{"orderId":42}')
    assert await signalr.called("a", "order-shipped") == ['{"orderId":42}', {"channel": "presence-names"}]
    await signalr.invoke("b", "Trigger", "presence-names", "client-typing", {"on": True})
    assert await signalr.called("a", "client-typing") == [{"on": True}, {"channel": "presence-names", "userId": "b"}]
    publish(server, "presence-names", "memberADDED", "forged")
    forged = {"event": "memberADDED", "channel": "presence-names", "data": "forged"}
    assert await signalr.called("a", "Event") == [forged]
    assert await signalr.called("a", "MemberAdded") == [
        {"channel": "presence-names", "userId": "b", "userInfo": {"name": "b"}}
    ]
    assert not signalr.unexpected("a")


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_negotiation_can_be_skipped(signalr: SignalR, server: Server, protocol: str) -> None:
    await signalr.connect(server, "a", (WEBSOCKETS, protocol), skipNegotiation=True)
    await signalr.subscribe("a", "presence-skipped")
    publish(server, "presence-skipped")
    assert (await signalr.called("a", "Event"))[0]["channel"] == "presence-skipped"


async def test_the_client_shows_why_it_is_not_let_in(signalr: SignalR, server: Server) -> None:
    for url, status in (
        (hub_url(server), "401"),
        (hub_url(server, access_token(server, userId="a"), userId="b"), "403"),
    ):
        with pytest.raises(AssertionError, match=f"Status code '{status}'"):
            await signalr.connect(server, "a", url=url)
    for transport in (WEBSOCKETS, SERVER_SENT_EVENTS):
        with pytest.raises(AssertionError, match="Status code '401'"):
            await signalr.connect(server, "a", (transport, "json"), hub_url(server, "junk"))
