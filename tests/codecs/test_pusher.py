import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs import pusher
from skubber.codecs.pusher import PusherWireFormat
from skubber.core.errors import InvalidRequestError
from skubber.core.event import Event, MemberAdded, MemberRemoved
from skubber.core.presence import PresenceMember

PLAIN = PusherWireFormat(bytes)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda values: st.lists(values) | st.dictionaries(TEXT, values),
    max_leaves=6,
)
NESTED = b"[" * 100_000 + b"]" * 100_000


def decoded(message: bytes) -> Any:
    return json.loads(message.decode())


def encoded(event: Event, channel: str = "c") -> Any:
    return decoded(PLAIN.encode(event, channel))


class TestDecodingMessages:
    def test_a_message_is_its_event_data_and_channel(self) -> None:
        message = pusher.decode_message(b'{"event":"client-x","channel":"private-c","data":{"a":[1]},"more":1}')
        assert (message.event, message.channel, bytes(message.data)) == ("client-x", "private-c", b'{"a":[1]}')

    def test_data_and_channel_may_be_left_out(self) -> None:
        message = pusher.decode_message(b'{"event":"pusher:ping"}')
        assert (message.channel, bytes(message.data)) == (None, b"null")

    def test_data_keeps_its_type_and_its_very_bytes(self) -> None:
        for data in (b"1.50", b'"a\\u0041"', b"null", b"true", b'{ "a" : 1 }', b"[]"):
            assert bytes(pusher.decode_message(b'{"event":"e","data":%b}' % data).data) == data

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"junk",
            b"[]",
            b"{}",
            b"null",
            b'"event"',
            b'{"event":1}',
            b'{"event":null}',
            b'{"event":"e"',
            b'{"event":"e"} {}',
            b'{"event":"e","channel":7}',
            b'{"event":"\\ud800"}',
            b'{"event":"e","channel":"\\udc00\\ud800"}',
            b'{"event":"\xff"}',
            b'{"event":"e","data":NaN}',
            b'{"event":"e","data":"raw\nnewline"}',
            b'{"event":"e","data":"\\q"}',
            b'{"event":"e","data":01}',
            b'{"event":"e","data":[1,]}',
            b'{"event":"e","data":"\\ud800"}',
            b'{"event":"e","data":%b}' % NESTED,
            NESTED,
            b"\xef\xbb\xbf{}",
        ],
    )
    def test_what_is_no_message_is_refused(self, text: bytes) -> None:
        with pytest.raises(InvalidRequestError) as error:
            pusher.decode_message(text)
        assert error.value.code == "invalid_message"
        error.value.message.encode()

    @given(st.binary())
    def test_any_bytes_are_a_message_or_refused(self, text: bytes) -> None:
        with contextlib.suppress(InvalidRequestError):
            pusher.decode_message(text)

    @given(JSON)
    def test_any_json_is_a_message_or_refused(self, value: Any) -> None:
        with pytest.raises(InvalidRequestError):
            pusher.decode_message(json.dumps([value]).encode())
        message = pusher.decode_message(json.dumps({"event": "e", "data": value}).encode())
        assert decoded(bytes(message.data)) == value


class TestDecodingSubscriptions:
    @pytest.mark.parametrize(
        "data",
        [
            {"channel": "c", "auth": "K:s", "channel_data": '{"user_id":"1"}', "more": []},
            json.dumps({"channel": "c", "auth": "K:s", "channel_data": '{"user_id":"1"}'}),
        ],
    )
    def test_data_is_an_object_or_a_string_of_one(self, data: Any) -> None:
        request = pusher.decode_subscribe(msgspec.Raw(json.dumps(data).encode()))
        assert (request.channel, request.auth, request.channel_data) == ("c", "K:s", '{"user_id":"1"}')

    def test_auth_and_channel_data_may_be_left_out_or_null(self) -> None:
        for data in (b'{"channel":"c"}', b'{"channel":"c","auth":null,"channel_data":null}'):
            request = pusher.decode_subscribe(msgspec.Raw(data))
            assert (request.channel, request.auth, request.channel_data) == ("c", None, None)

    @pytest.mark.parametrize(
        "data",
        [
            b"null",
            b"",
            b"{}",
            b"[]",
            b'"c"',
            b'""',
            b'"{}"',
            b'"',
            b'{"channel":7}',
            b'{"channel":null}',
            b'{"channel":"c","auth":{}}',
            b'{"channel":"c","channel_data":{"user_id":"1"}}',
            b'{"channel":"\\ud800"}',
            b'"\xff"',
            NESTED,
        ],
    )
    def test_what_is_no_subscription_is_refused(self, data: bytes) -> None:
        with pytest.raises(InvalidRequestError) as error:
            pusher.decode_subscribe(msgspec.Raw(data))
        assert error.value.code == "invalid_subscription"

    @given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
    def test_any_bytes_are_a_subscription_or_refused(self, data: bytes) -> None:
        with contextlib.suppress(InvalidRequestError):
            pusher.decode_subscribe(msgspec.Raw(data))


class TestEncoding:
    @given(TEXT, TEXT, TEXT)
    def test_published_data_arrives_as_the_string_that_was_published(self, name: str, channel: str, data: str) -> None:
        event = Event(name, msgspec.json.encode(data))
        assert encoded(event, channel) == {"event": name, "channel": channel, "data": data}

    @pytest.mark.parametrize("data", ["", "\0\x1f\x7f", '"', "\\", "\u2028\u2029", "𝄞", '{"a":"\\""}', "</script>"])
    def test_awkward_data_arrives_as_published(self, data: str) -> None:
        assert encoded(Event("e", msgspec.json.encode(data)))["data"] == data

    @given(JSON)
    def test_the_data_of_a_client_event_keeps_its_type(self, data: Any) -> None:
        event = Event("client-x", json.dumps(data).encode(), "ada")
        assert encoded(event) == {"event": "client-x", "channel": "c", "data": data, "user_id": "ada"}

    def test_only_an_event_with_a_sender_names_one(self) -> None:
        assert "user_id" not in encoded(Event("e", b"1"))

    @given(TEXT, JSON)
    def test_an_arrival_carries_the_member_as_a_string_of_json(self, user_id: str, info: Any) -> None:
        message = encoded(MemberAdded(user_id, json.dumps(info).encode()), "presence-c")
        assert message.keys() == {"event", "channel", "data"}
        assert (message["event"], message["channel"]) == ("pusher_internal:member_added", "presence-c")
        assert json.loads(message["data"]) == {"user_id": user_id, "user_info": info}

    @given(TEXT)
    def test_a_departure_names_the_user(self, user_id: str) -> None:
        message = encoded(MemberRemoved(user_id), "presence-c")
        assert (message["event"], message["channel"]) == ("pusher_internal:member_removed", "presence-c")
        assert json.loads(message["data"]) == {"user_id": user_id}

    def test_the_data_is_encoded_once_for_a_hundred_channels(self) -> None:
        event = Event("e", b'"data"')
        PLAIN.encode(event, "first")
        assert list(event.encoded) == [PLAIN]
        event.encoded[PLAIN] = (b"<head>", b"<tail>")
        for number in range(100):
            assert PLAIN.encode(event, str(number)) == b'<head>"%d"<tail>' % number

    def test_each_format_keeps_its_own_pieces_and_wraps_its_own_frame(self) -> None:
        framed = PusherWireFormat(lambda message: b"<" + message + b">")
        event = Event("e", b"1")
        assert framed.encode(event, "c") == b"<" + PLAIN.encode(event, "c") + b">"
        assert set(event.encoded) == {framed, PLAIN}


class TestServerMessages:
    def test_the_greeting_names_the_socket_and_the_timeout(self) -> None:
        message = decoded(pusher.connection_established("1.2", 120))
        assert message["event"] == "pusher:connection_established"
        assert json.loads(message["data"]) == {"socket_id": "1.2", "activity_timeout": 120}

    @given(TEXT)
    def test_a_success_names_the_channel(self, channel: str) -> None:
        assert decoded(pusher.subscription_succeeded(channel)) == {
            "event": "pusher_internal:subscription_succeeded",
            "channel": channel,
            "data": "{}",
        }

    @given(TEXT, st.dictionaries(TEXT, JSON, max_size=4))
    def test_a_presence_success_lists_everyone(self, channel: str, users: dict[str, Any]) -> None:
        members = [PresenceMember(user, json.dumps(info).encode()) for user, info in users.items()]
        message = decoded(pusher.presence_subscription_succeeded(channel, members))
        assert (message["event"], message["channel"]) == ("pusher_internal:subscription_succeeded", channel)
        assert json.loads(message["data"]) == {"presence": {"ids": list(users), "hash": users, "count": len(users)}}

    @given(TEXT, TEXT)
    def test_a_refusal_says_which_channel_and_why(self, channel: str, reason: str) -> None:
        assert decoded(pusher.subscription_error(channel, "AuthError", reason, 401)) == {
            "event": "pusher:subscription_error",
            "channel": channel,
            "data": {"type": "AuthError", "error": reason, "status": 401},
        }

    @pytest.mark.parametrize("code", [None, 4009])
    def test_an_error_is_an_object_with_its_code(self, code: int | None) -> None:
        assert decoded(pusher.error(code, "Nö.")) == {"event": "pusher:error", "data": {"code": code, "message": "Nö."}}

    def test_ping_and_pong_have_data_that_parses(self) -> None:
        assert decoded(pusher.PING) == {"event": "pusher:ping", "data": "{}"}
        assert decoded(pusher.PONG) == {"event": "pusher:pong", "data": "{}"}

    def test_the_close_codes_are_those_of_the_protocol(self) -> None:
        assert {code.name: code.value for code in pusher.CloseCode} == {
            "TLS_ONLY": 4000,
            "NO_SUCH_APP": 4001,
            "APP_DISABLED": 4003,
            "OVER_CONNECTION_QUOTA": 4004,
            "PATH_NOT_FOUND": 4005,
            "INVALID_VERSION": 4006,
            "UNSUPPORTED_VERSION": 4007,
            "NO_VERSION": 4008,
            "UNAUTHORIZED": 4009,
            "OVER_CAPACITY": 4100,
            "RECONNECT": 4200,
            "PONG_NOT_RECEIVED": 4201,
        }
