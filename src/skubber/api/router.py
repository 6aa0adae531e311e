"""From a request's path to the endpoint that answers it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from urllib.parse import unquote

import msgspec
import structlog

from skubber.api.authentication import authenticate, check_scope
from skubber.api.call import Call
from skubber.api.endpoints import ENDPOINTS, Endpoint
from skubber.api.message import ApiRequest, ApiResponse, ErrorBody, error_response
from skubber.core.app import Scope
from skubber.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    RateLimitedError,
    SkubberError,
)
from skubber.core.hub import Hub
from skubber.core.meter import Rate
from skubber.core.observers import Kind
from skubber.core.tracing import RequestTrace, RequestTracer
from skubber.store.apps import AppStore

PATH_PREFIX = "/apps/"

_CACHED_PATH_LENGTH = 512
"""Longest path whose route is remembered, characters: what strangers send must not fill the memory."""

_log = structlog.stdlib.get_logger("skubber.api")

# The fixed segments after /apps/, and how many segments there are in all.
_Shape = tuple[int, tuple[str, ...]]


class Api:
    """The Channels HTTP API.

    Args:
        hub: the hub.
        apps: where apps are looked up.
        clock: seconds since the epoch, for signed requests.
        tracer: traces requests that publish; None: nobody does.

    Attributes:
        succeeded: how many requests had what they asked for, by what that was.
        failed: how many had not, by that and the hundreds of the status.
    """

    def __init__(
        self, hub: Hub, apps: AppStore, clock: Callable[[], float], tracer: RequestTracer | None = None
    ) -> None:
        self._hub = hub
        self._tracer = tracer
        self._apps = apps
        self._clock = clock
        self.succeeded = dict.fromkeys(Scope, 0)
        self.failed: Counter[tuple[Scope, int]] = Counter()
        # Publishers post to the same few paths over and over.
        self._cached_route = lru_cache(maxsize=1024)(self._find_route)
        self._shapes: dict[_Shape, dict[str, Endpoint]] = {}
        for endpoint in ENDPOINTS:
            shape = _shape(endpoint.path.split("/")[2:])
            self._shapes.setdefault(shape, {})[endpoint.method] = endpoint

    async def answer(self, request: ApiRequest) -> ApiResponse:
        """Answer a request whose path starts with ``PATH_PREFIX``; never raises."""
        try:
            return await self._answer(request)
        except SkubberError as error:
            if isinstance(error, RateLimitedError):
                self._hub.refusals[error.code] += 1
            app_id = self._count_failure(request, error.status)
            if app_id is not None and self._hub.observers.by_app:
                detail = f"{request.method} {request.path} was answered {error.status}. {error.message}"
                self._hub.observers.tell(app_id, Kind.ERROR, detail=detail, code=error.code)
            return error_response(error)
        except Exception:
            _log.exception("request failed", method=request.method, path=request.path)
            self._count_failure(request, 500)
            body = ErrorBody("internal_error", "The server failed to answer; its log says why.")
            return ApiResponse(500, msgspec.json.encode(body))

    async def _answer(self, request: ApiRequest) -> ApiResponse:
        endpoint, app_id, arguments = self._route(request)
        app = self._apps.find(app_id)
        if app is None:
            raise NotFoundError("no_such_app", "There is no app with this id.")
        now = self._clock()
        key = authenticate(request, app, now)
        if not app.enabled:
            raise ForbiddenError("app_disabled", "This app is disabled.")
        check_scope(key, endpoint.scope)
        self._apps.used_keys[key.key] = now
        if endpoint.scope is Scope.PUBLISH:
            app.meter.take_publish(app.limits, now)
            rate, limit = Rate.PUBLISHES, app.limits.publishes_per_second
        else:
            app.meter.take_read(app.limits, now)
            rate, limit = Rate.READS, app.limits.reads_per_second
        if limit:
            await self._hub.hold_to_rate(app, rate, limit)
        call = Call(app, self._hub, request, arguments, now)
        result = await (endpoint.handler(call) if self._tracer is None else _trace(self._tracer, endpoint, call))
        self.succeeded[endpoint.scope] += 1
        return ApiResponse(endpoint.status, msgspec.json.encode(result))

    def _count_failure(self, request: ApiRequest, status: int) -> str | None:
        """Count a request that failed; returns the id of the app that it named."""
        try:
            endpoint, app_id, _ = self._route(request)
        except SkubberError:  # it asked for nothing that there is
            return None
        self.failed[endpoint.scope, status // 100] += 1
        return app_id

    def _route(self, request: ApiRequest) -> tuple[Endpoint, str, Sequence[str]]:
        find_route = self._cached_route if len(request.path) <= _CACHED_PATH_LENGTH else self._find_route
        return find_route(request.method, request.path)

    def _find_route(self, method: str, path: str) -> tuple[Endpoint, str, Sequence[str]]:
        """The endpoint, the app id and the other variables of the path, decoded."""
        segments = path.split("/")[2:]
        methods = self._shapes.get(_shape(segments))
        if methods is None or not all(segments):
            raise NotFoundError("not_found", "There is no such path; /docs lists those there are.")
        endpoint = methods.get(method)
        if endpoint is None:
            raise MethodNotAllowedError(", ".join(methods))
        try:
            app_id, *arguments = [unquote(segment, errors="strict") for segment in segments[::2]]
        except UnicodeDecodeError:
            raise InvalidRequestError("invalid_path", "The path must be UTF-8, percent-encoded.") from None
        return endpoint, app_id, arguments


def _trace(tracer: RequestTracer, endpoint: Endpoint, call: Call) -> Awaitable[msgspec.Struct]:
    """Have a call answered, and traced if it is one to be."""
    if endpoint.scope is not Scope.PUBLISH:
        return endpoint.handler(call)
    trace = tracer.begin(endpoint.method, endpoint.path, call.app.id, call.request.headers, call.now)
    return endpoint.handler(call) if trace is None else _traced(trace, endpoint, call)


async def _traced(trace: RequestTrace, endpoint: Endpoint, call: Call) -> msgspec.Struct:
    status = 500
    try:
        result = await endpoint.handler(msgspec.structs.replace(call, trace=trace.parent))
        status = endpoint.status
    except SkubberError as error:
        status = error.status
        raise
    finally:
        trace.end(status)
    return result


def _shape(segments: Sequence[str]) -> _Shape:
    """The fixed segments of a path. Every second one is a variable: the app id, then what follows a fixed one."""
    return len(segments), tuple(segments[1::2])
