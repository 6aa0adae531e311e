"""A back end that takes webhooks, or does not: a real HTTP server in a thread."""

import asyncio
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20
"""Seconds a test waits for what must come."""


@dataclass(frozen=True)
class Received:
    """A request, and how it was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)["events"]
        return found


class Receiver:
    """Answers as it is told to.

    Attributes:
        status: what it answers with; 0: it takes the request and says nothing.
        location: where it redirects to.
        answer: the body of its answers.
        requests: every request, in the order in which they came.
    """

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.location = ""
        self.answer = b""
        self.requests: list[Received] = []
        self.connections: set[socket.socket] = set()
        self.changed = threading.Condition()
        self.is_stopped = False
        self._server = _Listener(("127.0.0.1", port), self)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        """Stop listening and hang up."""
        with self.changed:
            self.is_stopped = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        with self.changed:
            for connection in self.connections:
                connection.shutdown(socket.SHUT_RDWR)
            self.changed.wait_for(lambda: not self.connections, PATIENCE)

    def events(self, path: str | None = None) -> list[dict[str, Any]]:
        """All events that were taken, those of one path say, in order."""
        taken = [each for each in self.requests if 200 <= each.status < 300 and path in {None, each.path}]
        return [event for each in taken for event in each.events]

    async def wait_for_requests(self, count: int) -> list[Received]:
        """Wait until there have been so many requests, and return them."""
        await asyncio.to_thread(self._wait, lambda: len(self.requests) >= count)
        return self.requests

    async def wait_for_events(self, count: int, path: str | None = None) -> list[dict[str, Any]]:
        """Wait until so many events were taken, and return them."""
        await asyncio.to_thread(self._wait, lambda: len(self.events(path)) >= count)
        return self.events(path)

    def _wait(self, is_met: Any) -> None:
        with self.changed:
            assert self.changed.wait_for(is_met, PATIENCE), [(each.status, each.body) for each in self.requests]


class _Listener(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.receiver.changed:
            self.receiver.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self.receiver.changed:
            self.receiver.connections.discard(request)
            self.receiver.changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with receiver.changed:
            status = receiver.status
            receiver.requests.append(Received(self.path, headers, body, status))
            receiver.changed.notify_all()
            if not status:
                receiver.changed.wait_for(lambda: receiver.is_stopped)
                return
        self.send_response(status)
        if receiver.location:
            self.send_header("location", receiver.location)
        self.send_header("content-length", str(len(receiver.answer)))
        self.end_headers()
        self.wfile.write(receiver.answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""
