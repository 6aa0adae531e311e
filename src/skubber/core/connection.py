"""What the hub needs of a connected client, whichever protocol it speaks."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from skubber.core.app import ApiKey
from skubber.core.event import WireFormat


class EndReason(Enum):
    """Why the server ends a connection. Each client protocol has its own code for it."""

    TERMINATED = auto()
    """An API call ended all of the user's connections: the client must not come back by itself."""
    DRAINING = auto()
    """This node is going away: the client should reconnect at once."""
    TOO_SLOW = auto()
    """The client does not read what it is owed: it should reconnect after a pause."""
    KEY_REVOKED = auto()
    """The API key it connected with is not good any more."""
    APP_DISABLED = auto()
    """The app was disabled."""
    APP_DELETED = auto()
    """The app is gone."""
    APP_FULL = auto()
    """The app has as many connections as it may have: other nodes had let in the last."""


def take_nothing(frames: bytes) -> int:
    """Stands for ``send_now`` where nothing can be sent at once, or something waits to be sent before."""
    return 0


class Connection(Protocol):
    """A connected client as its channels see it.

    Attributes:
        socket_id: unique on this server; the id publishers exclude by.
        wire_format: the format its frames are in.
        write: sends finished bytes; never blocks and never raises for a connection that is open or closing.
        send_now: hands finished bytes straight to the socket, if nothing waits before them, and returns how many it
            took; ``write`` takes the others. May raise OSError instead of taking none. Fan-out is made of it: the way
            through the event loop's transport adds a fifth to a half to what the system call costs.
    """

    socket_id: str

    @property
    def write(self) -> Callable[[bytes], None]:
        """See the attribute's description."""
        ...

    @property
    def send_now(self) -> Callable[[bytes], int]:
        """See the attribute's description."""
        ...

    @property
    def wire_format(self) -> WireFormat:
        """See the attribute's description."""
        ...

    def end(self, reason: EndReason) -> None:
        """Start closing the connection for ``reason``."""
        ...


class ClientConnection(Connection, Protocol):
    """A connected client as its app sees it.

    Attributes:
        key: the API key it connected with.
    """

    key: ApiKey

    @property
    def kind(self) -> tuple[str, str]:
        """The protocol it speaks and the transport it came over, as metrics name them; one of a handful of pairs."""
        ...
