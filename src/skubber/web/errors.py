"""Errors of the cold routes, in the shape of the API's: a stable code, and a sentence that says what to do."""

from collections.abc import Mapping
from typing import cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from skubber.api.message import ApiResponse, ErrorBody, error_response
from skubber.core.errors import MethodNotAllowedError, NotFoundError, SkubberError


def api_response(answer: ApiResponse) -> Response:
    """An answer of the API as one of Starlette's."""
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, "application/json")


async def _not_found(_: Request, __: Exception) -> Response:
    return api_response(
        error_response(NotFoundError("not_found", "There is no such path; /docs lists those there are."))
    )


async def _method_not_allowed(_: Request, error: Exception) -> Response:
    headers = cast("HTTPException", error).headers or {}
    allowed = sorted(headers["Allow"].split(", "))  # Starlette keeps them in a set
    return api_response(error_response(MethodNotAllowedError(", ".join(allowed))))


async def _internal_error(_: Request, __: Exception) -> Response:
    """Starlette raises the exception on after this is sent, for uvicorn to log."""
    body = ErrorBody("internal_error", "The server failed to answer; its log says why.")
    return api_response(ApiResponse(500, msgspec.json.encode(body)))


async def _client_gone(_: Request, __: Exception) -> Response:
    """The client hung up while its request was read: no fault of the server's, and this goes to nobody."""
    return Response(status_code=400)


async def _refused(_: Request, error: Exception) -> Response:
    return api_response(error_response(cast("SkubberError", error)))


ERROR_HANDLERS: Mapping[int | type[Exception], ExceptionHandler] = {
    404: _not_found,
    405: _method_not_allowed,
    ClientDisconnect: _client_gone,
    SkubberError: _refused,
    Exception: _internal_error,
}
