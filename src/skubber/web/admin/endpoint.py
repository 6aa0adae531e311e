"""What an endpoint of the admin API is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import msgspec

from skubber.api.endpoints import QueryParameter
from skubber.web.admin.call import AdminCall

PATH_PREFIX = "/api/admin"


@dataclass(frozen=True, slots=True)
class AdminEndpoint:
    """One call of the admin API.

    Attributes:
        method: upper case; all but GET need an owner's token.
        path: after the prefix, with ``{variables}``.
        operation_id: its name for generated clients.
        summary: one line for a person.
        handler: what answers it.
        response: the type of its answer, or of the data of each event, if it answers with a stream of them.
        request: the type of its JSON body, if it takes one.
        query: the query parameters it takes; it refuses others.
        status: the status of its answer, errors aside.
        event: the name of the stream's events; empty: it answers once.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    handler: Callable[[AdminCall], Awaitable[msgspec.Struct | AsyncIterator[msgspec.Struct]]]
    response: type[msgspec.Struct]
    request: type[msgspec.Struct] | None = None
    query: tuple[QueryParameter, ...] = ()
    status: int = 200
    event: str = ""

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"


LIMIT = QueryParameter(
    "limit",
    "Most entries on the page, 1 to 200; 50 unless given.",
    "20",
    schema={"pattern": "^([1-9][0-9]?|1[0-9][0-9]|200)$"},
)
