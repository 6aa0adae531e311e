"""What an operator sees of deliveries, and does about dead letters."""

import pytest
from sqlalchemy import insert

from skubber.core.errors import NotFoundError
from skubber.store import tables
from skubber.store.administration.deliveries import Replay
from skubber.store.administration.webhooks import WebhookCreation
from support.office import ACTOR, NOW, Office


async def make_letters(office: Office, endpoint_id: str, *channels: str, dead: bool = True) -> list[int]:
    """Have events on channels wait for an endpoint, or be given up."""
    async with office.database.writing() as connection:
        await connection.execute(
            tables.webhook_endpoints.insert().values(
                endpoint_id=endpoint_id, failures=3, retry_at=NOW + 60, last_attempt_at=NOW, last_outcome="No."
            )
        )
        for channel in channels:
            await connection.execute(
                insert(tables.webhook_events).values(
                    endpoint_id=endpoint_id,
                    app_id="shop",
                    time_ms=NOW * 1000,
                    body=f'{{"name":"channel_occupied","channel":"{channel}"}}',
                    attempts=3,
                    dead_at=NOW if dead else None,
                    error="No." if dead else None,
                )
            )
    return [row["id"] for row in await office.rows(tables.webhook_events) if row["endpoint_id"] == endpoint_id]


@pytest.fixture
async def webhook(office: Office) -> str:
    """A webhook of the app ``shop``."""
    await office.create_app(id="shop")
    created = await office.administration.webhooks.create(ACTOR, "shop", WebhookCreation("https://example.com"))
    return created.id


async def test_one_that_was_never_told_anything_has_nothing_to_show(office: Office, webhook: str) -> None:
    status = await office.administration.deliveries.status("shop", webhook)
    assert (status.waiting, status.dead_letters, status.retry_at, status.last_outcome) == (0, 0, None, None)
    assert (await office.administration.deliveries.list("shop", webhook, 10)).dead_letters == []


async def test_the_status_tells_how_it_stands(office: Office, webhook: str) -> None:
    await make_letters(office, webhook, "a", "b")
    status = await office.administration.deliveries.status("shop", webhook)
    assert (status.waiting, status.dead_letters, status.failures, status.last_outcome) == (0, 2, 3, "No.")
    assert status.retry_at is not None
    assert status.retry_at.timestamp() == NOW + 60


async def test_dead_letters_are_listed_a_page_at_a_time(office: Office, webhook: str) -> None:
    ids = await make_letters(office, webhook, "a", "b", "c")
    page = await office.administration.deliveries.list("shop", webhook, 2)
    assert [letter.event["channel"] for letter in page.dead_letters] == ["a", "b"]
    assert page.next == ids[1]
    rest = await office.administration.deliveries.list("shop", webhook, 2, page.next)
    assert ([letter.id for letter in rest.dead_letters], rest.next) == (ids[2:], None)
    assert rest.dead_letters[0].error == "No."


async def test_they_are_replayed_on_the_record(office: Office, webhook: str) -> None:
    ids = await make_letters(office, webhook, "a", "b", "c")
    replay = office.administration.deliveries.replay
    assert (await replay(ACTOR, "shop", webhook, Replay((ids[0], 999_999)))).count == 1
    assert (await replay(ACTOR, "shop", webhook, Replay())).count == 2
    status = await office.administration.deliveries.status("shop", webhook)
    assert (status.waiting, status.dead_letters, status.failures) == (3, 0, 0)
    entry = (await office.record())[0]
    assert (entry.action, entry.subject, entry.details) == (
        "webhook.replay",
        webhook,
        {"app": "shop", "deadLetters": 2},
    )


async def test_they_are_deleted_on_the_record(office: Office, webhook: str) -> None:
    await make_letters(office, webhook, "a", "b")
    assert (await office.administration.deliveries.delete(ACTOR, "shop", webhook)).count == 2
    assert await office.rows(tables.webhook_events) == []
    assert (await office.record())[0].action == "webhook.forget"


@pytest.mark.parametrize("is_app", [False, True])
async def test_nothing_is_left_of_a_webhook_that_is_gone(office: Office, webhook: str, is_app: bool) -> None:
    await make_letters(office, webhook, "a")
    if is_app:
        await office.administration.apps.delete(ACTOR, "shop")
    else:
        await office.administration.webhooks.delete(ACTOR, "shop", webhook)
    assert await office.rows(tables.webhook_events) == []
    assert await office.rows(tables.webhook_endpoints) == []


async def test_those_of_a_configured_app_can_be_replayed(office: Office) -> None:
    await make_letters(office, "configured-1", "a")
    deliveries = office.administration.deliveries
    assert (await deliveries.status("configured", "configured-1")).dead_letters == 1
    assert (await deliveries.replay(ACTOR, "configured", "configured-1", Replay())).count == 1


@pytest.mark.parametrize(
    ("app_id", "webhook_id", "code"),
    [
        ("nobody", "wh", "no_such_app"),
        ("shop", "wh", "no_such_webhook"),
        ("shop", "a\0", "no_such_webhook"),
        ("shop", "configured-1", "no_such_webhook"),
        ("configured", "wh", "no_such_webhook"),
    ],
)
async def test_what_is_not_there_is_said_so(
    office: Office, webhook: str, app_id: str, webhook_id: str, code: str
) -> None:
    deliveries = office.administration.deliveries
    for act in (
        deliveries.status(app_id, webhook_id),
        deliveries.list(app_id, webhook_id, 10),
        deliveries.replay(ACTOR, app_id, webhook_id, Replay()),
        deliveries.delete(ACTOR, app_id, webhook_id),
    ):
        with pytest.raises(NotFoundError) as error:
            await act
        assert error.value.code == code
