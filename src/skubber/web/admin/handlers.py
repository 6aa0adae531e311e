"""What answers each endpoint. The first line of a docstring is in the OpenAPI document."""

import msgspec

from skubber.store.administration.apps import AppCreation, AppDetails, AppEdit, AppPage, CreatedApp
from skubber.store.administration.audit import AuditPage
from skubber.store.administration.deliveries import DeadLetterPage, DeliveryStatus, Replay, Replayed
from skubber.store.administration.keys import KeyCreation, KeyDetails, KeyEdit, KeyList, KeyRotation, NewKey
from skubber.store.administration.plans import PlanChange, PlanDetails, PlanList
from skubber.store.administration.rules import MAX_PAGE
from skubber.store.administration.tokens import AdminToken, AdminTokenList, NewAdminToken, TokenCreation
from skubber.store.administration.usage import UsageReport
from skubber.store.administration.webhooks import WebhookCreation, WebhookDetails, WebhookEdit, WebhookList
from skubber.web.admin.call import AdminCall
from skubber.web.admin.stats import Stats

_DEFAULT_PAGE = 50
_MAX_ID = 2**63 - 1


class Done(msgspec.Struct):
    """Done; there is nothing to say."""


async def list_apps(call: AdminCall) -> AppPage:
    """By id. Apps of the configuration are among them; those refuse changes with 409 `configured_app`."""
    limit = call.number("limit", 1, MAX_PAGE) or _DEFAULT_PAGE
    return await call.administration.apps.list(limit, call.query.get("after", ""))


async def create_app(call: AdminCall) -> CreatedApp:
    """The answer holds the secret of the app's first key, which is not shown again."""
    return await call.administration.apps.create(call.actor, call.request(AppCreation))


async def show_app(call: AdminCall) -> AppDetails:
    """What it is and what it is allowed."""
    return await call.administration.apps.show(call.path["appId"])


async def edit_app(call: AdminCall) -> AppDetails:
    """Only what is sent changes; servers do as it says within a second. A disabled app's connections are closed."""
    return await call.administration.apps.edit(call.actor, call.path["appId"], call.request(AppEdit))


async def delete_app(call: AdminCall) -> Done:
    """With its keys and webhooks; its connections are closed. What it used stays in the books."""
    await call.administration.apps.delete(call.actor, call.path["appId"])
    return Done()


async def list_keys(call: AdminCall) -> KeyList:
    """Revoked ones, too. No secret is shown."""
    return await call.administration.keys.list(call.path["appId"])


async def create_key(call: AdminCall) -> NewKey:
    """It is good within a second. The answer holds its secret, which is not shown again."""
    return await call.administration.keys.create(call.actor, call.path["appId"], call.request(KeyCreation))


async def edit_key(call: AdminCall) -> KeyDetails:
    """Only what is sent changes."""
    app_id, key = call.path["appId"], call.path["key"]
    return await call.administration.keys.edit(call.actor, app_id, key, call.request(KeyEdit))


async def revoke_key(call: AdminCall) -> KeyDetails:
    """Within a second it is not good any more, and its connections are closed."""
    return await call.administration.keys.revoke(call.actor, call.path["appId"], call.path["key"])


async def rotate_key(call: AdminCall) -> NewKey:
    """The key stays, and so do its connections; the old secret is good for a while longer, a day unless said."""
    app_id, key = call.path["appId"], call.path["key"]
    return await call.administration.keys.rotate(call.actor, app_id, key, call.request(KeyRotation))


async def list_webhooks(call: AdminCall) -> WebhookList:
    """Of their header fields the names alone are shown."""
    return await call.administration.webhooks.list(call.path["appId"])


async def create_webhook(call: AdminCall) -> WebhookDetails:
    """It is told of what happens from within a second on."""
    return await call.administration.webhooks.create(call.actor, call.path["appId"], call.request(WebhookCreation))


async def edit_webhook(call: AdminCall) -> WebhookDetails:
    """Only what is sent changes."""
    app_id, webhook_id = call.path["appId"], call.path["webhookId"]
    return await call.administration.webhooks.edit(call.actor, app_id, webhook_id, call.request(WebhookEdit))


async def delete_webhook(call: AdminCall) -> Done:
    """It is told nothing more."""
    await call.administration.webhooks.delete(call.actor, call.path["appId"], call.path["webhookId"])
    return Done()


async def show_delivery(call: AdminCall) -> DeliveryStatus:
    """What waits, what was given up, and how the last attempt went."""
    return await call.administration.deliveries.status(call.path["appId"], call.path["webhookId"])


async def list_dead_letters(call: AdminCall) -> DeadLetterPage:
    """Events that could not be delivered, the oldest first."""
    limit = call.number("limit", 1, MAX_PAGE) or _DEFAULT_PAGE
    after = call.number("after", 0, _MAX_ID) or 0
    return await call.administration.deliveries.list(call.path["appId"], call.path["webhookId"], limit, after)


async def replay_dead_letters(call: AdminCall) -> Replayed:
    """They are tried again as if they had just happened, ahead of what waits."""
    app_id, webhook_id = call.path["appId"], call.path["webhookId"]
    return await call.administration.deliveries.replay(call.actor, app_id, webhook_id, call.request(Replay))


async def delete_dead_letters(call: AdminCall) -> Replayed:
    """All of them. What still waits is not touched."""
    return await call.administration.deliveries.delete(call.actor, call.path["appId"], call.path["webhookId"])


async def list_plans(call: AdminCall) -> PlanList:
    """Those that come with the server, those of the configuration, and those of the database."""
    return await call.administration.plans.list()


async def put_plan(call: AdminCall) -> PlanDetails:
    """Its apps have the new limits within a second. A plan of the configuration may be changed, too."""
    return await call.administration.plans.put(call.actor, call.path["name"], call.request(PlanChange))


async def delete_plan(call: AdminCall) -> Done:
    """Not while apps have it. One that the configuration has, too, is again as it is there."""
    await call.administration.plans.delete(call.actor, call.path["name"])
    return Done()


async def report_usage(call: AdminCall) -> UsageReport:
    """Messages, bytes, webhooks, and the most connections at a time, by app and day (UTC)."""
    return await call.administration.usage.report(call.query.get("appId"), call.day("from"), call.day("to"))


async def show_stats(call: AdminCall) -> Stats:
    """Connections, channels and today's messages of each app, beside its limits."""
    return await call.services.take_stats()


async def list_audit(call: AdminCall) -> AuditPage:
    """Who changed what and when, the newest first."""
    limit = call.number("limit", 1, MAX_PAGE) or _DEFAULT_PAGE
    return await call.administration.audit.list(limit, call.number("before", 0, _MAX_ID))


async def list_tokens(call: AdminCall) -> AdminTokenList:
    """The tokens themselves are not shown: only their hashes are kept."""
    return await call.administration.tokens.list()


async def create_token(call: AdminCall) -> NewAdminToken:
    """The answer holds the token, which is not shown again."""
    return await call.administration.tokens.create(call.actor, call.request(TokenCreation))


async def revoke_token(call: AdminCall) -> Done:
    """It is not good any more, at once."""
    await call.administration.tokens.revoke(call.actor, call.path["tokenId"])
    return Done()


async def show_me(call: AdminCall) -> AdminToken:
    """Whose token this is, and what it is good for."""
    return call.token
