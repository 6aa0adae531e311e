"""The OpenAPI document: valid, complete, and true of the API it describes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from skubber.api.access_tokens import AccessTokens
from skubber.api.endpoints import ENDPOINTS, Endpoint
from skubber.brokers.memory import MemoryBroker
from skubber.core.app import ApiKey, App
from skubber.core.errors import UnavailableError
from skubber.server.eager import run_detached
from skubber.web.access_tokens import access_token_route
from skubber.web.admin.endpoints import ADMIN_ENDPOINTS, PATH_PREFIX
from skubber.web.application import web_application
from skubber.web.openapi import openapi_document
from skubber.web.signalr import HubRoutes
from support.api_client import Answer, ApiClient, key_headers, signed_query
from support.apps import DISABLED_KEY, DISABLED_SECRET, KEY, SECRET, make_app
from support.signalr_client import NOW, SignalRNode
from web.conftest import NewSite, lifespan

DOCUMENT: dict[str, Any] = json.loads(openapi_document("4711"))


def operation(endpoint: Endpoint) -> dict[str, Any]:
    result: dict[str, Any] = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    return result


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """The value, or what it refers to."""
    if "$ref" not in value:
        return value
    found: Any = DOCUMENT
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    result: dict[str, Any] = found
    return result


def content(holder: dict[str, Any]) -> dict[str, Any]:
    """The content of a request or a response, of the one type it may have."""
    (result,) = resolved(holder)["content"].values()
    assert isinstance(result, dict)
    return result


def media_type(holder: dict[str, Any]) -> str:
    """The one type that the content of a request or a response may have."""
    (result,) = resolved(holder)["content"]
    assert isinstance(result, str)
    return result


def check(value: Any, schema: dict[str, Any]) -> None:
    """Hold a value against a schema of the document, and against nothing more lenient."""
    whole = {**schema, "components": DOCUMENT["components"]}
    OAS31Validator(whole).validate(value)
    described = resolved(schema)
    if "properties" in described:
        assert value.keys() <= described["properties"].keys()


def requests() -> Iterator[Any]:
    """Every example of a request body; and a request without one for each endpoint that takes none."""
    for endpoint in ENDPOINTS:
        if endpoint.request is None:
            yield pytest.param(endpoint, None, id=endpoint.operation_id)
            continue
        for name, example in content(operation(endpoint)["requestBody"])["examples"].items():
            yield pytest.param(endpoint, example["value"], id=f"{endpoint.operation_id}-{name}")


def example_path(endpoint: Endpoint) -> str:
    values = {each["name"]: each["example"] for each in operation(endpoint)["parameters"] if each["in"] == "path"}
    return endpoint.path.format(**values)


def example_query(endpoint: Endpoint) -> list[tuple[str, str]]:
    return [(each["name"], each["example"]) for each in operation(endpoint)["parameters"] if each["in"] == "query"]


def test_the_document_is_valid() -> None:
    assert DOCUMENT["openapi"] == "3.1.1"
    OpenAPIV31SpecValidator(DOCUMENT).validate()


async def test_it_is_served(site: httpx.AsyncClient, demo_site: httpx.AsyncClient) -> None:
    response = await site.get("/docs/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.content == openapi_document("myapp")
    assert (await demo_site.get("/docs/openapi.json")).content == openapi_document("demo")


def test_every_endpoint_is_described_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    others = {
        ("POST", "/api/auth/signalr-token"),
        ("POST", "/push/negotiate"),
        ("POST", "/api/admin/session"),
        ("DELETE", "/api/admin/session"),
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/metrics"),
    }
    administration = {(endpoint.method, PATH_PREFIX + endpoint.path) for endpoint in ADMIN_ENDPOINTS}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} | others | administration


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
def test_an_operation_is_described_in_full(endpoint: Endpoint) -> None:
    described = operation(endpoint)
    assert described["operationId"] == endpoint.operation_id
    assert described["summary"] == endpoint.summary
    assert described["description"].endswith(".")
    assert described["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    in_path = [each["name"] for each in described["parameters"] if each["in"] == "path" and each["required"]]
    assert in_path == [segment.strip("{}") for segment in endpoint.path.split("/") if segment.startswith("{")]
    assert [name for name, _ in example_query(endpoint)] == [parameter.name for parameter in endpoint.query]
    assert ("requestBody" in described) == (endpoint.request is not None)
    assert described.get("deprecated", False) == endpoint.is_deprecated
    errors = {"400", "401", "403", "404", "405", "429", "500", "503"} | ({"409", "413"} if endpoint.request else set())
    assert described["responses"].keys() == {str(endpoint.status), *errors}
    assert media_type(described["responses"][str(endpoint.status)]) == "application/json"
    if endpoint.request is not None:
        assert media_type(described["requestBody"]) == ("text/plain" if endpoint.request is str else "application/json")
    for status in errors:
        assert content(described["responses"][status])["schema"] == {"$ref": "#/components/schemas/ErrorBody"}


def test_each_way_to_authenticate_is_a_requirement() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    ways = [[(name, schemes[name]["in"]) for name in way] for way in DOCUMENT["security"]]
    assert ways == [
        [("X-Api-Key", "header"), ("X-Api-Secret", "header")],
        [("apiKey", "query"), ("apiSecret", "query")],
        [("auth_key", "query"), ("auth_signature", "query")],
    ]
    keys = {name: scheme for name, scheme in schemes.items() if scheme["type"] == "apiKey"}
    assert keys.keys() == {name for way in ways for name, _ in way} | {"access_token"}
    assert all(scheme["name"] == name for name, scheme in keys.items())


def test_each_way_to_negotiate_is_a_requirement() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert DOCUMENT["paths"]["/push/negotiate"]["post"]["security"] == [{"access_token": []}, {"bearer": []}]
    assert (schemes["access_token"]["in"], schemes["bearer"]["scheme"]) == ("query", "bearer")


@pytest.mark.parametrize(("endpoint", "body"), list(requests()))
async def test_each_example_is_answered_as_described(client: ApiClient, endpoint: Endpoint, body: Any) -> None:
    if body is not None:
        check(body, content(operation(endpoint)["requestBody"])["schema"])
    text = b"" if body is None else (body if endpoint.request is str else json.dumps(body)).encode()
    path = example_path(endpoint)
    query = signed_query(endpoint.method, path, text, example_query(endpoint))
    answer = await client.send(endpoint.method, path, query, headers=[], body=text)
    assert answer.status == endpoint.status, answer
    check(answer.body, content(operation(endpoint)["responses"][str(endpoint.status)])["schema"])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
def test_each_answers_example_is_what_it_is_an_example_of(endpoint: Endpoint) -> None:
    described = content(operation(endpoint)["responses"][str(endpoint.status)])
    check(described["example"], described["schema"])


class FailingBroker(MemoryBroker):
    """A broker with a bug, and without a connection."""

    async def publish(self, *arguments: Any) -> None:
        raise RuntimeError("bug")

    async def channels(self, *arguments: Any) -> Any:
        raise UnavailableError("broker_unavailable", "The server cannot reach its other nodes: try again later.")


async def reuse_idempotency_key(client: ApiClient) -> Answer:
    await client.node.broker.claim_request("4711", "k", b"another request")
    return await client.trigger(idempotency_key="k")


FAILURES: dict[str, Callable[[ApiClient], Awaitable[Answer]]] = {
    "400": lambda client: client.trigger(channel=None),
    "401": lambda client: client.send("GET", "/apps/4711/channels", headers=key_headers(KEY, SECRET + "x")),
    "403": lambda client: client.send(
        "GET", "/apps/disabled/channels", headers=key_headers(DISABLED_KEY, DISABLED_SECRET)
    ),
    "404": lambda client: client.send("GET", "/apps/nobody/channels"),
    "405": lambda client: client.get("/events"),
    "409": reuse_idempotency_key,
    "413": lambda client: client.trigger(data="x" * 10_241),
    "500": lambda client: client.trigger(),
    "503": lambda client: client.get("/channels"),
}


@pytest.mark.parametrize("status", FAILURES)
async def test_each_errors_example_is_what_the_api_answers(status: str) -> None:
    answer = await FAILURES[status](ApiClient(broker=FailingBroker()))
    response = resolved(operation(ENDPOINTS[0])["responses"][status])
    assert (str(answer.status), answer.body) == (status, content(response)["example"])
    assert [name.title() for name in response.get("headers", {})] == [name.decode().title() for name in answer.headers]


@pytest.fixture
async def signalr_site() -> AsyncIterator[httpx.AsyncClient]:
    """The operations for SignalR clients, with an app whose key and secret are those of the examples."""
    node = SignalRNode(App.with_keys("myapp", [ApiKey("YOUR_KEY", "YOUR_SECRET")]))
    hub = HubRoutes(node.connections, node.apps, lambda: NOW, run_detached, 1000, 1000, node.edge.count_slow_client)
    routes = [access_token_route(AccessTokens(node.apps, lambda: NOW)), *hub.routes()]
    transport = httpx.ASGITransport(web_application(routes, lifespan))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client


async def issued_token(site: httpx.AsyncClient, **more: Any) -> str:
    body = {"apiKey": "YOUR_KEY", "apiSecret": "YOUR_SECRET", **more}
    token: str = (await site.post("/api/auth/signalr-token", json=body)).json()["token"]
    return token


ISSUE, NEGOTIATE = (DOCUMENT["paths"][path]["post"] for path in ("/api/auth/signalr-token", "/push/negotiate"))


@pytest.mark.parametrize("name", content(ISSUE["requestBody"])["examples"])
async def test_each_example_fetches_a_token(signalr_site: httpx.AsyncClient, name: str) -> None:
    described = content(ISSUE["requestBody"])
    body = described["examples"][name]["value"]
    check(body, described["schema"])
    answer = await signalr_site.post("/api/auth/signalr-token", json=body)
    assert answer.status_code == 200
    check(answer.json(), content(ISSUE["responses"]["200"])["schema"])


@pytest.mark.parametrize("version", NEGOTIATE["parameters"][0]["schema"]["enum"])
async def test_negotiation_is_answered_as_described(signalr_site: httpx.AsyncClient, version: str) -> None:
    described = content(NEGOTIATE["responses"]["200"])
    check(described["example"], described["schema"])
    query = {each["name"]: each["schema"].get("enum", ["ada"])[0] for each in NEGOTIATE["parameters"]}
    headers = {"Authorization": f"Bearer {await issued_token(signalr_site)}"}
    answer = await signalr_site.post("/push/negotiate", params={**query, "negotiateVersion": version}, headers=headers)
    assert answer.status_code == 200
    check(answer.json(), described["schema"])
    unlike = {"connectionId", "connectionToken", "useStatefulReconnect", "negotiateVersion"}
    assert {name: value for name, value in answer.json().items() if name not in unlike} == {
        name: value for name, value in described["example"].items() if name not in unlike
    }


async def issue(site: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    body = {"apiKey": "YOUR_KEY", "apiSecret": "YOUR_SECRET", **fields}
    return await site.post("/api/auth/signalr-token", json=body)


async def guess_on(site: httpx.AsyncClient) -> httpx.Response:
    for _ in range(10):
        await issue(site, apiSecret="wrong")
    return await issue(site, apiSecret="wrong")


async def negotiate(site: httpx.AsyncClient, token: str | None = None, **parameters: str) -> httpx.Response:
    query = {"access_token": token or await issued_token(site, userId="user123"), **parameters}
    return await site.post("/push/negotiate", params=query)


SIGNALR_FAILURES: dict[str, Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]] = {
    "issueToken 400": lambda site: issue(site, expiresIn=0),
    "issueToken 401": lambda site: issue(site, apiSecret="wrong"),
    "issueToken 403": lambda site: issue(site, apiKey=DISABLED_KEY, apiSecret=DISABLED_SECRET),
    "issueToken 413": lambda site: issue(site, userInfo="x" * 65_536),
    "issueToken 429": guess_on,
    "negotiate 400": lambda site: negotiate(site, userId="x" * 129),
    "negotiate 401": lambda site: negotiate(site, token="wrong"),
    "negotiate 403": lambda site: negotiate(site, userId="user456"),
}


@pytest.mark.parametrize("failure", SIGNALR_FAILURES)
async def test_each_error_of_signalr_is_what_is_answered(signalr_site: httpx.AsyncClient, failure: str) -> None:
    name, status = failure.split()
    operation = {"issueToken": ISSUE, "negotiate": NEGOTIATE}[name]
    answer = await SIGNALR_FAILURES[failure](signalr_site)
    assert (str(answer.status_code), answer.json()) == (status, content(operation["responses"][status])["example"])
    covered = {case.split()[1] for case in SIGNALR_FAILURES if case.startswith(name)}
    assert operation["responses"].keys() - {"200", "405", "500"} == covered


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_health_is_answered_as_described(site: httpx.AsyncClient, new_site: NewSite, path: str) -> None:
    responses = DOCUMENT["paths"][path]["get"]["responses"]
    assert (await site.get(path)).json() == content(responses["200"])["example"]
    answer = await new_site(make_app(), is_ready=False).get(path)
    assert answer.json() == content(responses[str(answer.status_code)])["example"]


@pytest.fixture
def client() -> ApiClient:
    """The API, with nobody connected."""
    return ApiClient()
