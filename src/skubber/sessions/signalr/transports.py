"""The three ways a SignalR client may be connected, as its session sees them: how messages are wrapped.

Source: ASP.NET Core SignalR, TransportProtocols.md.
"""

from collections.abc import Callable
from enum import Enum

from skubber.codecs.event_stream import encode_event
from skubber.codecs.websocket_frames import encode_binary, encode_text


def _as_it_is(message: bytes) -> bytes:
    return message


class Transport(Enum):
    """One transport.

    Attributes:
        label: as negotiation names it.
        frame_text: wraps a message of a text protocol.
        frame_binary: wraps a message of a binary protocol; None where the transport carries text only.
        needs_pings: whether silence would look like death. A poll ends by itself and is asked anew.
    """

    WEBSOCKETS = ("WebSockets", encode_text, encode_binary, True)
    SERVER_SENT_EVENTS = ("ServerSentEvents", encode_event, None, True)
    LONG_POLLING = ("LongPolling", _as_it_is, _as_it_is, False)

    def __init__(
        self,
        label: str,
        frame_text: Callable[[bytes], bytes],
        frame_binary: Callable[[bytes], bytes] | None,
        needs_pings: bool,
    ) -> None:
        self.label = label
        self.frame_text = frame_text
        self.frame_binary = frame_binary
        self.needs_pings = needs_pings

    @property
    def transfer_formats(self) -> list[str]:
        """As negotiation names them."""
        return ["Text"] if self.frame_binary is None else ["Text", "Binary"]
