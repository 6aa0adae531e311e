"""The admin API's part of the OpenAPI document is true of the API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from sqlalchemy import insert, update

from skubber.store import tables
from skubber.store.administration.keys import KeyCreation
from skubber.store.administration.plans import PlanChange
from skubber.store.administration.webhooks import WebhookCreation
from skubber.web.admin.endpoints import ADMIN_ENDPOINTS, PATH_PREFIX, AdminEndpoint
from skubber.web.admin.examples import ADMIN_ERRORS, PATH_EXAMPLES
from skubber.web.openapi import openapi_document
from support.office import ACTOR
from web.admin.conftest import AdminSite

DOCUMENT: dict[str, Any] = json.loads(openapi_document("4711"))

ENDPOINTS = pytest.mark.parametrize("endpoint", ADMIN_ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)


def operation(endpoint: AdminEndpoint) -> dict[str, Any]:
    result: dict[str, Any] = DOCUMENT["paths"][PATH_PREFIX + endpoint.path][endpoint.method.lower()]
    return result


def check(value: Any, schema: dict[str, Any]) -> None:
    """Hold a value against a schema of the document, and against nothing more lenient."""
    OAS31Validator({**schema, "components": DOCUMENT["components"]}).validate(value)
    described = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert value.keys() <= described.get("properties", {}).keys()


def answer_content(endpoint: AdminEndpoint) -> dict[str, Any]:
    content: dict[str, Any] = operation(endpoint)["responses"][str(endpoint.status)]["content"]["application/json"]
    return content


def requests() -> Iterator[Any]:
    """Every example of a request body; and a request without one for each endpoint that takes none."""
    for endpoint in ADMIN_ENDPOINTS:
        if endpoint.request is None:
            yield pytest.param(endpoint, None, id=endpoint.operation_id)
            continue
        body = operation(endpoint)["requestBody"]["content"]["application/json"]
        for name, example in body["examples"].items():
            check(example["value"], body["schema"])
            yield pytest.param(endpoint, example["value"], id=f"{endpoint.operation_id}-{name}")


async def fill(admin: AdminSite, endpoint: AdminEndpoint) -> None:
    """Have everything there that the examples' paths and queries speak of."""
    office, names = admin.office, PATH_EXAMPLES
    if endpoint.operation_id == "createApp":
        return
    await office.create_app(id=names["appId"], plan="free")
    await office.administration.keys.create(ACTOR, names["appId"], KeyCreation())
    # Nobody listens there.
    await office.administration.webhooks.create(ACTOR, names["appId"], WebhookCreation("http://127.0.0.1:9/"))
    await office.administration.plans.put(ACTOR, names["name"], PlanChange())
    day = (datetime(2026, 1, 5, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    used = dict.fromkeys(("published", "delivered", "delivered_bytes", "connections_peak", "webhooks"), 1)
    (newest,) = [each["key"] for each in await office.rows()][-1:]
    async with office.database.writing() as connection:
        await connection.execute(insert(tables.usage).values(app_id=names["appId"], day=day, **used))
        await connection.execute(update(tables.keys).where(tables.keys.c.key == newest).values(key=names["key"]))
        await connection.execute(update(tables.webhooks).values(id=names["webhookId"]))
        tokens = tables.admin_tokens
        await connection.execute(update(tokens).where(tokens.c.role == "read_only").values(id=names["tokenId"]))


@pytest.mark.parametrize(("endpoint", "body"), list(requests()))
async def test_each_example_is_answered_as_described(admin: AdminSite, endpoint: AdminEndpoint, body: Any) -> None:
    await fill(admin, endpoint)
    query = {each["name"]: each["example"] for each in operation(endpoint)["parameters"] if each["in"] == "query"}
    path = endpoint.path.format(**PATH_EXAMPLES)
    answer = (
        await admin.owner.request(endpoint.method, path, params=query, json=body)
        if body is not None
        else (await admin.owner.request(endpoint.method, path, params=query))
    )
    assert answer.status_code == endpoint.status, answer.text
    check(answer.json(), answer_content(endpoint)["schema"])


@ENDPOINTS
def test_each_answers_example_is_what_it_is_an_example_of(endpoint: AdminEndpoint) -> None:
    described = answer_content(endpoint)
    check(described["example"], described["schema"])


@ENDPOINTS
def test_an_operation_is_described_in_full(endpoint: AdminEndpoint) -> None:
    described = operation(endpoint)
    assert described["description"].endswith(".")
    assert described["tags"] == ["Administration"]
    assert described["security"] == [{"admin": []}]
    in_path = [each["name"] for each in described["parameters"] if each["in"] == "path" and each["required"]]
    assert in_path == [segment.strip("{}") for segment in endpoint.path.split("/") if segment.startswith("{")]
    assert ("requestBody" in described) == (endpoint.request is not None)
    errors = {"400", "401", "404", "405", "429", "500", "503"}
    errors |= {"403", "409"} if endpoint.method != "GET" else set()
    errors |= {"413"} if endpoint.request else set()
    assert described["responses"].keys() == {str(endpoint.status), *errors}


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))


def test_the_scheme_is_that_of_bearer_tokens() -> None:
    scheme = DOCUMENT["components"]["securitySchemes"]["admin"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


async def test_each_errors_example_is_what_the_api_answers(admin: AdminSite) -> None:
    await admin.office.create_app(id="4711")
    answers = [
        await admin.owner.post("/apps", json={"colour": 1}),
        await admin.stranger.get("/apps"),
        await admin.reader.post("/apps"),
        await admin.owner.get("/apps/nobody"),
        await admin.owner.post("/apps", json={"id": "4711"}),
        await admin.owner.post("/apps", content=b" " * 65_537),
    ]
    for _ in range(9):
        await admin.stranger.get("/apps")
    answers.append(await admin.stranger.get("/apps"))
    examples = {str(error.status): json.dumps([body.code, body.error]) for error, body in ADMIN_ERRORS.items()}
    answered = {str(each.status_code): json.dumps([*each.json().values()]) for each in answers}
    assert answered == {status: example for status, example in examples.items() if status != "503"}
