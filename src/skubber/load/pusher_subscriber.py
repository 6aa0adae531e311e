"""A client that speaks Pusher's protocol."""

import json
from urllib.parse import quote

import msgspec

from skubber import __version__
from skubber.codecs.pusher import PONG
from skubber.load.subscriber import Subscriber


class _Told(msgspec.Struct):
    event: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Complaint(msgspec.Struct):
    code: int | None = None
    message: str = ""
    error: str = ""


class PusherSubscriber(Subscriber):
    """One client. Source: Pusher Channels Protocol, version 7."""

    __slots__ = ()

    def request_path(self) -> str:
        return f"/app/{quote(self._target.key, safe='')}?protocol=7&client=skubber-bench&version={__version__}"

    def opened(self) -> None:
        subscription = {"event": "pusher:subscribe", "data": {"channel": self.reception.channel}}
        self.send(json.dumps(subscription).encode())

    def told(self, message: bytes) -> None:
        try:
            told = msgspec.json.decode(message, type=_Told)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.fail("the server does not speak Pusher's protocol")
            return
        if told.event == "pusher_internal:subscription_succeeded":
            self.succeed()
        elif told.event == "pusher:ping":
            self.send(PONG)
        elif told.event in {"pusher:error", "pusher:subscription_error"}:
            self.fail(f"the server refuses: {_complaint(bytes(told.data))}")


def _complaint(data: bytes) -> str:
    """Code and sentence of an error, or what else there is."""
    try:
        complaint = msgspec.json.decode(data, type=_Complaint)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return data.decode(errors="replace")
    said = complaint.message or complaint.error
    return said if complaint.code is None else f"{complaint.code}: {said}"
