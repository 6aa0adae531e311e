"""What the HTTP API asks of whoever traces requests."""

from collections.abc import Iterable
from typing import Protocol


class RequestTrace(Protocol):
    """A request that is traced.

    Attributes:
        parent: what comes next in it has this parent; the value of a ``traceparent`` header (W3C Trace Context).
    """

    parent: str

    def end(self, status: int) -> None:
        """Note that the request is answered, and with which HTTP status."""
        ...


class RequestTracer(Protocol):
    """Traces some of the requests that publish."""

    def begin(
        self, method: str, route: str, app_id: str, headers: Iterable[tuple[bytes, bytes]], began: float
    ) -> RequestTrace | None:
        """Begin to trace a request whose key is good; None when this is not one of those that are traced.

        Args:
            method: its HTTP method.
            route: its path, with ``{names}`` in place of what varies.
            app_id: the app it is about.
            headers: its header fields, names in lower case; a trace that it belongs to already goes on.
            began: when it came in, seconds since the epoch.
        """
        ...
