"""Stateful reconnect between our buffer and the one of Microsoft's JavaScript client, over connections that break."""

import json
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skubber.codecs.signalr_json import JSON
from skubber.codecs.websocket_frames import Opcode, encode_text
from skubber.sessions.signalr.replay import ReplayBuffer
from support.microsoft_signalr import Message, MicrosoftSignalR
from support.websocket_readings import OurReading

STEPS = st.sampled_from(
    ["server sends", "server sends two", "client sends", "client receives", "server receives", "tick", "cut"]
)
CALLS = [
    {"type": 1, "target": "T", "arguments": []},
    {"type": 2, "invocationId": "0", "item": 1},
    {"type": 3, "invocationId": "0"},
]
"""What is counted and what a server sends: the client's protocol ignores types 4 and 5."""
MESSAGES = st.sampled_from([*CALLS, {"type": 6}, {"type": 7}, {"type": 8, "sequenceId": 0}])


@pytest.fixture(scope="module")
def microsoft(node: None) -> Iterator[MicrosoftSignalR]:
    """One client for all tests."""
    with MicrosoftSignalR() as client:
        yield client


class Link:
    """A server and a client that may resume, and a connection between them that loses what is under way when it is cut.

    Args:
        microsoft: has the client's buffer.
    """

    def __init__(self, microsoft: MicrosoftSignalR) -> None:
        self.microsoft = microsoft
        microsoft.open_buffer()
        self.to_client: list[bytes] = []
        self.to_server: list[bytes] = []
        self.replay = ReplayBuffer(self.to_client.append, 1_000_000)
        self.reader = JSON.reader(10_000)
        self.numbers = count(1)
        self.sent_by_server: list[int] = []
        self.sent_by_client: list[int] = []
        self.acted_on_by_server: list[int] = []
        self.acted_on_by_client: list[int] = []

    def take(self, step: str) -> None:
        """Let one thing happen."""
        {
            "server sends": lambda: self.server_sends(1),
            "server sends two": lambda: self.server_sends(2),
            "client sends": self.client_sends,
            "client receives": self.client_receives,
            "server receives": self.server_receives,
            "tick": self.tick,
            "cut": self.cut,
        }[step]()

    def server_sends(self, number_of_calls: int) -> None:
        """Send calls in one write, as a channel's burst is sent."""
        numbers = [next(self.numbers) for _ in range(number_of_calls)]
        self.sent_by_server += numbers
        self.replay.write(b"".join(encode_text(JSON.invocation("Event", [number])) for number in numbers))

    def client_sends(self) -> None:
        """Call the hub."""
        number = next(self.numbers)
        self.sent_by_client.append(number)
        self.to_server += self.microsoft.buffer_send({"type": 1, "target": "Trigger", "arguments": [number]})

    def client_receives(self) -> None:
        """Let one write of the server arrive."""
        if not self.to_client:
            return
        reading = OurReading(of_server=True)
        reading.feed(self.to_client.pop(0))
        for opcode, payload in reading.messages:
            assert opcode is Opcode.TEXT
            processed, stopped = self.microsoft.buffer_receive(payload)
            assert stopped is None
            self.acted_on_by_client += [message["arguments"][0] for message in processed]

    def server_receives(self) -> None:
        """Let one message of the client arrive, and acknowledge what has."""
        if not self.to_server:
            return
        for message in self.reader.feed(self.to_server.pop(0)):
            if self.replay.accept(message):
                assert message.arguments is not None
                self.acted_on_by_server.append(json.loads(bytes(message.arguments[0])))
        number = self.replay.take_unacknowledged()
        if number:
            self.to_client.append(encode_text(JSON.ack(number)))

    def tick(self) -> None:
        """Let the client acknowledge."""
        self.to_server += self.microsoft.buffer_tick()

    def cut(self) -> None:
        """Lose the connection with all that is under way, and come back over another."""
        self.microsoft.buffer_disconnected()
        self.replay.detach()
        self.reader = JSON.reader(10_000)
        self.to_server[:] = self.microsoft.buffer_resend()
        self.to_client[:] = [encode_text(JSON.sequence(self.replay.first_kept))]
        self.replay.attach(self.to_client.append)

    def settle(self) -> None:
        """Let everything arrive, and be acknowledged."""
        self.tick()
        while self.to_client or self.to_server:
            self.client_receives()
            self.server_receives()
            self.tick()


@settings(max_examples=200)
@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_is_cut_everything_arrives_once_and_in_order(microsoft: MicrosoftSignalR, steps: list[str]) -> None:
    link = Link(microsoft)
    for step in steps:
        link.take(step)
    link.settle()
    assert link.acted_on_by_client == link.sent_by_server
    assert link.acted_on_by_server == link.sent_by_client
    assert link.replay.error is None
    assert not link.replay.has_overrun


@settings(max_examples=100)
@given(steps=st.lists(STEPS, max_size=40))
def test_when_all_has_settled_neither_keeps_anything(microsoft: MicrosoftSignalR, steps: list[str]) -> None:
    link = Link(microsoft)
    for step in steps:
        link.take(step)
    link.settle()
    link.cut()
    assert link.to_client == [encode_text(JSON.sequence(len(link.sent_by_server) + 1))]
    (only,) = link.to_server
    assert json.loads(only[:-1]) == {"type": 9, "sequenceId": len(link.sent_by_client) + 1}


@settings(max_examples=200)
@given(said=st.lists(MESSAGES | st.just("cut") | st.integers(-3, 0), max_size=30))
def test_both_act_on_the_same_messages(microsoft: MicrosoftSignalR, said: list[Message | str | int]) -> None:
    """Both are told the same, with cuts in between, after which they are told to go on from so many messages back."""
    microsoft.open_buffer()
    replay = ReplayBuffer(lambda _: None, 1_000_000)
    for each in said:
        if isinstance(each, str):
            microsoft.buffer_disconnected()
            replay.detach()
            continue
        message = {"type": 9, "sequenceId": replay._next_received + each} if isinstance(each, int) else each
        data = json.dumps(message).encode() + b"\x1e"
        processed, stopped = microsoft.buffer_receive(data)
        assert stopped is None
        assert replay.accept(*JSON.reader(1000).feed(data)) == bool(processed)


@pytest.mark.parametrize("ahead", [1, 2, 1000])
def test_both_give_up_on_a_sequence_that_skips_messages(microsoft: MicrosoftSignalR, ahead: int) -> None:
    microsoft.open_buffer()
    replay = ReplayBuffer(lambda _: None, 1_000_000)
    call = {"type": 1, "target": "T", "arguments": []}
    for message in (call, call, {"type": 9, "sequenceId": 3 + ahead}):
        data = json.dumps(message).encode() + b"\x1e"
        _, stopped = microsoft.buffer_receive(data)
        replay.accept(*JSON.reader(1000).feed(data))
        assert (replay.error is None) == (stopped is None)
    assert replay.error is not None


def test_a_client_whose_buffer_is_full_goes_on_when_it_resumes(microsoft: MicrosoftSignalR) -> None:
    """It waits for an ack, and the one that was sent is lost."""
    link = Link(microsoft)
    link.client_sends()
    link.server_receives()
    link.cut()
    link.settle()
    assert link.acted_on_by_server == link.sent_by_client
    link.cut()
    (only,) = link.to_server
    assert json.loads(only[:-1]) == {"type": 9, "sequenceId": 2}
