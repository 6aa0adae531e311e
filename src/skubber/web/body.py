"""Reading request bodies, up to a limit."""

from starlette.requests import Request

from skubber.core.errors import TooLargeError


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body of a request.

    Args:
        request: the request.
        max_bytes: its largest body.

    Raises:
        TooLargeError: ``body_too_large``.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise body_too_large(max_bytes)
    return bytes(body)


def body_too_large(max_bytes: int) -> TooLargeError:
    """What answers a body of more than ``max_bytes``."""
    return TooLargeError("body_too_large", f"Request bodies have at most {max_bytes} bytes.")
