"""Trying a webhook out, and reading how it was told of things."""

from collections.abc import Iterator

import pytest

from support.webhook_receiver import Receiver
from web.admin.conftest import AdminSite
from web.admin.test_routes import error, make_shop


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A back end."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


async def make_webhook(admin: AdminSite, url: str, **fields: object) -> str:
    """A webhook of the app ``4711``; returns its path."""
    await make_shop(admin)
    answer = await admin.owner.post("/apps/4711/webhooks", json={"url": url, **fields})
    return f"/apps/4711/webhooks/{answer.json()['id']}"


async def test_a_test_is_sent_at_once_and_is_among_the_attempts_and_on_the_record(
    admin: AdminSite, receiver: Receiver
) -> None:
    path = await make_webhook(admin, receiver.url("/hook"), enabled=False)
    result = (await admin.owner.post(path + "/test")).json()
    assert (result["delivered"], result["outcome"]) == (True, "The answer was 200.")
    assert result["body"] == receiver.requests[0].body.decode()
    page = (await admin.reader.get(path + "/attempts")).json()
    assert page["next"] is None
    (attempt,) = page["attempts"]
    assert (attempt["delivered"], attempt["outcome"]) == (True, "The answer was 200.")
    assert (attempt["eventCount"], attempt["events"]) == (1, ["channel_occupied"])
    assert attempt["milliseconds"] == result["milliseconds"]
    entry = (await admin.office.record())[0]
    assert (entry.action, entry.subject) == ("webhook.test", path.rpartition("/")[2])
    assert entry.details == {"app": "4711", "delivered": True}


async def test_a_test_that_fails_is_no_error_of_the_api(admin: AdminSite, receiver: Receiver) -> None:
    receiver.status = 404
    path = await make_webhook(admin, receiver.url())
    answer = await admin.owner.post(path + "/test")
    assert answer.status_code == 200
    assert (answer.json()["delivered"], answer.json()["outcome"]) == (False, "The answer was 404.")
    (attempt,) = (await admin.reader.get(path + "/attempts")).json()["attempts"]
    assert not attempt["delivered"]
    assert (await admin.reader.get(path + "/delivery")).json()["failures"] == 0


async def test_attempts_are_listed_a_page_at_a_time(admin: AdminSite, receiver: Receiver) -> None:
    path = await make_webhook(admin, receiver.url())
    for _ in range(3):
        await admin.owner.post(path + "/test")
    first = (await admin.reader.get(path + "/attempts", params={"limit": 2})).json()
    assert [each["id"] for each in first["attempts"]] == [3, 2]
    rest = (await admin.reader.get(path + "/attempts", params={"limit": 2, "before": first["next"]})).json()
    assert ([each["id"] for each in rest["attempts"]], rest["next"]) == ([1], None)


async def test_a_webhook_that_is_not_there_is_not_tested(admin: AdminSite) -> None:
    await make_shop(admin)
    assert error(await admin.owner.post("/apps/4711/webhooks/wh_x/test")) == (404, "no_such_webhook")
    assert error(await admin.owner.post("/apps/nobody/webhooks/wh_x/test")) == (404, "no_such_app")
    assert error(await admin.owner.get("/apps/4711/webhooks/%00/attempts")) == (404, "no_such_webhook")
