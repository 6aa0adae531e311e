"""Examples for the endpoints about what all nodes hold right now; see ``skubber.web.admin.examples``."""

from skubber.web.openapi_examples import Example, OperationExamples

_CONNECTION = {
    "socketId": "1234.5678",
    "node": "9f86d081884c7d65",
    "host": "push-1",
    "protocol": "pusher",
    "transport": "websockets",
    "openedAt": "2026-01-06T10:58:12Z",
    "userId": "ada",
    "key": "mps_7hTqVxw3bN9sYc2LkR8mPzD4fGjA6uEo",
    "channelCount": 1,
}

LIVE_EXAMPLES = {
    "listNodes": OperationExamples(
        {
            "nodes": [
                {
                    "id": "9f86d081884c7d65",
                    "host": "push-1",
                    "pid": 4242,
                    "version": "0.1.0",
                    "startedAt": "2026-01-05T09:30:00Z",
                    "isThis": True,
                    "isDraining": False,
                    "connections": 1042,
                    "channels": 77,
                    "publishedPerSecond": 120.5,
                    "deliveredPerSecond": 18_400.0,
                    "loopDelayMs": 0.4,
                    "memoryBytes": 61_000_000,
                    "slowConsumers": 2,
                    "protocols": [{"protocol": "pusher", "transport": "websockets", "connections": 1042}],
                }
            ],
            "silent": 0,
        }
    ),
    "listOccupiedChannels": OperationExamples(
        {
            "channels": [{"name": "presence-room", "kind": "presence", "subscriptionCount": 3, "userCount": 2}],
            "next": None,
            "total": 1,
        }
    ),
    "showOccupiedChannel": OperationExamples(
        {
            "name": "presence-room",
            "kind": "presence",
            "subscriptionCount": 3,
            "userCount": 1,
            "members": [{"userId": "ada", "userInfo": {"name": "Ada"}}],
            "keptEvent": None,
        }
    ),
    "listConnections": OperationExamples({"connections": [_CONNECTION], "next": None, "total": 1}),
    "showConnection": OperationExamples(
        {
            **_CONNECTION,
            "address": "192.0.2.7",
            "channels": [{"name": "presence-room", "userId": "ada"}],
            "bytesSent": 48_213,
            "bytesReceived": 912,
            "roundTripMs": 23.5,
            "bufferedBytes": 0,
            "lastHeardAt": "2026-01-06T11:00:03Z",
        }
    ),
    "endConnection": OperationExamples({}),
    "listConnectedUsers": OperationExamples(
        {"users": [{"userId": "ada", "connectionCount": 2}], "next": None, "total": 1}
    ),
    "terminateUser": OperationExamples({}),
    "watchApp": OperationExamples(
        {
            "observations": [
                {
                    "at": 1_767_697_203_125,
                    "node": "9f86d081884c7d65",
                    "kind": "publish",
                    "channels": ["orders"],
                    "event": "order-shipped",
                    "data": '{"orderId":42}',
                    "isCut": False,
                    "socketId": None,
                    "userId": None,
                    "detail": None,
                    "code": None,
                }
            ],
            "skipped": 0,
        }
    ),
    "publishEvent": OperationExamples(
        {"channels": [{"name": "orders", "subscriptionCount": 3}]},
        {
            "event": Example(
                "An event on one channel", {"channels": ["orders"], "name": "order-shipped", "data": '{"orderId":42}'}
            ),
            "excluded": Example(
                "An event for all but one connection",
                {"channels": ["orders"], "name": "order-shipped", "data": "42", "socketId": "1234.5678"},
            ),
        },
    ),
}
"""By operation id."""
