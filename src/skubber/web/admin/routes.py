"""The admin API over ASGI.

Source: RFC 6750, "The OAuth 2.0 Authorization Framework: Bearer Token Usage", sections 2.1 and 3.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skubber.api.message import ApiResponse, error_response
from skubber.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    SkubberError,
    UnauthorizedError,
    UnavailableError,
)
from skubber.core.token_bucket import TokenBuckets
from skubber.store.administration.administration import Administration
from skubber.store.administration.tokens import AdminToken, Role
from skubber.web.admin.call import AdminCall
from skubber.web.admin.endpoints import ADMIN_ENDPOINTS, PATH_PREFIX, AdminEndpoint
from skubber.web.admin.stats import TakeStats
from skubber.web.body import read_body
from skubber.web.errors import api_response

BODY_BYTES = 65_536
"""Largest request body."""

# Wrong tokens that one address may send at once, and how fast it may send more.
_GUESSES, _GUESSES_PER_SECOND = 10, 0.2

_log = structlog.stdlib.get_logger("skubber.admin")


def admin_routes(
    administration: Callable[[], Administration | None], take_stats: TakeStats, clock: Callable[[], float]
) -> list[Route]:
    """The routes. No other origin's pages can use them from a browser: they answer without CORS headers.

    Args:
        administration: asked at each request; None when there is no database.
        take_stats: looks at the apps.
        clock: seconds since the epoch.
    """
    door = _Door(clock)
    paths: dict[str, dict[str, AdminEndpoint]] = {}
    for endpoint in ADMIN_ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        Route(PATH_PREFIX + path, _Path(endpoints, administration, take_stats, door).answer, methods=[*endpoints])
        for path, endpoints in paths.items()
    ]


class _Door:
    """Lets in whoever has a good token, and tells whoever guesses to slow down.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._guesses = TokenBuckets(_GUESSES, _GUESSES_PER_SECOND)

    async def let_in(self, request: Request, administration: Administration) -> AdminToken:
        """Whose request it is.

        Raises:
            UnauthorizedError: ``invalid_admin_token``.
            RateLimitedError: ``too_many_attempts``.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            return await administration.tokens.authenticate(token.strip() if scheme.lower() == "bearer" else "")
        except UnauthorizedError:
            self._count_guess(request.client.host if request.client else "")
            raise

    def _count_guess(self, address: str) -> None:
        # Good tokens are let in all the same: nobody can lock out an operator behind the same proxy.
        now = self._clock()
        wait = math.ceil(self._guesses.wait(address, now))
        if wait > 0:
            raise RateLimitedError(
                "too_many_attempts", f"Too many wrong tokens came from here: try again in {wait} s.", wait
            )
        self._guesses.take(address, now)


class _Path:
    """One path and what answers there.

    Args:
        endpoints: by method.
        administration: see ``admin_routes``, as for the others.
    """

    def __init__(
        self,
        endpoints: Mapping[str, AdminEndpoint],
        administration: Callable[[], Administration | None],
        take_stats: TakeStats,
        door: _Door,
    ) -> None:
        self._endpoints = endpoints
        self._administration = administration
        self._take_stats = take_stats
        self._door = door

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        endpoint = self._endpoints["GET" if request.method == "HEAD" else request.method]
        try:
            answer = await self._answer(endpoint, request)
        except SQLAlchemyError as error:
            _log.error("the database failed", path=endpoint.path, reason=type(error).__name__)
            unavailable = UnavailableError("database_unavailable", "The database cannot be used now: try again later.")
            answer = error_response(unavailable)
        except SkubberError as error:
            answer = error_response(error)
        response = api_response(answer)
        response.headers["cache-control"] = "no-store"
        if answer.status == UnauthorizedError.status:
            response.headers["www-authenticate"] = 'Bearer realm="skubber"'
        return response

    async def _answer(self, endpoint: AdminEndpoint, request: Request) -> ApiResponse:
        administration = self._administration()
        if administration is None:
            raise NotFoundError("no_database", "There is nothing to administer: this server has no database.")
        token = await self._door.let_in(request, administration)
        if endpoint.changes and token.role != Role.OWNER:
            raise ForbiddenError("read_only_token", "This admin token may only look: use an owner's.")
        query = _query(endpoint, request.query_params.multi_items())
        body = await read_body(request, BODY_BYTES)
        if body and endpoint.request is None:
            raise InvalidRequestError("invalid_body", "This request takes no body.")
        call = AdminCall(administration, self._take_stats, token, request.path_params, query, body)
        return ApiResponse(endpoint.status, msgspec.json.encode(await endpoint.handler(call)))


def _query(endpoint: AdminEndpoint, parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    query = dict(parameters)
    known = [parameter.name for parameter in endpoint.query]
    if len(query) < len(parameters) or not query.keys() <= set(known):
        raise InvalidRequestError(
            "invalid_query", f"The query takes {', '.join(known) or 'nothing'}, each at most once."
        )
    return query
