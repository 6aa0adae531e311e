"""Sending one request to a back end that may be slow, broken or hostile."""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

import httpcore
import httpx

from skubber.store.reason import reason
from skubber.webhooks.addresses import GuardedNetwork

MAX_ANSWER_BYTES = 65_536
"""So much of an answer is read, for the connection to be used again; what is longer is cut off."""

MAX_CONNECTIONS = 256
"""Most requests under way at a time."""

_FAILURES = (
    OSError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


class DeliveryError(Exception):
    """A back end has not taken a request; the message says why.

    Attributes:
        status: the status of its answer; 0 when there was none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Sender(Protocol):
    """Sends requests to back ends."""

    async def post(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> int:
        """Send a request. Call it in a task.

        Returns:
            The status of the answer, 200 to 299.

        Raises:
            DeliveryError: there was no such answer in time.
        """
        ...


class WebhookClient:
    """Implements ``Sender``. It follows no redirects, knows no proxies and keeps no cookies.

    Args:
        networks: see ``GuardedNetwork``.
        timeout: seconds a request may take, from looking its host up to the answer.
    """

    def __init__(self, networks: Iterable[str], timeout: float) -> None:
        self._networks = networks
        self._timeout = timeout

    @cached_property
    def _pool(self) -> httpcore.AsyncConnectionPool:
        # Not before it is needed: the certificates of all authorities take up memory and time.
        return httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=5,
            network_backend=GuardedNetwork(self._networks),
        )

    async def post(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> int:
        """Send a request; see ``Sender``."""
        status = 0
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._pool.stream("POST", _target(url), headers=headers, content=body) as answer,
            ):
                status = answer.status
                await _read(answer)
        except TimeoutError:
            if not status:
                raise DeliveryError(f"There was no answer within {self._timeout:g} s.") from None
        except _FAILURES as error:
            if not status:
                raise DeliveryError(f"{reason(error)}.") from error
        if 300 <= status < 400:
            raise DeliveryError(f"The answer was {status}: redirects are not followed.", status)
        if not 200 <= status < 300:
            raise DeliveryError(f"The answer was {status}.", status)
        return status

    async def close(self) -> None:
        """Close every connection."""
        if "_pool" in self.__dict__:
            await self._pool.aclose()


def _target(url: str) -> httpcore.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise DeliveryError(f"The URL cannot be used: {reason(error)}.") from None
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise DeliveryError(f"The URL cannot be used: there is no port {parsed.port}.")
    return httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)


async def _read(answer: httpcore.Response) -> None:
    read = 0
    async for part in answer.aiter_stream():
        read += len(part)
        if read > MAX_ANSWER_BYTES:
            return
