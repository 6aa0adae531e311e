"""The admin API: who may do what, and that what is sent is not trusted."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from skubber.history.history import Grain, History
from skubber.history.live import LiveSample
from skubber.store import tables
from skubber.store.administration.administration import Administration
from skubber.store.apps import AppRegistry
from skubber.web.admin.endpoint import AdminEndpoint
from skubber.web.admin.endpoints import ADMIN_ENDPOINTS
from skubber.web.admin.event_stream import EventStreams
from skubber.web.admin.examples import PATH_EXAMPLES
from skubber.web.admin.routes import admin_routes
from skubber.web.admin.services import AdminServices
from skubber.web.admin.stats import Stats
from skubber.web.application import web_application
from skubber.webhooks.trial import Trial
from support.insight import Client, insight
from support.node import Node
from support.office import Office
from support.recording import LegibleFormat, RecordingConnection
from web.admin.conftest import AdminSite
from web.conftest import lifespan

ENDPOINTS = pytest.mark.parametrize("endpoint", ADMIN_ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
WITH_BODY = pytest.mark.parametrize(
    "endpoint", [each for each in ADMIN_ENDPOINTS if each.request], ids=lambda endpoint: endpoint.operation_id
)


def path(endpoint: AdminEndpoint) -> str:
    return endpoint.path.format(**PATH_EXAMPLES)


def method(endpoint: AdminEndpoint) -> str:
    """How to ask for an answer that ends: a stream's head is enough."""
    return "HEAD" if endpoint.event else endpoint.method


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, which must come with a sentence."""
    body = answer.json()
    assert body.keys() == {"code", "error"}
    assert body["error"].endswith(".")
    return answer.status_code, body["code"]


async def make_shop(admin: AdminSite) -> str:
    """An app ``4711``; returns its key."""
    answer = await admin.owner.post("/apps", json={"id": "4711"})
    key: str = answer.json()["key"]["key"]
    return key


@ENDPOINTS
async def test_without_a_good_token_nothing_is_answered(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    for authorization in (b"", b"Bearer", b"Bearer wrong", b"Basic wrong", b"Bearer mpa_\xff"):
        headers = {b"Authorization": authorization}
        answer = await admin.stranger.request(endpoint.method, path(endpoint), headers=headers)
        assert error(answer) == (401, "invalid_admin_token")
        assert answer.headers["www-authenticate"] == 'Bearer realm="skubber"'
        assert answer.headers["cache-control"] == "no-store"


@ENDPOINTS
async def test_a_read_only_token_may_look_and_change_nothing(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    await make_shop(admin)
    await admin.serve()
    app = admin.apps.find("4711")
    assert app is not None
    Client(admin.node, app, PATH_EXAMPLES["socketId"])
    await admin.owner.post("/apps/4711/webhooks", json={"url": "https://example.com"})
    async with admin.office.database.writing() as connection:
        await connection.execute(update(tables.webhooks).values(id=PATH_EXAMPLES["webhookId"]))
    before = len(await admin.office.record())
    answer = await admin.reader.request(method(endpoint), path(endpoint))
    if endpoint.method == "GET":
        assert answer.status_code == 200
    else:
        assert error(answer) == (403, "read_only_token")
    assert len(await admin.office.record()) == before


@ENDPOINTS
async def test_answers_are_for_nobody_else(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    answer = await admin.owner.request(method(endpoint), path(endpoint), headers={"Origin": "https://evil.example"})
    assert answer.headers["cache-control"] == "no-store"
    assert not [name for name in answer.headers if name.startswith("access-control")]


NO_JSON = (b"{", b"[]", b"null", b'"text"', b"\xff", b'{"colour":1}', b"[" * 20_000, b'{"id":"\\ud800"}', b"\0")


@WITH_BODY
async def test_a_body_that_makes_no_sense_is_refused(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    for body in NO_JSON:
        answer = await admin.owner.request(endpoint.method, path(endpoint), content=body)
        assert error(answer) == (400, "invalid_body"), body


WRONG: dict[str, list[dict[str, Any]]] = {
    "createApp": [{"id": 4711}, {"id": "a\0"}, {"id": "x" * 101}, {"plan": None}, {"limits": {"channels": "many"}}],
    "editApp": [{"id": "other"}, {"plan": "\n"}, {"enabled": None}, {"limits": None}],
    "createKey": [{"name": "\0"}, {"name": "x" * 101}, {"scopes": "publish"}, {"expiresAt": "tomorrow"}],
    "editKey": [{"name": None}, {"scopes": []}, {"secret": "s"}, {"expiresAt": "2100-01-01T00:00:00"}],
    "rotateKey": [{"overlap": -1}, {"overlap": 1e9}, {"overlap": "1"}],
    "createWebhook": [{}, {"url": "x"}, {"url": 1}, {"url": "https://a", "events": ["x"]}, {"url": "https://a\0"}],
    "editWebhook": [{"url": None}, {"headers": {"a b": "c"}}, {"headers": {"a": "\r\n"}}, {"appId": "other"}],
    "putPlan": [{"limits": {"channels": -1}}, {"limits": {"x": 1}}, {"limits": []}, {"name": "other"}],
    "replayDeadLetters": [{"ids": 1}, {"ids": ["1"]}, {"ids": [0]}, {"ids": [1.5]}, {"ids": [2**63]}, {"all": True}],
    "publishEvent": [{}, {"channels": "c", "name": "n", "data": ""}, {"channels": ["c"], "name": "n", "data": {}}],
    "createToken": [{}, {"name": ""}, {"name": "\x7f"}, {"name": "n", "role": "king"}, {"name": "n", "token": "t"}],
}


@WITH_BODY
async def test_fields_that_make_no_sense_are_refused(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    await make_shop(admin)
    before = len(await admin.office.record())
    for body in WRONG[endpoint.operation_id]:
        answer = await admin.owner.request(endpoint.method, path(endpoint), json=body)
        assert error(answer) == (400, "invalid_body"), body
    assert len(await admin.office.record()) == before


@ENDPOINTS
async def test_a_query_parameter_that_it_does_not_take_is_refused(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    answer = await admin.owner.request(endpoint.method, path(endpoint), params={"colour": "blue"})
    assert error(answer) == (400, "invalid_query")


@pytest.mark.parametrize(
    "target",
    [
        "/apps?limit=0",
        "/apps?limit=201",
        "/apps?limit=x",
        "/apps?limit=-1",
        "/apps?limit=%C2%B2",
        "/apps?limit=1&limit=1",
        "/audit?before=x",
        "/audit?before=99999999999999999999",
        "/usage?from=yesterday",
        "/usage?to=2026-13-01",
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(admin: AdminSite, target: str) -> None:
    assert error(await admin.owner.get(target)) == (400, "invalid_query")


@pytest.mark.parametrize("target", ["/apps?after=%00", "/apps?after=%ff", "/usage?appId=%00"])
async def test_odd_text_in_a_query_finds_nothing_and_breaks_nothing(admin: AdminSite, target: str) -> None:
    assert (await admin.owner.get(target)).status_code == 200


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/apps/%00", "no_such_app"),
        ("/apps/nobody/keys", "no_such_app"),
        ("/apps/4711/keys/%00", "no_such_key"),
        ("/apps/4711/webhooks/%00", "no_such_webhook"),
        ("/plans/%00", "no_such_plan"),
        ("/tokens/%00", "no_such_token"),
    ],
)
async def test_what_is_not_there_is_said_so(admin: AdminSite, target: str, code: str) -> None:
    await make_shop(admin)
    method = "GET" if target.endswith("keys") else "DELETE"
    assert error(await admin.owner.request(method, target)) == (404, code)


async def test_a_body_where_none_is_taken_or_one_that_is_too_large_is_refused(admin: AdminSite) -> None:
    key = await make_shop(admin)
    answer = await admin.owner.request("DELETE", f"/apps/4711/keys/{key}", content=b'{"key":1}')
    assert error(answer) == (400, "invalid_body")
    answer = await admin.owner.request("DELETE", f"/apps/4711/keys/{key}", content=b" {} ")
    assert answer.status_code == 200
    answer = await admin.owner.post("/apps", content=b" " * 65_537)
    assert error(answer) == (413, "body_too_large")


async def test_another_method_is_told_which_there_are(admin: AdminSite) -> None:
    answer = await admin.owner.put("/apps")
    assert error(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert (await admin.owner.head("/apps")).status_code == 200


async def test_who_guesses_tokens_is_slowed_down(admin: AdminSite) -> None:
    for _ in range(10):
        assert error(await admin.stranger.get("/me")) == (401, "invalid_admin_token")
    answer = await admin.stranger.get("/me")
    assert error(answer) == (429, "too_many_attempts")
    assert answer.headers["retry-after"] == "5"
    assert (await admin.owner.get("/me")).status_code == 200
    admin.office.now += 5
    assert error(await admin.stranger.get("/me")) == (401, "invalid_admin_token")


async def test_a_configured_app_is_listed_and_refuses_changes(admin: AdminSite) -> None:
    (app,) = (await admin.reader.get("/apps")).json()["apps"]
    assert (app["id"], app["source"]) == ("configured", "configuration")
    assert error(await admin.owner.patch("/apps/configured", json={})) == (409, "configured_app")
    assert error(await admin.owner.delete("/apps/configured")) == (409, "configured_app")


async def test_changes_are_on_the_record_in_the_name_of_the_token(admin: AdminSite) -> None:
    await make_shop(admin)
    me = (await admin.owner.get("/me")).json()
    (entry, *_) = (await admin.reader.get("/audit", params={"limit": 1})).json()["entries"]
    assert (entry["actor"], entry["action"]) == (f"token:{me['id']}", "key.create")


async def test_stats_tell_what_apps_are_doing(admin: AdminSite) -> None:
    connection = RecordingConnection("1.1", LegibleFormat())
    admin.node.hub.connect(admin.live, connection)
    await admin.node.hub.subscribe(admin.live, connection, "c")
    (app,) = (await admin.reader.get("/stats")).json()["apps"]
    assert (app["appId"], app["connections"], app["channels"], app["messagesToday"]) == ("live", 1, 1, 0)


async def test_a_database_that_fails_is_said_so(admin: AdminSite) -> None:
    async with admin.office.database.writing() as connection:
        await connection.execute(text("DROP TABLE audit"))
    assert error(await admin.owner.get("/audit")) == (503, "database_unavailable")
    assert error(await admin.owner.post("/apps", json={})) == (503, "database_unavailable")
    assert [app["id"] for app in (await admin.owner.get("/apps")).json()["apps"]] == ["configured"]


@ENDPOINTS
async def test_without_a_database_there_is_nothing_to_administer(endpoint: AdminEndpoint) -> None:
    async def no_stats() -> Stats:
        return Stats([])

    async def no_webhook(_: str, __: str) -> Trial | None:
        return None

    async def no_history(_: Grain, __: str) -> History:
        raise AssertionError

    async def no_live(_: str) -> LiveSample:
        raise AssertionError

    def no_administration() -> Administration | None:
        return None

    services = AdminServices(
        no_stats, no_webhook, no_history, no_live, AppRegistry([]), Node().hub, insight(Node()), lambda: 0
    )
    routes = admin_routes(no_administration, services, lambda: 0, EventStreams())
    transport = httpx.ASGITransport(web_application(routes, lifespan))
    async with httpx.AsyncClient(transport=transport, base_url="http://server/api/admin") as client:
        answer = await client.request(endpoint.method, path(endpoint))
    assert error(answer) == (404, "no_database")


async def test_what_the_api_makes_servers_have(admin: AdminSite, office: Office) -> None:
    created = (await admin.owner.post("/apps", json={"id": "4711", "plan": "free"})).json()
    key, secret = created["key"]["key"], created["key"]["secret"]
    rotated = (await admin.owner.post(f"/apps/4711/keys/{key}/rotate")).json()
    assert (await office.served("4711")).keys[key].secrets == (rotated["secret"], secret)
    assert (await admin.owner.delete(f"/apps/4711/keys/{key}")).json()["revokedAt"] is not None
    assert (await office.served("4711")).keys == {}
