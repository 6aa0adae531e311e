"""The table of admin endpoints: the routes and their part of the OpenAPI document are both made from it."""

from skubber.api.endpoints import QueryParameter
from skubber.history.history import History
from skubber.history.live import LiveSample
from skubber.store.administration import apps, attempts, audit, deliveries, keys, plans, tokens, usage, webhooks
from skubber.web.admin import handlers, history_handlers, webhook_handlers
from skubber.web.admin.debug_stream import DEBUG_STREAM
from skubber.web.admin.endpoint import LIMIT, AdminEndpoint
from skubber.web.admin.handlers import Done
from skubber.web.admin.live_endpoints import LIVE_ENDPOINTS
from skubber.web.admin.stats import Stats

_AFTER = QueryParameter("after", "The id before the page's first: `next` of the page before.", "4000")
_BEFORE = QueryParameter(
    "before", "Only entries with smaller ids: `next` of the page before.", "1000", schema={"pattern": "^[0-9]{1,18}$"}
)
_AFTER_ID = QueryParameter(
    "after", "Only entries with larger ids: `next` of the page before.", "1000", schema={"pattern": "^[0-9]{1,18}$"}
)
_ONE_APP = QueryParameter("appId", "This app only.", "4711")
_GRAIN = QueryParameter("grain", "`second`, unless given, or `hour`.", "hour", schema={"enum": ["second", "hour"]})
_DATE = {"format": "date"}
_USAGE = (
    _ONE_APP,
    QueryParameter("from", "The first day (UTC); 30 days up to the last unless given.", "2026-01-01", schema=_DATE),
    QueryParameter("to", "The last day (UTC); today unless given. At most 366 days.", "2026-01-31", schema=_DATE),
)

_APP, _KEY, _WEBHOOK = "/apps/{appId}", "/apps/{appId}/keys/{key}", "/apps/{appId}/webhooks/{webhookId}"

ADMIN_ENDPOINTS = (
    AdminEndpoint("GET", "/me", "showMe", "Show whose token this is", handlers.show_me, tokens.AdminToken),
    AdminEndpoint("GET", "/apps", "listApps", "List the apps", handlers.list_apps, apps.AppPage, query=(LIMIT, _AFTER)),
    AdminEndpoint(
        "POST",
        "/apps",
        "createApp",
        "Make an app with a first key",
        handlers.create_app,
        apps.CreatedApp,
        apps.AppCreation,
        status=201,
    ),
    AdminEndpoint("GET", _APP, "showApp", "Show an app", handlers.show_app, apps.AppDetails),
    AdminEndpoint("PATCH", _APP, "editApp", "Change an app", handlers.edit_app, apps.AppDetails, apps.AppEdit),
    AdminEndpoint("DELETE", _APP, "deleteApp", "Delete an app", handlers.delete_app, Done),
    AdminEndpoint("GET", _APP + "/keys", "listKeys", "List an app's keys", handlers.list_keys, keys.KeyList),
    AdminEndpoint(
        "POST",
        _APP + "/keys",
        "createKey",
        "Make a key",
        handlers.create_key,
        keys.NewKey,
        keys.KeyCreation,
        status=201,
    ),
    AdminEndpoint("PATCH", _KEY, "editKey", "Change a key", handlers.edit_key, keys.KeyDetails, keys.KeyEdit),
    AdminEndpoint("DELETE", _KEY, "revokeKey", "Revoke a key", handlers.revoke_key, keys.KeyDetails),
    AdminEndpoint(
        "POST",
        _KEY + "/rotate",
        "rotateKey",
        "Give a key a new secret",
        handlers.rotate_key,
        keys.NewKey,
        keys.KeyRotation,
    ),
    AdminEndpoint(
        "GET",
        _APP + "/webhooks",
        "listWebhooks",
        "List an app's webhooks",
        handlers.list_webhooks,
        webhooks.WebhookList,
    ),
    AdminEndpoint(
        "POST",
        _APP + "/webhooks",
        "createWebhook",
        "Make a webhook",
        handlers.create_webhook,
        webhooks.WebhookDetails,
        webhooks.WebhookCreation,
        status=201,
    ),
    AdminEndpoint(
        "PATCH",
        _WEBHOOK,
        "editWebhook",
        "Change a webhook",
        handlers.edit_webhook,
        webhooks.WebhookDetails,
        webhooks.WebhookEdit,
    ),
    AdminEndpoint("DELETE", _WEBHOOK, "deleteWebhook", "Delete a webhook", handlers.delete_webhook, Done),
    AdminEndpoint(
        "GET",
        _WEBHOOK + "/delivery",
        "showDelivery",
        "Show how delivery stands",
        handlers.show_delivery,
        deliveries.DeliveryStatus,
    ),
    AdminEndpoint(
        "POST",
        _WEBHOOK + "/test",
        "testWebhook",
        "Try a webhook out",
        webhook_handlers.test_webhook,
        webhook_handlers.WebhookTest,
    ),
    AdminEndpoint(
        "GET",
        _WEBHOOK + "/attempts",
        "listAttempts",
        "List the attempts",
        webhook_handlers.list_attempts,
        attempts.AttemptPage,
        query=(LIMIT, _BEFORE),
    ),
    AdminEndpoint(
        "GET",
        _WEBHOOK + "/dead-letters",
        "listDeadLetters",
        "List the dead letters",
        handlers.list_dead_letters,
        deliveries.DeadLetterPage,
        query=(LIMIT, _AFTER_ID),
    ),
    AdminEndpoint(
        "POST",
        _WEBHOOK + "/dead-letters/replay",
        "replayDeadLetters",
        "Deliver dead letters again",
        handlers.replay_dead_letters,
        deliveries.Replayed,
        deliveries.Replay,
    ),
    AdminEndpoint(
        "DELETE",
        _WEBHOOK + "/dead-letters",
        "deleteDeadLetters",
        "Delete the dead letters",
        handlers.delete_dead_letters,
        deliveries.Replayed,
    ),
    AdminEndpoint("GET", "/plans", "listPlans", "List the plans", handlers.list_plans, plans.PlanList),
    AdminEndpoint(
        "PUT",
        "/plans/{name}",
        "putPlan",
        "Make or change a plan",
        handlers.put_plan,
        plans.PlanDetails,
        plans.PlanChange,
    ),
    AdminEndpoint("DELETE", "/plans/{name}", "deletePlan", "Delete a plan", handlers.delete_plan, Done),
    AdminEndpoint(
        "GET",
        "/usage",
        "reportUsage",
        "Report what apps have used",
        handlers.report_usage,
        usage.UsageReport,
        query=_USAGE,
    ),
    AdminEndpoint("GET", "/stats", "showStats", "Show what apps are doing", handlers.show_stats, Stats),
    AdminEndpoint(
        "GET",
        "/history",
        "readHistory",
        "Show how the server has fared",
        history_handlers.read_history,
        History,
        query=(_GRAIN, _ONE_APP),
    ),
    AdminEndpoint(
        "GET",
        "/live",
        "watchLive",
        "Watch how the server fares",
        history_handlers.watch_live,
        LiveSample,
        query=(_ONE_APP,),
        event="sample",
    ),
    AdminEndpoint(
        "GET",
        "/audit",
        "listAudit",
        "List the changes",
        handlers.list_audit,
        audit.AuditPage,
        query=(LIMIT, _BEFORE),
    ),
    AdminEndpoint("GET", "/tokens", "listTokens", "List the admin tokens", handlers.list_tokens, tokens.AdminTokenList),
    AdminEndpoint(
        "POST",
        "/tokens",
        "createToken",
        "Make an admin token",
        handlers.create_token,
        tokens.NewAdminToken,
        tokens.TokenCreation,
        status=201,
    ),
    AdminEndpoint("DELETE", "/tokens/{tokenId}", "revokeToken", "Revoke an admin token", handlers.revoke_token, Done),
    *LIVE_ENDPOINTS,
    DEBUG_STREAM,
)
