"""The codecs of Microsoft's JavaScript client, in a Node process."""

import json
import shutil
from base64 import b64decode, b64encode
from pathlib import Path
from subprocess import PIPE, Popen
from types import TracebackType
from typing import Any

_SCRIPT = Path(__file__).parent.parent / "clients" / "signalr_protocols.mjs"

Message = dict[str, Any]


class MicrosoftError(Exception):
    """Microsoft's code threw an error."""


class MicrosoftSignalR:
    """Runs ``tests/clients/signalr_protocols.mjs``; a context manager. Needs the fixture ``node``."""

    def __enter__(self) -> "MicrosoftSignalR":
        node = shutil.which("node")
        assert node is not None
        self._process = Popen([node, str(_SCRIPT)], stdin=PIPE, stdout=PIPE, cwd=_SCRIPT.parent, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._process:  # closes its input, which ends it
            pass

    def parse(self, protocol: str, data: bytes) -> list[Message]:
        """The messages that a hub protocol finds in what a server sent.

        Raises:
            MicrosoftError: it finds none.
        """
        messages: list[Message] = self._call("parse", protocol=protocol, data=_text(data))
        return messages

    def write(self, protocol: str, message: Message) -> bytes:
        """What a hub protocol sends for a message."""
        return b64decode(self._call("write", protocol=protocol, message=message))

    def handshake_request(self, request: Message) -> bytes:
        """The client's first message."""
        return b64decode(self._call("request", request=request))

    def handshake_response(self, protocol: str, data: bytes) -> tuple[Message, bytes]:
        """What the client makes of the server's first message, and what it leaves for its hub protocol."""
        answer = self._call("response", protocol=protocol, data=_text(data))
        return answer["response"], b64decode(answer["rest"] or "")

    def open_buffer(self) -> None:
        """Make a new ``MessageBuffer``, connected, for messages in JSON; what follows is about this one."""
        self._call("open")

    def buffer_send(self, message: Message) -> list[bytes]:
        """Send a message; returns what goes over the wire at that."""
        return [b64decode(data) for data in self._call("send", message=message)]

    def buffer_receive(self, data: bytes) -> tuple[list[Message], str | None]:
        """Receive messages; returns those the client acts on, and why it gave the connection up, if it did."""
        answer = self._call("receive", data=_text(data))
        return answer["processed"], answer["stopped"]

    def buffer_disconnected(self) -> None:
        """Cut the connection."""
        self._call("disconnected")

    def buffer_resend(self) -> list[bytes]:
        """Connect again; returns what goes over the wire at that."""
        return [b64decode(data) for data in self._call("resend")]

    def buffer_tick(self) -> list[bytes]:
        """Let a second pass; returns what goes over the wire at that."""
        return [b64decode(data) for data in self._call("tick")]

    def _call(self, command: str, **parameters: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **parameters}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise MicrosoftError(answer["error"])
        return answer["result"]


def _text(data: bytes) -> str:
    return b64encode(data).decode()
