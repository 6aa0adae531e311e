"""The webhooks of an app."""

from typing import Any

import pytest

from skubber.core.errors import ConflictError, InvalidRequestError, NotFoundError
from skubber.core.webhook import WebhookEndpoint, WebhookEventName
from skubber.store import tables
from skubber.store.administration.rules import checked
from skubber.store.administration.webhooks import WebhookCreation, WebhookDetails, WebhookEdit
from support.office import ACTOR, Office

URL = "https://user:hidden@example.com/hidden-path?token=hidden"
HEADERS = {"Authorization": "Bearer hidden"}


async def create(office: Office, **fields: Any) -> WebhookDetails:
    request = checked(WebhookCreation, {"url": URL, "headers": HEADERS, **fields})
    return await office.administration.webhooks.create(ACTOR, "shop", request)


async def endpoint(office: Office) -> WebhookEndpoint:
    (result,) = (await office.served("shop")).webhooks
    return result


@pytest.fixture(autouse=True)
async def shop(office: Office) -> None:
    await office.create_app(id="shop")


async def test_servers_have_it_with_its_header_fields(office: Office) -> None:
    created = await create(office, events=["member_added"], channelPrefix="presence-", isBatched=False)
    assert await endpoint(office) == WebhookEndpoint(
        created.id, URL, frozenset({WebhookEventName.MEMBER_ADDED}), "presence-", tuple(HEADERS.items()), False, True
    )


async def test_header_values_are_neither_shown_nor_readable_at_rest(office: Office) -> None:
    created = await create(office)
    assert created.header_names == ["Authorization"]
    assert (await office.administration.webhooks.list("shop")).webhooks == [created]
    (row,) = await office.rows(tables.webhooks)
    assert "hidden" not in row["headers"]


async def test_only_what_is_given_changes(office: Office) -> None:
    created = await create(office, channelPrefix="p")
    edit = office.administration.webhooks.edit
    edited = await edit(ACTOR, "shop", created.id, WebhookEdit(enabled=False))
    assert (edited.enabled, edited.channel_prefix, edited.header_names) == (False, "p", ["Authorization"])
    edited = await edit(ACTOR, "shop", created.id, WebhookEdit(headers={}))
    assert (await endpoint(office)).headers == ()
    assert await edit(ACTOR, "shop", created.id, WebhookEdit()) == edited


async def test_a_deleted_one_is_gone(office: Office) -> None:
    created = await create(office)
    await office.administration.webhooks.delete(ACTOR, "shop", created.id)
    assert (await office.served("shop")).webhooks == ()


async def test_what_may_be_secret_is_not_on_the_record(office: Office) -> None:
    created = await create(office)
    await office.administration.webhooks.edit(ACTOR, "shop", created.id, WebhookEdit(url=URL, headers=HEADERS))
    entry = (await office.record())[0]
    assert entry.details == {"app": "shop", "url": "https://example.com", "headers": ["Authorization"]}
    assert "hidden" not in str(await office.record())


@pytest.mark.parametrize("webhook_id", ["wh_nothing", "", "a\0b"])
async def test_one_that_is_not_there_is_said_so(office: Office, webhook_id: str) -> None:
    for call in (
        office.administration.webhooks.edit(ACTOR, "shop", webhook_id, WebhookEdit(enabled=False)),
        office.administration.webhooks.delete(ACTOR, "shop", webhook_id),
    ):
        with pytest.raises(NotFoundError) as error:
            await call
        assert error.value.code == "no_such_webhook"


async def test_those_of_a_configured_app_are_listed_and_refuse_changes(office: Office) -> None:
    (listed,) = (await office.administration.webhooks.list("configured")).webhooks
    assert (listed.id, listed.header_names) == ("configured-1", ["X-Token"])
    with pytest.raises(ConflictError) as error:
        await office.administration.webhooks.delete(ACTOR, "configured", listed.id)
    assert error.value.code == "configured_app"


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "ftp://example.com"},
        {"url": "https://"},
        {"url": "https:///path"},
        {"url": "https://example.com/\n"},
        {"url": "https://example.com/\0"},
        {"url": "https://example.com/" + "x" * 2000},
        {"events": []},
        {"events": ["birthday"]},
        {"channelPrefix": "x" * 201},
        {"channelPrefix": "\0"},
        {"headers": {"X Y": "v"}},
        {"headers": {"X-Y": "v\n"}},
        {"headers": {"X-Y\n": "v"}},
        {"headers": {f"X-{number}": "v" for number in range(21)}},
        {"isBatched": 1},
        {"colour": "blue"},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        checked(WebhookCreation, {"url": "https://example.com", **fields})
    with pytest.raises(InvalidRequestError):
        checked(WebhookEdit, fields)
