"""Examples for the OpenAPI document: what to send, and what comes back.

Each is checked against the types it is an example of, and each request is sent to a running API, by
tests/web/test_openapi.py.
"""

from dataclasses import dataclass, field
from typing import Any

from skubber.api.message import ErrorBody
from skubber.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    RateLimitedError,
    SkubberError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)


@dataclass(frozen=True, slots=True)
class Example:
    """One example: a line that says what it shows, and a JSON value."""

    summary: str
    value: Any


@dataclass(frozen=True, slots=True)
class OperationExamples:
    """The examples of one operation.

    Attributes:
        answer: what it answers when all is well.
        requests: bodies by name; empty where it takes none.
        path: values for the path's variables, the app id excepted.
    """

    answer: Any
    requests: dict[str, Example] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)


_EVENT = {"name": "order-shipped", "channel": "my-channel", "data": '{"orderId": 42}'}

OPERATION_EXAMPLES = {
    "triggerEvent": OperationExamples(
        answer={"channels": {"presence-room": {"user_count": 42, "subscription_count": 51}}},
        requests={
            "one_channel": Example("An event on one channel", _EVENT),
            "several_channels": Example(
                "The same event on several channels",
                {"name": "order-shipped", "channels": ["my-channel", "orders"], "data": '{"orderId": 42}'},
            ),
            "not_to_the_sender": Example(
                "To everyone but the connection that caused it", {**_EVENT, "socket_id": "1234.5678"}
            ),
            "with_counts": Example(
                "And say who listens",
                {**_EVENT, "channel": "presence-room", "info": "user_count,subscription_count"},
            ),
            "once": Example("Once, however often it is sent", {**_EVENT, "idempotency_key": "order-42-shipped"}),
        },
    ),
    "triggerBatch": OperationExamples(
        answer={"batch": [{"subscription_count": 51}, {}]},
        requests={
            "two_events": Example(
                "Two events, the first with a count",
                {
                    "batch": [
                        {**_EVENT, "info": "subscription_count"},
                        {"name": "stock-changed", "channel": "stock", "data": '{"left": 3}'},
                    ]
                },
            ),
        },
    ),
    "listChannels": OperationExamples(answer={"channels": {"presence-room": {"subscription_count": 51}}}),
    "showChannel": OperationExamples(
        answer={"occupied": True, "subscription_count": 51}, path={"channelName": "my-channel"}
    ),
    "listUsers": OperationExamples(
        answer={"users": [{"id": "user1"}, {"id": "user2"}]}, path={"channelName": "presence-room"}
    ),
    "triggerEventOnChannel": OperationExamples(
        answer={},
        requests={"data": Example("The event's data", '{"orderId": 42}')},
        path={"channelName": "my-channel"},
    ),
    "terminateConnections": OperationExamples(answer={}, path={"userId": "user1"}),
}
"""By operation id."""

ERROR_EXAMPLES: dict[type[SkubberError], ErrorBody] = {
    InvalidRequestError: ErrorBody("invalid_channels", "Give either channel (a string) or channels (a list)."),
    UnauthorizedError: ErrorBody(
        "invalid_credentials", "The key and secret do not belong together, or not to this app."
    ),
    ForbiddenError: ErrorBody("app_disabled", "This app is disabled."),
    NotFoundError: ErrorBody("no_such_app", "There is no app with this id."),
    MethodNotAllowedError: ErrorBody("method_not_allowed", "This path takes POST only."),
    ConflictError: ErrorBody("idempotency_key_reused", "This idempotency key belongs to another request."),
    TooLargeError: ErrorBody("event_data_too_large", "data has at most 10240 bytes of UTF-8."),
    RateLimitedError: ErrorBody("message_rate", "This app's plan has 100 messages a second."),
    UnavailableError: ErrorBody("broker_unavailable", "The server cannot reach its other nodes: try again later."),
}
