"""The load generator, as an object: each method is one command, carried out to its end."""

import contextlib
import os
import subprocess
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
from benchmarks.harness.credentials import Credentials

SignalRKind = Literal["signalr-json", "signalr-messagepack"]
"""Clients of the SignalR hub, by encoding; on a public channel."""

Kind = Literal["unsubscribed", "public", "private", "presence"] | SignalRKind
"""What clients subscribe to. All but ``SignalRKind`` speak Pusher's protocol."""

SIGNALR_KINDS: tuple[SignalRKind, ...] = get_args(SignalRKind)
Pace = Literal["ticks", "flood", "rate"]
Authentication = Literal["plain", "signed"]

CONNECTING_AT_A_TIME = 64
TOKEN_PATH = "/api/auth/signalr-token"
TOKEN_SECONDS = 10
"""How long the server may take to issue an access token."""


class LoadError(Exception):
    """The server did something wrong (or the load generator did): there are no figures."""


class _Token(msgspec.Struct):
    token: str


class Done(msgspec.Struct):
    """A command was carried out.

    Attributes:
        seconds: how long it took.
    """

    seconds: float


class Told(Done):
    """Members joined or left.

    Attributes:
        delivered: how many notifications of it the others received.
    """

    delivered: int


class HungUp(Done):
    """The server has ended connections.

    Attributes:
        count: how many.
    """

    count: int


class Published(Done):
    """Events were sent, and every one was received by everyone it was for, whole, in order and once.

    Attributes:
        requests: how many HTTP requests it took.
        delivered: events times receivers.
        latencies: for each event with receivers, from when it was due to when the last had it; microseconds, sorted.
    """

    requests: int
    delivered: int
    latencies: list[float]


Answer = TypeVar("Answer", bound=Done)


class LoadGenerator:
    """A running load generator, on one server. It is idle, and reads nothing, between commands.

    Args:
        executable: the program.
        url: ``http://host:port`` or ``https://host:port`` of the server; its certificate is not checked.
        app: an app of the server's.
        core: the core to stay on, if any.
    """

    def __init__(self, executable: Path, url: str, app: Credentials, core: int | None) -> None:
        self._address = urlsplit(url).netloc
        self._app = app
        self._process = subprocess.Popen(
            [executable, url, app.app_id, app.key, app.secret],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})

    def __enter__(self) -> "LoadGenerator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()
        self._process.communicate()

    def connect(self, count: int, channels: int = 1, kind: Kind = "public") -> Done:
        """Open so many clients and subscribe each to one of so many channels, in turn.

        SignalR's clients share an access token, which every one of them has to show.

        Raises:
            LoadError: a client did not get that far, or the server issues no token.
        """
        return self._command(
            Done,
            "connect",
            count=count,
            channels=channels,
            kind=kind,
            token=self._access_token() if kind in SIGNALR_KINDS else "",
            in_flight=CONNECTING_AT_A_TIME,
        )

    def publish(
        self,
        events: int,
        data_size: int,
        pace: Pace,
        *,
        publishers: int = 1,
        batch: int = 1,
        authentication: Authentication = "plain",
        events_per_second: float = 0,
    ) -> Published:
        """Publish, and wait until every subscriber has everything.

        Args:
            events: how many; they go to the channels in turn.
            data_size: bytes of data in each.
            pace: ``ticks``: one request on each connection, the next when everything has arrived; ``flood``: on each
                connection one request after the other; ``rate``: at fixed times.
            publishers: HTTP connections.
            batch: events in one request.
            authentication: plain key, or Pusher's signature.
            events_per_second: the pace of ``rate``.
        """
        interval = round(1e9 * batch / events_per_second) if events_per_second else 0
        return self._command(
            Published,
            "publish",
            events=events,
            data_size=data_size,
            pace=pace,
            publishers=publishers,
            batch=batch,
            authentication=authentication,
            interval=interval,
        )

    def client_events(self, rounds: int, data_size: int) -> Published:
        """Let every client send one client event and wait until all others have it, so many times."""
        return self._command(Published, "client_events", rounds=rounds, data_size=data_size)

    def join(self, at_a_time: int) -> Told:
        """Let all clients connected as ``presence`` join the presence channel."""
        return self._command(Told, "join", in_flight=at_a_time)

    def leave(self, at_a_time: int) -> Told:
        """Let all of them leave it."""
        return self._command(Told, "leave", in_flight=at_a_time)

    def stall(self, count: int) -> None:
        """From now on so many of the clients read nothing any more, and nothing is expected to reach them."""
        self._command(Done, "stall", count=count)

    def await_hang_ups(self, seconds: int) -> int:
        """Wait at most so long for the server to cut the stalled clients off; returns how many it has."""
        return self._command(HungUp, "await_hang_ups", seconds=seconds).count

    def close(self) -> None:
        """Cut all connections."""
        self._command(Done, "close")

    def _access_token(self) -> str:
        body = msgspec.json.encode({"apiKey": self._app.key, "apiSecret": self._app.secret})
        connection = HTTPConnection(self._address, timeout=TOKEN_SECONDS)
        try:
            connection.request("POST", TOKEN_PATH, body, {"Content-Type": "application/json"})
            answer = connection.getresponse().read()
            return msgspec.json.decode(answer, type=_Token).token
        except msgspec.MsgspecError:
            raise LoadError(f"no access token: {answer.decode(errors='replace')[:500]}") from None
        except (OSError, HTTPException) as error:
            raise LoadError(f"no access token: {error}") from None
        finally:
            connection.close()

    def _command(self, answer: type[Answer], command: str, **options: int | str) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        words = (command, *(f"{name}={value}" for name, value in options.items()))
        with contextlib.suppress(BrokenPipeError):  # it has ended, and its last words say why
            self._process.stdin.write(" ".join(words).encode() + b"\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        try:
            return msgspec.json.decode(line, type=answer)
        except msgspec.MsgspecError:
            raise LoadError(f"{command}: {line.decode().strip() or 'the load generator has ended'}") from None
