"""A request to an endpoint that somebody wants to see: sent at once, once, and signed as any other."""

import time
from dataclasses import dataclass

import msgspec

from skubber.core.app import App
from skubber.core.webhook import WebhookEndpoint, WebhookEvent, WebhookEventName
from skubber.store.attempts import Attempt
from skubber.webhooks.client import DeliveryError, WebhookClient
from skubber.webhooks.request import webhook_body, webhook_headers

TRIAL_CHANNEL = "skubber-test"
"""The channel that its event names."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went.

    Attributes:
        attempt: as it goes into the log.
        body: the request's body.
    """

    attempt: Attempt
    body: str


async def try_endpoint(app: App, endpoint: WebhookEndpoint, client: WebhookClient, now: float) -> Trial:
    """Send a request with one event that the endpoint wants, wherever it is; also to one that is disabled.

    Args:
        app: whose key signs it.
        endpoint: where it goes.
        client: sends it.
        now: seconds since the epoch.
    """
    event = trial_event(endpoint)
    body = webhook_body(int(now * 1000), [msgspec.json.encode(event).decode()])
    key = next(iter(app.keys.values()), None)
    began = time.perf_counter()
    is_delivered = False
    if key is None:
        outcome = "The app has no good key to sign with."
    else:
        try:
            status = await client.post(endpoint.url, webhook_headers(key, body, endpoint.headers), body)
        except DeliveryError as error:
            outcome = str(error)
        else:
            outcome, is_delivered = f"The answer was {status}.", True
    milliseconds = round((time.perf_counter() - began) * 1000)
    return Trial(Attempt(int(now), is_delivered, outcome, milliseconds, 1, [event.name]), body.decode())


def trial_event(endpoint: WebhookEndpoint) -> WebhookEvent:
    """The first kind of event that an endpoint wants, with all that belongs to one."""
    name = next(each for each in WebhookEventName if each in endpoint.events)
    match name:
        case WebhookEventName.MEMBER_ADDED | WebhookEventName.MEMBER_REMOVED:
            return WebhookEvent(name, TRIAL_CHANNEL, user_id="skubber-test")
        case WebhookEventName.CLIENT_EVENT:
            return WebhookEvent(name, TRIAL_CHANNEL, event="client-test", data="{}", socket_id="1.1")
        case WebhookEventName.SUBSCRIPTION_COUNT:
            return WebhookEvent(name, TRIAL_CHANNEL, subscription_count=1)
    return WebhookEvent(name, TRIAL_CHANNEL)
