"""Text in requests: what is not UTF-8 is a clean error wherever it stands, never a guess and never a 500."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.api.message import ApiRequest, error_response
from skubber.core.app import ApiKey, App
from skubber.core.connection import EndReason
from skubber.core.errors import InvalidRequestError, MethodNotAllowedError
from support.api_client import ApiClient
from support.apps import KEY, SECRET

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NOT_UTF8 = [b"\x80", b"%80", b"%FF", b"%C3", b"%C3(", b"%ED%A0%80", b"\xed\xa0\x80", b"%F5%80%80%80", b"%C0%80"]
LONE_SURROGATES = [r"\ud800", r"\udc00", r"x\ud800x", r"\udc00\ud800", r"\ud800\u0041", r"\uDBFF"]


def request(query: bytes) -> ApiRequest:
    return ApiRequest("GET", "/apps/4711/channels", query, [], b"")


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "parameters"),
        [
            (b"", []),
            (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
            (b"a=&b&=c", [("a", ""), ("b", ""), ("", "c")]),
            (b"&&a=1&", [("a", "1")]),
            (b"a=b=c", [("a", "b=c")]),
            (b"a=%26%3D%25+%2B%00", [("a", "&=% +\0")]),
            (b"channels%5B%5D=x&channels[]=y", [("channels[]", "x"), ("channels[]", "y")]),
            ("ü=é&x=%F0%9F%98%80".encode(), [("ü", "é"), ("x", "😀")]),
            (b"a=%&b=%zz&c=%2", [("a", "%"), ("b", "%zz"), ("c", "%2")]),
            (b"a=1;b=2", [("a", "1;b=2")]),
            (b"a=%2561", [("a", "%61")]),
        ],
    )
    def test_they_are_decoded_in_order(self, query: bytes, parameters: list[tuple[str, str]]) -> None:
        assert request(query).parameters() == parameters

    def test_one_is_asked_for_by_its_name(self) -> None:
        assert request(b"a=1&b=2&a=3").parameter("a") == "1"
        assert request(b"a=1").parameter("A") is None

    @given(st.lists(st.tuples(TEXT, TEXT)))
    def test_any_text_arrives_as_it_was_encoded(self, parameters: list[tuple[str, str]]) -> None:
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)
        # A nameless parameter without a value is nothing but an equals sign; it still is one.
        assert request(query.encode()).parameters() == parameters

    @pytest.mark.parametrize("text", NOT_UTF8)
    @pytest.mark.parametrize("query", [b"a=%b", b"%b=a", b"%b", b"name=e&data=%b&channel=c"])
    def test_what_is_not_utf8_is_refused(self, query: bytes, text: bytes) -> None:
        with pytest.raises(InvalidRequestError) as error:
            request(query.replace(b"%b", text)).parameters()
        assert error.value.code == "invalid_query"


@pytest.mark.parametrize("text", NOT_UTF8)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/apps/4711/events"), ("POST", "/apps/4711/batch_events"), ("GET", "/apps/4711/channels")],
)
async def test_a_query_that_is_not_utf8_is_refused(client: ApiClient, method: str, path: str, text: bytes) -> None:
    query = b"name=e&channel=c&data=" + text
    assert (await client.send(method, path, query)).error == (400, "invalid_query")
    credentials = f"&apiKey={KEY}&apiSecret={SECRET}".encode()
    assert (await client.send(method, path, query + credentials, [])).error == (400, "invalid_query")
    signature = f"&auth_key={KEY}&auth_signature=0".encode()
    assert (await client.send(method, path, query + signature, [])).error == (400, "invalid_query")


@pytest.mark.parametrize("text", ["%80", "%FF", "%C3", "a%ED%A0%80", "%C0%AE", "%f5%80%80%80"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apps/{}/channels"),
        ("GET", "/apps/4711/channels/{}"),
        ("GET", "/apps/4711/channels/{}/users"),
        ("POST", "/apps/4711/users/{}/terminate_connections"),
    ],
)
async def test_a_path_that_is_not_utf8_is_refused(client: ApiClient, method: str, path: str, text: str) -> None:
    assert (await client.send(method, path.format(text))).error == (400, "invalid_path")
    assert (await client.send(method, path.format(text), headers=[])).error == (400, "invalid_path")


@pytest.mark.parametrize("text", LONE_SURROGATES)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/events", '{"name":"?","data":"d","channel":"c"}'),
        ("/events", '{"name":"e","data":"?","channel":"c"}'),
        ("/events", '{"name":"e","data":"d","channel":"?"}'),
        ("/events", '{"name":"e","data":"d","channels":["c","?"]}'),
        ("/events", '{"name":"e","data":"d","channel":"c","socket_id":"?"}'),
        ("/events", '{"name":"e","data":"d","channel":"c","info":"?"}'),
        ("/events", '{"name":"e","data":"d","channel":"c","unknown":"?"}'),
        ("/events", '{"name":"e","data":"d","channel":"c","?":"unknown"}'),
        ("/batch_events", '{"batch":[{"name":"e","data":"?","channel":"c"}]}'),
        ("/batch_events", '{"batch":[{"name":"e","data":"d","channel":"c","?":1}]}'),
    ],
)
async def test_half_a_surrogate_pair_is_no_json(client: ApiClient, path: str, body: str, text: str) -> None:
    answer = await client.send("POST", f"/apps/4711{path}", body=body.replace("?", text).encode())
    assert answer.error == (400, "invalid_body")


@pytest.mark.parametrize("text", [b"\x80", b"\xff", b"\xed\xa0\x80", b"\xc3"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"?","data":"d","channel":"c"}',
        b'{"name":"e","data":"?","channel":"c"}',
        b'{"name":"e","data":"d","channel":"?"}',
        b'{"name":"e","data":"d","channel":"c","unknown":"?"}',
        b'{"name":"e","data":"d","channel":"c","unknown?":[{}]}',
        b"?",
    ],
)
async def test_a_body_that_is_not_utf8_is_no_json(client: ApiClient, body: bytes, text: bytes) -> None:
    answer = await client.send("POST", "/apps/4711/events", body=body.replace(b"?", text))
    assert answer.error == (400, "invalid_body")


async def test_a_whole_surrogate_pair_is_a_character(client: ApiClient) -> None:
    body = rb'{"name":"\ud83d\ude00","data":"\ud83d\ude00","channel":"c"}'
    assert (await client.send("POST", "/apps/4711/events", body=body)).status == 200


class TestPaths:
    @pytest.mark.parametrize(
        ("segment", "app_id"),
        [
            ("a%2Fb", "a/b"),
            ("a%252Fb", "a%2Fb"),
            ("%2e%2E", ".."),
            ("..", ".."),
            ("a%00b", "a\0b"),
            ("a+b", "a+b"),
            ("a%", "a%"),
            ("a%zz", "a%zz"),
            ("%C3%BC", "ü"),
            ("a;b=1", "a;b=1"),
        ],
    )
    async def test_a_segment_is_decoded_once(self, segment: str, app_id: str) -> None:
        client = ApiClient(App.with_keys(app_id, [ApiKey(KEY, SECRET)]))
        assert (await client.send("GET", f"/apps/{segment}/channels")).status == 200

    @pytest.mark.parametrize(
        "segment", ["a%2Fb", "%2Fusers", "a%2Fusers", "%2e%2e%2f", "a%00", "a%0A", "a%2561", "a%3F", "%23c"]
    )
    async def test_a_channel_name_is_checked_as_decoded(self, client: ApiClient, segment: str) -> None:
        for path in (f"/apps/4711/channels/{segment}", f"/apps/4711/channels/{segment}/users"):
            assert (await client.send("GET", path)).error == (400, "invalid_channel_name")

    async def test_dots_are_a_channels_name_and_lead_nowhere(self, client: ApiClient) -> None:
        assert (await client.send("GET", "/apps/4711/channels/..")).body == {"occupied": False}
        assert (await client.send("GET", "/apps/4711/channels/%2e%2e")).body == {"occupied": False}

    @pytest.mark.parametrize(
        ("segment", "user_id"),
        [
            ("a%2Fb", "a/b"),
            ("a%252Fb", "a%2Fb"),
            ("..", ".."),
            ("%00", "\0"),
            ("a%0Ab", "a\nb"),
            ("%EF%BF%BD", "\ufffd"),
        ],
    )
    async def test_a_user_id_is_any_text(self, client: ApiClient, segment: str, user_id: str) -> None:
        ours, others = client.node.connect(client.app, "1.1"), client.node.connect(client.app, "1.2")
        await client.node.subscribe(client.app, ours, "presence-c", user_id)
        await client.node.subscribe(client.app, others, "presence-c", "b")
        answer = await client.send("POST", f"/apps/4711/users/{segment}/terminate_connections")
        assert (answer.status, answer.body) == (200, {})
        assert (ours.ends, others.ends) == ([EndReason.TERMINATED], [])


def test_an_error_is_its_code_and_its_sentence_as_json() -> None:
    response = error_response(InvalidRequestError("some_code", 'Say "é".'))
    assert (response.status, response.headers) == (400, ())
    assert response.body == '{"code":"some_code","error":"Say \\"é\\"."}'.encode()


def test_a_refused_method_is_answered_with_those_allowed() -> None:
    response = error_response(MethodNotAllowedError("GET, POST"))
    assert (response.status, response.headers) == (405, ((b"allow", b"GET, POST"),))
