"""Which request goes where, and what every answer has in common."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skubber.api.endpoints import ENDPOINTS
from skubber.api.message import ApiRequest
from skubber.core.app import ApiKey, App
from support.api_client import ApiClient, key_headers, signed_query
from support.apps import DISABLED_KEY, DISABLED_SECRET, KEY, OTHER_KEY, OTHER_SECRET, SECRET

PATHS = sorted({endpoint.path for endpoint in ENDPOINTS})


def concrete(path: str) -> str:
    """A path of the table with its variables filled in."""
    return path.format(appId="4711", channelName="presence-c", userId="ada")


def test_the_endpoints_are_those_of_the_contract() -> None:
    assert [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS] == [
        ("POST", "/apps/{appId}/events"),
        ("POST", "/apps/{appId}/batch_events"),
        ("GET", "/apps/{appId}/channels"),
        ("GET", "/apps/{appId}/channels/{channelName}"),
        ("GET", "/apps/{appId}/channels/{channelName}/users"),
        ("POST", "/apps/{appId}/users/{userId}/terminate_connections"),
        ("POST", "/apps/{appId}/channels/{channelName}/events"),
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "get", ""])
async def test_a_path_takes_its_own_method_only_and_says_which(client: ApiClient, method: str, path: str) -> None:
    allowed = [endpoint.method for endpoint in ENDPOINTS if endpoint.path == path]
    answer = await client.send(method, concrete(path))
    if method in allowed:
        assert answer.status in {200, 400}
    else:
        assert answer.error == (405, "method_not_allowed")
        assert answer.headers == {b"allow": ", ".join(allowed).encode()}


@pytest.mark.parametrize(
    "path",
    [
        "/apps/",
        "/apps/4711",
        "/apps/4711/",
        "/apps//events",
        "/apps/4711/Events",
        "/apps/4711/events/",
        "/apps/4711/event",
        "/apps/4711/events/x",
        "/apps/4711/channels/",
        "/apps/4711/channels//users",
        "/apps/4711/channels/c/users/",
        "/apps/4711/channels/c/users/u",
        "/apps/4711/users//terminate_connections",
        "/apps/4711/users/ada",
        "/apps/4711//events",
        "/apps/4711/%65vents",
        "/apps/../apps/4711/events",
        "/apps/" + "x/" * 1000,
    ],
)
async def test_any_other_path_is_not_found(client: ApiClient, path: str) -> None:
    for method in ("GET", "POST", "HEAD"):
        assert (await client.send(method, path)).error == (404, "not_found")


async def test_an_unknown_app_is_not_found_whatever_the_credentials(client: ApiClient) -> None:
    for path in (
        "/apps/nobody/channels",
        "/apps/4711%20/channels",
        "/apps/%ef%bf%bd/channels",
        "/apps/4711%00/channels",
    ):
        assert (await client.send("GET", path)).error == (404, "no_such_app")
        assert (await client.send("GET", path, headers=[])).error == (404, "no_such_app")


async def test_a_disabled_app_is_forbidden_to_who_holds_its_key_and_closed_to_others(client: ApiClient) -> None:
    path = "/apps/disabled/channels"
    answer = await client.send("GET", path, headers=key_headers(DISABLED_KEY, DISABLED_SECRET))
    assert answer.error == (403, "app_disabled")
    signed = signed_query("GET", path, key=DISABLED_KEY, secret=DISABLED_SECRET)
    assert (await client.send("GET", path, signed, [])).error == (403, "app_disabled")
    assert (await client.send("GET", path, headers=key_headers(KEY, SECRET))).error == (401, "invalid_credentials")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
async def test_no_endpoint_answers_without_credentials(client: ApiClient, endpoint: object) -> None:
    method, path = endpoint.method, concrete(endpoint.path)  # type: ignore[attr-defined]
    assert (await client.send(method, path, headers=[])).error == (401, "missing_credentials")
    others = key_headers(OTHER_KEY, OTHER_SECRET)
    assert (await client.send(method, path, headers=others)).error == (401, "invalid_credentials")


@pytest.mark.parametrize("app_id", ["myapp", "with space", "a/b", "ünï", "a%2Fb", "channels", "𝄞"])
async def test_an_app_id_may_be_any_text_percent_encoded(app_id: str) -> None:
    client = ApiClient(App.with_keys(app_id, [ApiKey(KEY, SECRET)]))
    assert (await client.send("GET", f"/apps/{quote(app_id, safe='')}/channels")).status == 200


async def test_the_routes_of_long_paths_are_not_remembered(client: ApiClient) -> None:
    for number in range(10):
        await client.send("GET", f"/apps/{number}{'x' * 1000}/channels", headers=[])
    assert client.api._cached_route.cache_info().currsize == 0
    path = "/apps/4711/channels/" + "c" * 200
    assert (await client.send("GET", path)).status == (await client.send("GET", path)).status == 200
    assert client.api._cached_route.cache_info().hits == 1


async def test_a_failure_of_ours_is_answered_500_without_its_details(client: ApiClient) -> None:
    client.api._apps = None  # type: ignore[assignment]
    answer = await client.send("GET", "/apps/4711/channels")
    assert answer.error == (500, "internal_error")
    assert "NoneType" not in json.dumps(answer.body)


STATUSES = {200, 202, 400, 401, 403, 404, 405, 413}
METHODS = st.sampled_from(["GET", "POST"]) | st.sampled_from(["HEAD", "PUT"]) | st.text(max_size=5)
SEGMENT = st.sampled_from(["4711", "disabled", "events", "batch_events", "channels", "users", "%ff", ""]) | st.text(
    max_size=5
)
ANY_PATH = st.lists(SEGMENT, max_size=5).map(lambda segments: "/apps/" + "/".join(segments))
PATH = st.sampled_from([concrete(path) for path in PATHS]) | ANY_PATH
NAME = st.sampled_from(
    ["name", "data", "channel", "channels[]", "info", "filter_by_prefix", "socket_id", "auth_key", "auth_timestamp"]
).map(str.encode) | st.binary(max_size=5)
VALUE = (
    st.sampled_from(["e", "c", "presence-c", "user_count", "1.2", "pusher:x", "", "%ed%a0%80", KEY]).map(str.encode)
    | st.binary(max_size=10)
    | st.text(st.characters(), max_size=5).map(lambda text: quote(text, errors="surrogatepass").encode())
)
# The query may stand for the body of a publish; written so, it often enough is a complete one.
PUBLISH = st.fixed_dictionaries({b"name": VALUE, b"data": VALUE, b"channel": st.just(b"c") | VALUE}).map(
    lambda fields: b"&".join(map(b"=".join, fields.items()))
)
QUERY = PUBLISH | st.lists(st.tuples(NAME, VALUE).map(b"=".join), max_size=6).map(b"&".join) | st.binary(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=4,
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(st.characters(), max_size=4) | JSON,
        "data": st.text(st.characters(), max_size=4) | JSON,
        "channel": st.text(max_size=4) | st.just("presence-c") | JSON,
        "channels": st.lists(st.just("c") | st.text(max_size=4), max_size=3) | JSON,
        "socket_id": st.just("1.2") | JSON,
        "info": st.just("user_count,subscription_count") | JSON,
    },
)
BODY = (
    st.just(b"")
    | st.binary(max_size=30)
    | JSON.map(lambda value: json.dumps(value).encode())
    | EVENT.map(lambda event: json.dumps(event).encode())
    | st.lists(EVENT, max_size=3).map(lambda batch: json.dumps({"batch": batch}).encode())
)
HEADERS = st.just(key_headers()) | st.lists(
    st.tuples(st.sampled_from([b"x-api-key", b"x-api-secret", b"x"]), st.binary(max_size=5)), max_size=3
)


@settings(max_examples=600, deadline=None)
@given(METHODS, PATH, QUERY, HEADERS, BODY)
async def test_any_request_is_answered_with_json_and_a_documented_status(
    method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    client = ApiClient()
    listener = client.node.connect(client.app, "1.1")
    await client.node.subscribe(client.app, listener, "c")
    response = await client.api.answer(ApiRequest(method, path, query, headers, body))
    assert response.status in STATUSES, response.body
    assert isinstance(json.loads(response.body), dict)
    client.node.iteration.end()
