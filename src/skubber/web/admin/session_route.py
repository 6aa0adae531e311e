"""Signing in to the console and out of it: ``/api/admin/session``.

Sources: RFC 6265bis, "Cookies: HTTP State Management Mechanism", sections 4.1.2 and 8; OWASP, "Session Management Cheat
Sheet".
"""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skubber.api.message import ApiResponse
from skubber.core.errors import InvalidRequestError
from skubber.store.administration.administration import Administration
from skubber.store.administration.rules import decoded
from skubber.store.administration.sessions import SESSION_SECONDS, SignIn
from skubber.web.admin.answered import answered
from skubber.web.admin.door import SESSION_COOKIE, Door, see_console_header, see_database
from skubber.web.admin.endpoint import PATH_PREFIX
from skubber.web.admin.handlers import Done
from skubber.web.body import read_body
from skubber.web.errors import api_response

SESSION_PATH = "/session"
"""Its path, after the prefix."""

_BODY_BYTES = 4096


def session_route(administration: Callable[[], Administration | None], door: Door) -> Route:
    """The route.

    Args:
        administration: asked at each request; None when there is no database.
        door: what counts wrong tokens.
    """

    async def answer(request: Request) -> Response:
        act = _sign_in if request.method == "POST" else _sign_out
        return await answered(SESSION_PATH, act(request, administration(), door))

    return Route(PATH_PREFIX + SESSION_PATH, answer, methods=["POST", "DELETE"])


async def _sign_in(request: Request, administration: Administration | None, door: Door) -> Response:
    administration = _see(request, administration)
    sign_in = decoded(SignIn, await read_body(request, _BODY_BYTES))
    holder, value = await door.sign_in(request, sign_in, administration)
    response = api_response(ApiResponse(200, msgspec.json.encode(holder)))
    response.set_cookie(SESSION_COOKIE, value, max_age=SESSION_SECONDS, **_attributes(request))
    return response


async def _sign_out(request: Request, administration: Administration | None, _: Door) -> Response:
    administration = _see(request, administration)
    if await read_body(request, _BODY_BYTES):
        raise InvalidRequestError("invalid_body", "This request takes no body.")
    session = request.cookies.get(SESSION_COOKIE)
    if session is not None:
        await administration.sessions.end(session)
    response = api_response(ApiResponse(200, msgspec.json.encode(Done())))
    response.delete_cookie(SESSION_COOKIE, **_attributes(request))
    return response


def _see(request: Request, administration: Administration | None) -> Administration:
    """See that there is something to sign in to, and that it is the console that asks.

    Without the header another site's page could sign a browser in, as somebody else than whoever sits there.
    """
    there = see_database(administration)
    see_console_header(request)
    if request.query_params:
        raise InvalidRequestError("invalid_query", "The query takes nothing: a token in a URL ends up in logs.")
    return there


def _attributes(request: Request) -> dict[str, Any]:
    # uvicorn has set the scheme to what a trusted proxy says.
    return {"path": PATH_PREFIX, "secure": request.url.scheme == "https", "httponly": True, "samesite": "strict"}
