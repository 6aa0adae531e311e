"""The error codes are part of the API: this table changes only on purpose."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import skubber
from skubber.core.errors import MethodNotAllowedError, RateLimitedError, SkubberError

SOURCE = Path(skubber.__file__).parent

CODES = {
    "already_signed_in": 403,
    "already_subscribed": 400,
    "app_disabled": 403,
    "app_exists": 409,
    "body_mismatch": 401,
    "body_too_large": 413,
    "broker_unavailable": 503,
    "client_event_channel": 403,
    "client_event_rate": 429,
    "client_events_disabled": 403,
    "client_stream": 400,
    "configured_app": 409,
    "configured_plan": 409,
    "connection_in_use": 409,
    "console_header_missing": 403,
    "database_unavailable": 503,
    "draining": 503,
    "encryption_key_changed": 503,
    "event_data_too_large": 413,
    "event_name_too_long": 400,
    "expired_signature": 401,
    "idempotency_key_in_use": 409,
    "idempotency_key_reused": 409,
    "insufficient_scope": 403,
    "invalid_access_token": 401,
    "invalid_admin_token": 401,
    "invalid_metrics_token": 401,
    "invalid_arguments": 400,
    "invalid_batch": 400,
    "invalid_body": 400,
    "invalid_channel_data": 400,
    "invalid_channel_name": 400,
    "invalid_channels": 400,
    "invalid_credentials": 401,
    "invalid_event_data": 400,
    "invalid_event_name": 400,
    "invalid_expires_in": 400,
    "invalid_expiry": 400,
    "invalid_idempotency_key": 400,
    "invalid_info": 400,
    "invalid_message": 400,
    "invalid_messages": 400,
    "invalid_path": 400,
    "invalid_query": 400,
    "invalid_range": 400,
    "invalid_signature": 401,
    "invalid_signin": 400,
    "invalid_socket_id": 400,
    "invalid_subscription": 400,
    "invalid_user_data": 400,
    "invalid_user_id": 400,
    "invalid_user_info": 400,
    "key_revoked": 409,
    "message_quota": 429,
    "message_rate": 429,
    "message_too_large": 413,
    "method_not_allowed": 405,
    "missing_access_token": 401,
    "missing_connection_id": 400,
    "missing_credentials": 401,
    "no_database": 404,
    "no_such_app": 404,
    "no_such_connection": 404,
    "no_such_key": 404,
    "no_such_plan": 404,
    "no_such_token": 404,
    "no_such_webhook": 404,
    "not_a_presence_channel": 400,
    "not_found": 404,
    "not_permitted": 403,
    "not_polled": 400,
    "not_posted_to": 400,
    "not_subscribed": 403,
    "plan_in_use": 409,
    "presence_channel_full": 403,
    "publish_rate": 429,
    "read_only_token": 403,
    "read_rate": 429,
    "session_ended": 401,
    "sign_in_required": 401,
    "tls_required": 403,
    "too_many_attempts": 429,
    "too_many_channels": 403,
    "too_many_event_streams": 503,
    "too_many_streams": 400,
    "too_many_subscriptions": 403,
    "unknown_event": 400,
    "unknown_method": 400,
    "unknown_plan": 400,
    "unknown_stream": 400,
    "user_mismatch": 403,
    "user_required": 403,
}


def raised() -> Iterator[tuple[str, int]]:
    """Every code the source names in making an error, with the status of that error's class."""
    statuses = {error.__name__: error.status for error in SkubberError.__subclasses__()}
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=error), args=[ast.Constant(value=str(code)), *_]) if error in statuses:
                    yield code, statuses[error]


def test_the_codes_are_those_documented_each_with_one_status() -> None:
    method_not_allowed = MethodNotAllowedError("GET")
    assert {*raised(), (method_not_allowed.code, method_not_allowed.status)} == set(CODES.items())


MAKE: dict[type[SkubberError], Callable[[], SkubberError]] = {
    MethodNotAllowedError: lambda: MethodNotAllowedError("GET"),
    RateLimitedError: lambda: RateLimitedError("some_code", "Do this instead.", 1),
}


@pytest.mark.parametrize("error", SkubberError.__subclasses__())
def test_every_error_is_one_a_caller_can_be_told_about(error: type[SkubberError]) -> None:
    made = MAKE.get(error, lambda: error("some_code", "Do this instead."))()
    assert 400 <= made.status < 500 or made.status == 503
    assert str(made) == made.message
    assert made.message.endswith(".")


def test_a_method_that_is_not_allowed_is_told_which_are() -> None:
    error = MethodNotAllowedError("GET, POST")
    assert (error.status, error.code, error.allowed) == (405, "method_not_allowed", "GET, POST")
    assert "GET, POST" in error.message
