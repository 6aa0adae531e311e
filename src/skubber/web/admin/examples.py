"""Examples for the admin API's part of the OpenAPI document: what to send, and what comes back.

Each is checked against the types it is an example of, and each request is sent to a running API, by
tests/web/admin/test_openapi.py.
"""

import dataclasses
from typing import Any

from skubber.api.message import ErrorBody
from skubber.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    SkubberError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)
from skubber.core.plans import PLANS
from skubber.web.openapi_examples import Example, OperationExamples

PATH_EXAMPLES = {
    "appId": "4711",
    "key": "mps_7hTqVxw3bN9sYc2LkR8mPzD4fGjA6uEo",
    "webhookId": "wh_b2Kq9sYc7LxR4mPz",
    "name": "pro",
    "tokenId": "at_Vxw3bN9sYc2LkR8m",
}
"""Values of the paths' variables."""

_CREATED_AT = "2026-01-05T09:30:00Z"

_FREE = dataclasses.asdict(PLANS["free"])

_APP = {
    "id": "4711",
    "source": "database",
    "plan": "free",
    "limits": {"connections": 500},
    "effectiveLimits": {**_FREE, "connections": 500},
    "clientEvents": True,
    "enabled": True,
    "subscriptionCounts": False,
    "requiresSignIn": False,
    "tlsOnly": False,
    "createdAt": _CREATED_AT,
}

_KEY = {
    "appId": "4711",
    "key": PATH_EXAMPLES["key"],
    "name": "back end",
    "scopes": ["publish", "read"],
    "createdAt": _CREATED_AT,
    "expiresAt": None,
    "revokedAt": None,
    "lastUsedAt": None,
    "previousSecretUntil": None,
}

_NEW_KEY = {**_KEY, "secret": "Zq8mPzD4fGjA6uEo7hTqVxw3bN9sYc2LkR5tWvB1nXeHiJdK"}

_WEBHOOK = {
    "id": PATH_EXAMPLES["webhookId"],
    "appId": "4711",
    "url": "https://shop.example.com/push-events",
    "events": ["channel_occupied", "channel_vacated"],
    "channelPrefix": "presence-",
    "headerNames": ["Authorization"],
    "isBatched": True,
    "enabled": True,
    "createdAt": _CREATED_AT,
}

_PLAN = {"name": "pro", "source": "database", "limits": {**_FREE, "connections": 2_000}}

_TOKEN = {
    "id": PATH_EXAMPLES["tokenId"],
    "name": "deployment",
    "role": "owner",
    "createdAt": _CREATED_AT,
    "expiresAt": None,
    "lastUsedAt": None,
}


def _one(summary: str, value: dict[str, Any]) -> dict[str, Example]:
    return {"example": Example(summary, value)}


ADMIN_EXAMPLES = {
    "showMe": OperationExamples(_TOKEN),
    "listApps": OperationExamples({"apps": [_APP], "next": None}),
    "createApp": OperationExamples(
        {**_APP, "key": _NEW_KEY},
        {
            "made_up_id": Example("An app with an id that is made up", {}),
            "free": Example(
                "An app on the free plan, with more connections",
                {"id": "my-shop", "plan": "free", "limits": {"connections": 500}},
            ),
        },
    ),
    "showApp": OperationExamples(_APP),
    "editApp": OperationExamples(
        _APP,
        {
            "plan": Example("Another plan", {"plan": "business", "limits": {}}),
            "disable": Example("Not for now", {"enabled": False}),
        },
    ),
    "deleteApp": OperationExamples({}),
    "listKeys": OperationExamples({"keys": [_KEY]}),
    "createKey": OperationExamples(
        _NEW_KEY,
        {
            "everything": Example("A key for everything", {}),
            "publish": Example(
                "A key that publishes, for some years",
                {"name": "back end", "scopes": ["publish", "read"], "expiresAt": "2100-01-01T00:00:00Z"},
            ),
        },
    ),
    "editKey": OperationExamples(_KEY, _one("Another name", {"name": "old back end"})),
    "revokeKey": OperationExamples({**_KEY, "revokedAt": "2026-01-06T11:00:00Z"}),
    "rotateKey": OperationExamples(
        {**_NEW_KEY, "previousSecretUntil": "2026-01-06T12:00:00Z"},
        {
            "hour": Example("The old secret is good for another hour", {"overlap": 3600}),
            "at_once": Example("The old secret ends at once", {"overlap": 0}),
        },
    ),
    "listWebhooks": OperationExamples({"webhooks": [_WEBHOOK]}),
    "createWebhook": OperationExamples(
        _WEBHOOK,
        _one(
            "Who is there",
            {
                "url": "https://shop.example.com/push-events",
                "events": ["channel_occupied", "channel_vacated"],
                "channelPrefix": "presence-",
                "headers": {"Authorization": "Bearer YOUR_TOKEN"},
            },
        ),
    ),
    "editWebhook": OperationExamples(_WEBHOOK, _one("Not for now", {"enabled": False})),
    "deleteWebhook": OperationExamples({}),
    "showDelivery": OperationExamples(
        {
            "waiting": 3,
            "deadLetters": 1,
            "failures": 2,
            "retryAt": _CREATED_AT,
            "lastAttemptAt": _CREATED_AT,
            "lastOutcome": "The answer was 500.",
        }
    ),
    "testWebhook": OperationExamples(
        {
            "delivered": True,
            "outcome": "The answer was 200.",
            "milliseconds": 38,
            "body": '{"time_ms":1767605400000,"events":[{"name":"channel_occupied","channel":"skubber-test"}]}',
        }
    ),
    "listAttempts": OperationExamples(
        {
            "attempts": [
                {
                    "id": 1204,
                    "at": _CREATED_AT,
                    "delivered": False,
                    "outcome": "The answer was 500.",
                    "milliseconds": 112,
                    "eventCount": 3,
                    "events": ["member_added", "member_removed"],
                }
            ],
            "next": None,
        }
    ),
    "listDeadLetters": OperationExamples(
        {
            "deadLetters": [
                {
                    "id": 1017,
                    "event": {"name": "channel_occupied", "channel": "presence-room"},
                    "happenedAt": _CREATED_AT,
                    "deadAt": _CREATED_AT,
                    "attempts": 7,
                    "error": "The answer was 500.",
                }
            ],
            "next": None,
        }
    ),
    "replayDeadLetters": OperationExamples({"count": 1}, _one("Two of them", {"ids": [1017, 1018]})),
    "deleteDeadLetters": OperationExamples({"count": 1}),
    "listPlans": OperationExamples({"plans": [_PLAN]}),
    "putPlan": OperationExamples(
        _PLAN, _one("Limits", {"limits": {"connections": 2000, "messages_per_day": 5_000_000}})
    ),
    "deletePlan": OperationExamples({}),
    "reportUsage": OperationExamples(
        {
            "usage": [
                {
                    "appId": "4711",
                    "day": "2026-01-05",
                    "messages": 4200,
                    "published": 200,
                    "delivered": 4000,
                    "deliveredBytes": 812_000,
                    "connectionsPeak": 42,
                    "webhooks": 17,
                }
            ]
        }
    ),
    "showStats": OperationExamples(
        {
            "apps": [
                {
                    "appId": "4711",
                    "plan": "free",
                    "enabled": True,
                    "connections": 42,
                    "channels": 7,
                    "messagesToday": 4200,
                    "limits": _FREE,
                }
            ]
        }
    ),
    "listAudit": OperationExamples(
        {
            "entries": [
                {
                    "id": 12,
                    "at": "2026-01-06T11:00:00Z",
                    "actor": f"token:{PATH_EXAMPLES['tokenId']}",
                    "action": "key.revoke",
                    "subject": PATH_EXAMPLES["key"],
                    "details": {"app": "4711"},
                }
            ],
            "next": None,
        }
    ),
    "listTokens": OperationExamples({"tokens": [_TOKEN]}),
    "createToken": OperationExamples(
        {**_TOKEN, "token": "mpa_Zq8mPzD4fGjA6uEo7hTqVxw3bN9sYc2LkR5tWvB1nXeHiJdK"},
        _one("A token for a dashboard", {"name": "dashboard", "role": "read_only"}),
    ),
    "revokeToken": OperationExamples({}),
}
"""By operation id."""

ADMIN_ERRORS: dict[type[SkubberError], ErrorBody] = {
    InvalidRequestError: ErrorBody("invalid_body", "Object contains unknown field `colour`."),
    UnauthorizedError: ErrorBody("invalid_admin_token", "Send a good admin token: Authorization: Bearer mpa_...."),
    ForbiddenError: ErrorBody("read_only_token", "This admin token may only look: use an owner's."),
    NotFoundError: ErrorBody("no_such_app", "There is no app with this id."),
    ConflictError: ErrorBody("app_exists", "There is an app with the id 4711 already."),
    TooLargeError: ErrorBody("body_too_large", "Request bodies have at most 65536 bytes."),
    RateLimitedError: ErrorBody("too_many_attempts", "Too many wrong tokens came from here: try again in 5 s."),
    UnavailableError: ErrorBody("database_unavailable", "The database cannot be used now: try again later."),
}
