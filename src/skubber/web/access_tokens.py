"""``POST /api/auth/signalr-token`` over ASGI."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skubber.api.access_tokens import AccessTokens
from skubber.api.message import ApiRequest
from skubber.web.any_origin import ANY_ORIGIN
from skubber.web.body import read_body
from skubber.web.errors import api_response

PATH = "/api/auth/signalr-token"

_BODY_BYTES = 65_536


def access_token_route(tokens: AccessTokens) -> Route:
    """The route, open to browsers of any origin: the documented example is one. Secrets in browsers stay a bad idea."""

    async def issue(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204)
        body = await read_body(request, _BODY_BYTES)
        address = request.client.host if request.client else ""
        return api_response(tokens.answer(ApiRequest("POST", PATH, b"", [], body), address))

    return Route(PATH, issue, methods=["POST", "OPTIONS"], middleware=ANY_ORIGIN)
