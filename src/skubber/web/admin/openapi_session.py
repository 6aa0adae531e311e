"""The sessions' part of the OpenAPI document."""

from typing import Any

from skubber.store.administration.sessions import SESSION_SECONDS, SignIn
from skubber.store.administration.tokens import AdminToken
from skubber.web.admin.endpoints import PATH_PREFIX
from skubber.web.admin.examples import ADMIN_EXAMPLES
from skubber.web.admin.handlers import Done
from skubber.web.admin.session_route import SESSION_PATH
from skubber.web.openapi_examples import Example
from skubber.web.openapi_parts import json_content, request_body

SESSION_TYPES = (SignIn, AdminToken, Done)
"""The types of these operations' bodies."""

_SIGN_IN = f"""\
For the console: from then on its browser sends the cookie `skubber_session` instead of a token, for
{SESSION_SECONDS // 3600} hours. With the cookie each request must bear the header `X-Skubber-Console: 1`, which pages
of other origins cannot send; without it the answer is 403 `console_header_missing`. A session that is over, or whose
token was revoked, is answered with 401 `session_ended`.
"""

_SIGN_OUT = "The session ends on the server, and the cookie is taken back. Who has no session is answered likewise."

_HEADER = {
    "name": "X-Skubber-Console",
    "in": "header",
    "required": True,
    "description": "Shows that no page of another origin asks.",
    "schema": {"type": "string", "const": "1"},
    "example": "1",
}

_EXAMPLE_TOKEN = "mpa_Zq8mPzD4fGjA6uEo7hTqVxw3bN9sYc2LkR5tWvB1nXeHiJdK"  # noqa: S105


def session_paths() -> dict[str, Any]:
    """The operations, by path and method."""
    sign_in = {
        **_operation("signIn", "Sign in to the console", _SIGN_IN),
        "requestBody": request_body(SignIn, {"token": Example("An admin token", {"token": _EXAMPLE_TOKEN})}),
        "responses": {
            "200": {
                "description": "Whose session it is.",
                "content": json_content(AdminToken, ADMIN_EXAMPLES["showMe"].answer),
                "headers": {"Set-Cookie": {"description": "The cookie.", "schema": {"type": "string"}}},
            },
            **_errors("Unauthorized", "TooLarge", "RateLimited"),
        },
    }
    sign_out = {
        **_operation("signOut", "Sign out of the console", _SIGN_OUT),
        "responses": {"200": {"description": "Done.", "content": json_content(Done, {})}, **_errors("TooLarge")},
    }
    return {PATH_PREFIX + SESSION_PATH: {"post": sign_in, "delete": sign_out}}


def _operation(operation_id: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "tags": ["Administration"],
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "security": [],
        "parameters": [_HEADER],
    }


_STATUSES = {"Unauthorized": "401", "TooLarge": "413", "RateLimited": "429"}


def _errors(*names: str) -> dict[str, Any]:
    admins = {"400": "InvalidRequest", "403": "Forbidden", "404": "NotFound", "503": "Unavailable"} | {
        _STATUSES[name]: name for name in names
    }
    return {
        **{status: {"$ref": f"#/components/responses/Admin{name}"} for status, name in admins.items()},
        "405": {"$ref": "#/components/responses/MethodNotAllowed"},
        "500": {"$ref": "#/components/responses/InternalError"},
    }
