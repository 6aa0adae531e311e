"""What answers how a webhook was told of things. The first line of a docstring is in the OpenAPI document."""

from typing import Annotated

import msgspec
from msgspec import Meta

from skubber.core.errors import NotFoundError
from skubber.store.administration.attempts import AttemptPage
from skubber.store.administration.rules import MAX_PAGE
from skubber.web.admin.call import AdminCall

_DEFAULT_PAGE = 50
_MAX_ID = 2**63 - 1


class WebhookTest(msgspec.Struct, rename="camel"):
    """How a test went."""

    delivered: Annotated[bool, Meta(description="Whether it was answered with 2xx.")]
    outcome: Annotated[str, Meta(description="How it went, a sentence.")]
    milliseconds: Annotated[int, Meta(description="How long it took.")]
    body: Annotated[str, Meta(description="The request's body, which its signature is of.")]


async def test_webhook(call: AdminCall) -> WebhookTest:
    """Sends it one event that it wants, on the channel `skubber-test`: at once, and once; also while it is disabled."""
    app_id, webhook_id = call.path["appId"], call.path["webhookId"]
    await call.administration.attempts.see(app_id, webhook_id)
    trial = await call.services.test_webhook(app_id, webhook_id)
    if trial is None:
        raise NotFoundError("no_such_webhook", "This app has no such webhook.")
    attempt = trial.attempt
    await call.administration.attempts.note_test(call.actor, app_id, webhook_id, attempt)
    return WebhookTest(attempt.delivered, attempt.outcome, attempt.milliseconds, trial.body)


async def list_attempts(call: AdminCall) -> AttemptPage:
    """Requests that were sent to it, and how each went, the newest first; tests are among them."""
    limit = call.number("limit", 1, MAX_PAGE) or _DEFAULT_PAGE
    before = call.number("before", 0, _MAX_ID)
    return await call.administration.attempts.list(call.path["appId"], call.path["webhookId"], limit, before)
