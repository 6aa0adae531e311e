"""A client that speaks SignalR, in its JSON encoding."""

from urllib.parse import quote

import msgspec

from skubber.codecs.signalr import RECORD_SEPARATOR, MessageType
from skubber.codecs.signalr_json import JSON
from skubber.load.subscriber import Subscriber

_HANDSHAKE = b'{"protocol":"json","version":1}' + RECORD_SEPARATOR
_INVOCATION = "1"


class _Told(msgspec.Struct, rename="camel"):
    """A hub message, or, without a type, the answer to the handshake."""

    type: int | None = None
    invocation_id: str | None = None
    error: str | None = None


class SignalRSubscriber(Subscriber):
    """One client, connected without negotiation. Source: ASP.NET Core SignalR, HubProtocol.md."""

    __slots__ = ()

    def request_path(self) -> str:
        return f"/push?access_token={quote(self._target.token, safe='')}"

    def opened(self) -> None:
        self.send(_HANDSHAKE)

    def keep_alive(self) -> None:
        """A client that is silent for half a minute counts as gone."""
        self.send(JSON.ping)

    def told(self, message: bytes) -> None:
        try:
            for record in message.split(RECORD_SEPARATOR)[:-1]:
                self._take(msgspec.json.decode(record, type=_Told))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.fail("the server does not speak SignalR's JSON protocol")

    def _take(self, told: _Told) -> None:
        if told.error is not None:
            self.fail(f"the server refuses: {told.error}")
        elif told.type is None:
            self._subscribe()
        elif told.type == MessageType.COMPLETION and told.invocation_id == _INVOCATION:
            self.succeed()
        elif told.type == MessageType.CLOSE:
            self.fail("the server closed the connection")

    def _subscribe(self) -> None:
        invocation = {
            "type": MessageType.INVOCATION,
            "invocationId": _INVOCATION,
            "target": "Subscribe",
            "arguments": [self.reception.channel],
        }
        self.send(msgspec.json.encode(invocation) + RECORD_SEPARATOR)
