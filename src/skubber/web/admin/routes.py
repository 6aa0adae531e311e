"""The admin API over ASGI."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skubber.api.message import ApiResponse
from skubber.core.errors import ForbiddenError, InvalidRequestError
from skubber.store.administration.administration import Administration
from skubber.store.administration.tokens import Role
from skubber.web.admin.answered import answered
from skubber.web.admin.call import AdminCall
from skubber.web.admin.door import Door, see_database
from skubber.web.admin.endpoint import PATH_PREFIX, AdminEndpoint
from skubber.web.admin.endpoints import ADMIN_ENDPOINTS
from skubber.web.admin.event_stream import EventStreams
from skubber.web.admin.services import AdminServices
from skubber.web.admin.session_route import session_route
from skubber.web.body import read_body
from skubber.web.errors import api_response

BODY_BYTES = 65_536
"""Largest request body."""


def admin_routes(
    administration: Callable[[], Administration | None],
    services: AdminServices,
    clock: Callable[[], float],
    streams: EventStreams,
) -> list[Route]:
    """The routes. No other origin's pages can use them from a browser: they answer without CORS headers.

    Args:
        administration: asked at each request; None when there is no database.
        services: what this server does for it.
        clock: seconds since the epoch.
        streams: those of the answers that are streams.
    """
    door = Door(clock)
    paths: dict[str, dict[str, AdminEndpoint]] = {}
    for endpoint in ADMIN_ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        session_route(administration, door),
        *(
            Route(
                PATH_PREFIX + _pattern(path),
                _Path(endpoints, administration, services, door, streams).answer,
                methods=[*endpoints],
            )
            for path, endpoints in paths.items()
        ),
    ]


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
        services: AdminServices,
        door: Door,
        streams: EventStreams,
    ) -> None:
        self._endpoints = endpoints
        self._administration = administration
        self._services = services
        self._door = door
        self._streams = streams

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        endpoint = self._endpoints["GET" if request.method == "HEAD" else request.method]
        return await answered(endpoint.path, self._answer(endpoint, request))

    async def _answer(self, endpoint: AdminEndpoint, request: Request) -> Response:
        administration = see_database(self._administration())
        token = await self._door.let_in(request, administration)
        if endpoint.changes and token.role != Role.OWNER:
            raise ForbiddenError("read_only_token", "This admin token may only look: use an owner's.")
        query = _query(endpoint, request.query_params.multi_items())
        body = await read_body(request, BODY_BYTES)
        if endpoint.request is None and body.strip() not in {b"", b"{}"}:
            raise InvalidRequestError("invalid_body", "This request takes no body.")
        call = AdminCall(administration, self._services, token, request.path_params, query, body)
        answer = await endpoint.handler(call)
        if isinstance(answer, msgspec.Struct):
            return api_response(ApiResponse(endpoint.status, msgspec.json.encode(answer)))
        return self._streams.response(endpoint.event, answer, partial(self._door.let_in, request, administration))


def _pattern(path: str) -> str:
    """A path as Starlette matches it, once percent-encodings are undone: ids of users may have slashes in them."""
    return path.replace("{userId}", "{userId:path}")


def _query(endpoint: AdminEndpoint, parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    query = dict(parameters)
    known = [parameter.name for parameter in endpoint.query]
    if len(query) < len(parameters) or not query.keys() <= set(known):
        raise InvalidRequestError(
            "invalid_query", f"The query takes {', '.join(known) or 'nothing'}, each at most once."
        )
    return query
