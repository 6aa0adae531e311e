"""``GET /metrics``.

Source: RFC 6750, "The OAuth 2.0 Authorization Framework: Bearer Token Usage", sections 2.1 and 3.
"""

from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skubber.api.message import error_response
from skubber.core.errors import UnauthorizedError
from skubber.metrics.metrics import Metrics
from skubber.web.errors import api_response

_NOT_STORED = {"cache-control": "no-store"}


def metrics_route(metrics: Metrics, token: str) -> Route:
    """The route.

    Args:
        metrics: what is read.
        token: who has it may read; empty: whoever asks.
    """

    async def answer(request: Request) -> Response:
        if token and not _has(request, token):
            error = UnauthorizedError("invalid_metrics_token", "Send metrics_token: Authorization: Bearer ....")
            refused = api_response(error_response(error))
            refused.headers.update({"www-authenticate": 'Bearer realm="skubber"', **_NOT_STORED})
            return refused
        text, content_type = await metrics.expose(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type, **_NOT_STORED})

    return Route("/metrics", answer)


def _has(request: Request, token: str) -> bool:
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and compare_digest(sent.strip().encode(), token.encode())
