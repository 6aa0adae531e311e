"""What happened and is to be told, on its way into the database."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from skubber.core.webhook import WebhookEvent, WebhookEventName

_ROW_BYTES = 500
"""What a row takes in memory besides the event's own text, about."""

_ARRIVAL_OF = {
    WebhookEventName.CHANNEL_VACATED: WebhookEventName.CHANNEL_OCCUPIED,
    WebhookEventName.MEMBER_REMOVED: WebhookEventName.MEMBER_ADDED,
}
_DEPARTURE_OF = {arrival: departure for departure, arrival in _ARRIVAL_OF.items()}

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, and the endpoints it is for.

    Attributes:
        app_id: its app.
        time_ms: when it happened, milliseconds since the epoch.
        body: its JSON.
        endpoint_ids: the endpoints.
        place: who has come or gone where, for events that say so.
        is_departure: whether somebody has gone.
    """

    app_id: str
    time_ms: int
    body: str
    endpoint_ids: tuple[str, ...]
    place: str | None = None
    is_departure: bool = False

    @property
    def size(self) -> int:
        """Bytes it takes in memory, about."""
        return (len(self.body) + _ROW_BYTES) * max(1, len(self.endpoint_ids))

    def rows(self) -> Sequence[dict[str, Any]]:
        """A row of ``webhook_events`` for each endpoint."""
        common = {"app_id": self.app_id, "time_ms": self.time_ms, "body": self.body, "attempts": 0}
        return [{"endpoint_id": each, **common} for each in self.endpoint_ids]


def happening(app_id: str, time_ms: int, event: WebhookEvent, endpoint_ids: tuple[str, ...]) -> Happening:
    """Put down what happened."""
    is_departure = event.name in _ARRIVAL_OF
    place = place_of(app_id, event) if is_departure or event.name in _DEPARTURE_OF else None
    return Happening(app_id, time_ms, _encode(event).decode(), endpoint_ids, place, is_departure)


def opposite(event: WebhookEvent) -> WebhookEvent | None:
    """Of a departure the arrival, of an arrival the departure; None of any other event."""
    name = _ARRIVAL_OF.get(event.name) or _DEPARTURE_OF.get(event.name)
    return None if name is None else WebhookEvent(name, event.channel, event.user_id)


def place_of(app_id: str, event: WebhookEvent) -> str:
    """A text of a fixed length, the same for the arrival and the departure of the same one."""
    return hashlib.sha256(_encode([app_id, event.channel, event.user_id])).hexdigest()
