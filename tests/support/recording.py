"""Connections and formats that write down what they are given."""

from collections.abc import Callable

from skubber.core.app import ApiKey
from skubber.core.connection import EndReason, take_nothing
from skubber.core.event import Event

from .apps import KEY


class LegibleFormat:
    """A wire format a person can read: ``channel/event;``. It remembers what it was asked to encode.

    Args:
        label: put before each event, to tell formats apart.
    """

    def __init__(self, label: str = "") -> None:
        self.label = label
        self.encoded: list[tuple[str, str]] = []

    def encode(self, event: Event, channel: str) -> bytes:
        self.encoded.append((channel, event.name))
        return f"{self.label}{channel}/{event.name};".encode()


class RecordingConnection:
    """A connected client that remembers what was written to it and why it was ended."""

    def __init__(self, socket_id: str, wire_format: LegibleFormat, key: str = KEY) -> None:
        self.socket_id = socket_id
        self.key = ApiKey(key, "")
        self.wire_format = wire_format
        self.writes: list[bytes] = []
        self.ends: list[EndReason] = []
        self.write: Callable[[bytes], None] = self.writes.append
        self.send_now: Callable[[bytes], int] = take_nothing

    @property
    def kind(self) -> tuple[str, str]:
        return "recording", "memory"

    @property
    def received(self) -> list[str]:
        """The events it was sent, each as ``channel/event``."""
        return b"".join(self.writes).decode().split(";")[:-1]

    def end(self, reason: EndReason) -> None:
        self.ends.append(reason)


class Iteration:
    """The end of an event-loop iteration, which comes when the test says so."""

    def __init__(self) -> None:
        self.deferred: list[Callable[[], None]] = []

    def __call__(self, call: Callable[[], None]) -> None:
        self.deferred.append(call)

    def end(self) -> None:
        calls, self.deferred = self.deferred, []
        for call in calls:
            call()
