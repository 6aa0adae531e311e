"""A request to an endpoint that somebody wants to see."""

import msgspec
import pytest
from pusher import Pusher

from skubber.core.webhook import WebhookEndpoint, WebhookEventName
from skubber.webhooks.trial import trial_event, try_endpoint
from support.apps import KEY, SECRET
from support.webhook_receiver import Receiver
from webhooks.post_office import PostOffice


async def test_it_is_signed_and_addressed_as_any_other(office: PostOffice, receiver: Receiver) -> None:
    endpoint = office.endpoint(receiver.url("/hook"), headers=(("X-Own", "1"),), channel_prefix="private-")
    trial = await try_endpoint(office.app, endpoint, office.client, office.now)
    (request,) = receiver.requests
    assert (request.path, request.headers["x-own"]) == ("/hook", "1")
    assert request.body.decode() == trial.body
    assert request.events == [{"name": "channel_occupied", "channel": "skubber-test"}]
    sdk = Pusher(app_id="1", key=KEY, secret=SECRET)
    key, signature = request.headers["x-pusher-key"], request.headers["x-pusher-signature"]
    assert sdk.validate_webhook(key, signature, trial.body) is not None
    attempt = trial.attempt
    assert (attempt.delivered, attempt.outcome) == (True, "The answer was 200.")
    assert (attempt.at, attempt.event_count, attempt.events) == (int(office.now), 1, ["channel_occupied"])


async def test_a_failure_is_told_in_a_sentence_and_nothing_is_repeated(office: PostOffice, receiver: Receiver) -> None:
    receiver.status = 500
    endpoint = office.endpoint(receiver.url())
    trial = await try_endpoint(office.app, endpoint, office.client, office.now)
    assert (trial.attempt.delivered, trial.attempt.outcome) == (False, "The answer was 500.")
    assert len(receiver.requests) == 1
    assert await office.waiting() == []


async def test_a_back_end_that_says_nothing_is_not_waited_for(office: PostOffice, receiver: Receiver) -> None:
    receiver.status = 0
    trial = await try_endpoint(office.app, office.endpoint(receiver.url()), office.client, office.now)
    assert (trial.attempt.delivered, trial.attempt.outcome) == (False, "There was no answer within 1 s.")
    assert trial.attempt.milliseconds >= 900


async def test_it_goes_to_no_address_that_others_may_not_go_to(office: PostOffice) -> None:
    trial = await try_endpoint(office.app, office.endpoint("http://10.0.0.1/"), office.client, office.now)
    assert not trial.attempt.delivered
    assert "10.0.0.1" in trial.attempt.outcome


async def test_without_a_key_there_is_nothing_to_sign_with(office: PostOffice, receiver: Receiver) -> None:
    office.app.keys = {}
    trial = await try_endpoint(office.app, office.endpoint(receiver.url()), office.client, office.now)
    assert (trial.attempt.delivered, trial.attempt.outcome) == (False, "The app has no good key to sign with.")
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("names", "event"),
    [
        (["cache_miss", "channel_occupied"], {"name": "channel_occupied"}),
        (["channel_vacated", "member_added"], {"name": "channel_vacated"}),
        (["member_removed"], {"name": "member_removed", "user_id": "skubber-test"}),
        (["client_event"], {"name": "client_event", "event": "client-test", "data": "{}", "socket_id": "1.1"}),
        (["subscription_count"], {"name": "subscription_count", "subscription_count": 1}),
    ],
)
def test_its_event_is_one_that_the_endpoint_wants(names: list[str], event: dict[str, object]) -> None:
    endpoint = WebhookEndpoint("hook", "http://a/", frozenset(map(WebhookEventName, names)))
    assert msgspec.to_builtins(trial_event(endpoint)) == {"channel": "skubber-test", **event}
