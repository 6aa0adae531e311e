"""Delivery to a real back end that takes events, fails, hangs, and comes back."""

import asyncio
import time

from pusher import Pusher
from structlog.testing import capture_logs

from skubber.core.webhook import WebhookEvent, WebhookEventName
from skubber.webhooks.delivery import BATCH_BYTES
from skubber.webhooks.outbox import BATCH_EVENTS, MIN_ATTEMPTS
from support.apps import KEY, SECRET
from support.deliveries import endpoint_status, list_dead_letters, replay_dead_letters
from support.webhook_receiver import Receiver
from webhooks.post_office import RETRY_PERIOD, BrokenDatabase, PostOffice, channels


async def test_a_batch_is_what_has_gathered(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url("/hook"), headers=(("X-Own", "1"), ("X-Pusher-Key", "forged")))
    names = [str(number) for number in range(2 * BATCH_EVENTS + 5)]
    await office.written(*names)
    await office.attempt()
    assert channels(receiver.events()) == names
    assert [len(request.events) for request in receiver.requests] == [BATCH_EVENTS, BATCH_EVENTS, 5]
    request = receiver.requests[0]
    assert (request.path, request.headers["x-own"]) == ("/hook", "1")
    sdk = Pusher(app_id="1", key=KEY, secret=SECRET)
    key, signature = request.headers["x-pusher-key"], request.headers["x-pusher-signature"]
    assert sdk.validate_webhook(key, signature, request.body.decode()) is not None
    assert await office.waiting() == []
    assert office.app.meter.webhooks == len(names)


async def test_a_batch_has_a_bounded_size(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url())
    data = "x" * (BATCH_BYTES // 2 - 1000)
    for channel, text in [("a", data), ("b", data), ("c", data), ("huge", 5 * data), ("d", "")]:
        event = WebhookEvent(WebhookEventName.CLIENT_EVENT, channel, event="client-e", data=text)
        office.queue(office.app.id, event)
    await office.written()
    await office.attempt()
    assert [channels(request.events) for request in receiver.requests] == [["a", "b"], ["c"], ["huge"], ["d"]]


async def test_an_endpoint_without_batches_gets_one_event_a_request(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url(), is_batched=False)
    await office.written("a", "b", "c")
    await office.attempt()
    assert [channels(request.events) for request in receiver.requests] == [["a"], ["b"], ["c"]]


async def test_what_happens_while_a_request_is_under_way_goes_into_the_next(
    office: PostOffice, receiver: Receiver
) -> None:
    office.endpoint(receiver.url())
    office.start()
    for number in range(50):
        office.happens(str(number))
        if number % 10 == 0:
            await receiver.wait_for_events(number + 1)
    assert channels(await receiver.wait_for_events(50)) == [str(number) for number in range(50)]


async def test_what_fails_is_tried_again_in_order(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url(), is_batched=False)
    receiver.status = 503
    await office.written("a", "b")
    with capture_logs() as logs:
        await office.attempt()
        await office.written("c")
        await office.attempt()
    assert [line["reason"] for line in logs] == ["The answer was 503."]
    status = await endpoint_status(office.database, "hook")
    assert (status.waiting, status.failures, status.last_outcome) == (3, 1, "The answer was 503.")
    receiver.status = 200
    office.now = status.retry_at
    await office.attempt()
    assert channels(receiver.events()) == ["a", "b", "c"]
    assert (await endpoint_status(office.database, "hook")).failures == 0


async def test_a_back_end_that_comes_back_gets_everything(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(f"http://127.0.0.1:{receiver.port}/")
    await office.written("a")
    await office.attempt()
    receiver.stop()
    await office.written("b")
    await office.attempt()
    status = await endpoint_status(office.database, "hook")
    assert (status.waiting, status.failures) == (1, 1)
    back = Receiver(receiver.port)
    office.now = status.retry_at
    await office.attempt()
    assert channels(back.events()) == ["b"]
    back.stop()


async def test_what_is_replayed_is_delivered_by_the_next_look(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url())
    receiver.status = 500
    await office.written("a", "b")
    office.now += RETRY_PERIOD + 1
    for _ in range(MIN_ATTEMPTS):
        await office.attempt()
        office.now += 60
    assert [letter.error for letter in await list_dead_letters(office.database, "hook")] == ["The answer was 500."] * 2
    assert office.delivery.failed_requests == MIN_ATTEMPTS
    receiver.status = 200
    await replay_dead_letters(office.database, "hook", office.now)
    look = asyncio.create_task(office.delivery.look())
    assert channels(await receiver.wait_for_events(2)) == ["a", "b"]
    await office.delivery.stop(5)
    await look


async def test_a_disabled_endpoint_waits(office: PostOffice, receiver: Receiver) -> None:
    endpoint = office.endpoint(receiver.url())
    await office.written("a")
    office.app.webhooks = ()
    office.endpoint(receiver.url(), enabled=False)
    office.now += 10 * RETRY_PERIOD
    await office.attempt()
    assert (receiver.requests, await office.waiting()) == ([], ["a"])
    office.app.webhooks = (endpoint,)
    office.now += 60
    await office.attempt()
    assert channels(receiver.events()) == ["a"]


async def test_a_disabled_app_waits(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url())
    await office.written("a")
    office.app.enabled = False
    await office.attempt()
    assert (receiver.requests, await office.waiting()) == ([], ["a"])


async def test_what_waits_for_an_endpoint_that_is_gone_is_dropped_in_time(
    office: PostOffice, receiver: Receiver
) -> None:
    office.endpoint(receiver.url())
    await office.written("a")
    office.app.webhooks = ()
    await office.attempt()
    assert await office.waiting() == ["a"]  # another process may know the endpoint already
    assert await office.outbox("other").due(10) == []
    office.now += RETRY_PERIOD + 1
    await office.attempt()
    assert (receiver.requests, await office.waiting()) == ([], [])


async def test_what_waits_for_an_app_that_is_gone_is_dropped_in_time(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url())
    await office.written("a")
    del office.apps._by_id[office.app.id]
    office.now += RETRY_PERIOD + 1
    await office.attempt()
    assert await office.waiting() == []


async def test_without_a_key_nothing_is_sent(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url())
    await office.written("a")
    office.app.keys = {}
    await office.attempt()
    assert (receiver.requests, await office.waiting()) == ([], ["a"])
    assert (await office.state()).last_outcome == "The app has no good key to sign with."


async def test_one_that_hangs_delays_nobody_else(office: PostOffice, receiver: Receiver) -> None:
    hanging = Receiver()
    hanging.status = 0
    office.endpoint(hanging.url(), "hanging")
    office.endpoint(receiver.url(), "good")
    office.start()
    office.happens("a")
    assert channels(await receiver.wait_for_events(1)) == ["a"]
    await hanging.wait_for_requests(1)
    await asyncio.wait(office.delivery._senders.values())
    assert (await office.state("hanging")).last_outcome == "There was no answer within 1 s."
    hanging.stop()


async def test_a_stopping_server_finishes_its_requests_and_ends_its_leases(
    office: PostOffice, receiver: Receiver
) -> None:
    receiver.status = 0
    office.endpoint(receiver.url())
    await office.written("a", "b")
    office.delivery.wake(["hook"])
    await receiver.wait_for_requests(1)
    began = time.monotonic()
    await office.delivery.stop(0)
    assert time.monotonic() - began < 0.9  # not the second that a request may take
    assert await office.waiting() == ["a", "b"]
    assert len(await office.outbox("other").lease("hook")) == 2


async def test_while_the_database_is_broken_nothing_is_sent(office: PostOffice, receiver: Receiver) -> None:
    office.endpoint(receiver.url())
    await office.written("a")
    with capture_logs() as logs:
        async with BrokenDatabase(office):
            await office.attempt()
    assert [line["event"] for line in logs] == ["cannot see to waiting webhook events"]
    assert receiver.requests == []
    await office.attempt()
    assert channels(receiver.events()) == ["a"]
