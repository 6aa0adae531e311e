import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from skubber.codecs.signalr import HubMessage, MessageType
from skubber.codecs.websocket_frames import encode_text
from skubber.sessions.signalr.replay import ReplayBuffer

MAX_BYTES = 100
COUNTED = [
    MessageType.INVOCATION,
    MessageType.STREAM_ITEM,
    MessageType.COMPLETION,
    MessageType.STREAM_INVOCATION,
    MessageType.CANCEL_INVOCATION,
]
NOT_COUNTED = [MessageType.PING, MessageType.CLOSE]


def frame(text: str) -> bytes:
    """A frame of text and two bytes more."""
    return encode_text(text.encode())


def frames(*texts: str) -> bytes:
    """Frames as a channel's burst joins them."""
    return b"".join(map(frame, texts))


class Wire:
    """What has gone over one transport."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@pytest.fixture
def wire() -> Wire:
    """The first transport."""
    return Wire()


@pytest.fixture
def replay(wire: Wire) -> ReplayBuffer:
    """A buffer over the first transport, for a hundred bytes."""
    return ReplayBuffer(wire.write, MAX_BYTES)


def ack(number: int) -> HubMessage:
    return HubMessage(MessageType.ACK, sequence_id=number)


def sequence(number: int) -> HubMessage:
    return HubMessage(MessageType.SEQUENCE, sequence_id=number)


def message(kind: MessageType = MessageType.INVOCATION) -> HubMessage:
    return HubMessage(kind)


def resumed(replay: ReplayBuffer) -> bytes:
    """What goes over a new transport after a cut."""
    wire = Wire()
    replay.detach()
    replay.attach(wire.write)
    return wire.data


def accepted(replay: ReplayBuffer, count: int) -> list[bool]:
    """Whether each of some messages is acted on."""
    return [replay.accept(message()) for _ in range(count)]


class TestSending:
    def test_what_is_sent_goes_out_at_once(self, replay: ReplayBuffer, wire: Wire) -> None:
        replay.write(frame("a"))
        assert wire.data == frame("a")
        replay.write(frames("b", "c"))
        assert wire.data == frames("a", "b", "c")

    def test_what_is_not_acknowledged_is_sent_again(self, replay: ReplayBuffer) -> None:
        for text in "abc":
            replay.write(frame(text))
        assert (replay.first_kept, resumed(replay)) == (1, frames("a", "b", "c"))
        replay.accept(sequence(1))
        replay.accept(ack(1))
        assert (replay.first_kept, resumed(replay)) == (2, frames("b", "c"))
        replay.accept(sequence(1))
        replay.accept(ack(3))
        assert (replay.first_kept, resumed(replay)) == (4, b"")

    def test_before_anything_is_sent_there_is_nothing_to_send_again(self, replay: ReplayBuffer) -> None:
        assert (replay.first_kept, resumed(replay)) == (1, b"")

    def test_frames_that_went_out_together_are_counted_one_by_one(self, replay: ReplayBuffer) -> None:
        replay.write(frames("a", "b", "c"))
        replay.write(frame("d"))
        replay.accept(ack(3))
        assert (replay.first_kept, resumed(replay)) == (4, frame("d"))

    def test_frames_that_went_out_together_are_kept_until_all_are_acknowledged(self, replay: ReplayBuffer) -> None:
        replay.write(frames("a", "b", "c"))
        replay.accept(ack(2))
        assert (replay.first_kept, resumed(replay)) == (1, frames("a", "b", "c"))

    def test_what_is_sent_between_two_transports_waits_for_the_next(self, replay: ReplayBuffer, wire: Wire) -> None:
        replay.write(frame("a"))
        replay.detach()
        replay.write(frame("b"))
        assert wire.data == frame("a")
        second = Wire()
        replay.attach(second.write)
        assert second.data == frames("a", "b")
        replay.write(frame("c"))
        assert second.data == frames("a", "b", "c")
        assert wire.data == frame("a")

    def test_after_a_second_cut_everything_is_sent_once_more(self, replay: ReplayBuffer) -> None:
        replay.write(frame("a"))
        assert resumed(replay) == frame("a")
        replay.write(frame("b"))
        assert resumed(replay) == frames("a", "b")

    @pytest.mark.parametrize("number", [0, -1, -(10**30)])
    def test_an_ack_of_nothing_changes_nothing(self, replay: ReplayBuffer, number: int) -> None:
        replay.write(frame("a"))
        assert not replay.accept(ack(number))
        assert resumed(replay) == frame("a")

    def test_an_older_ack_takes_nothing_back(self, replay: ReplayBuffer) -> None:
        for text in "abc":
            replay.write(frame(text))
        replay.accept(ack(2))
        replay.accept(ack(1))
        assert (replay.first_kept, resumed(replay)) == (3, frame("c"))

    def test_an_ack_from_the_future_lets_nothing_sent_later_go(self, replay: ReplayBuffer) -> None:
        replay.write(frame("a"))
        replay.accept(ack(10**30))
        replay.write(frame("b"))
        assert (replay.first_kept, resumed(replay)) == (2, frame("b"))


class TestOverrun:
    def test_a_hundred_bytes_are_kept_and_not_one_more(self, replay: ReplayBuffer) -> None:
        replay.write(frame("a" * 48))
        replay.write(frame("b" * 48))
        assert (replay.has_overrun, replay.first_kept) == (False, 1)
        replay.write(frame("c"))
        assert (replay.has_overrun, replay.first_kept) == (True, 2)

    def test_the_oldest_go_first_and_everything_still_goes_out(self, replay: ReplayBuffer, wire: Wire) -> None:
        for text in "abcdef":
            replay.write(frame(text * 30))
        assert wire.data == frames(*(text * 30 for text in "abcdef"))
        assert (replay.first_kept, resumed(replay)) == (4, frames("d" * 30, "e" * 30, "f" * 30))

    def test_acknowledging_all_that_was_dropped_makes_up_for_it(self, replay: ReplayBuffer) -> None:
        for text in "abcdef":
            replay.write(frame(text * 30))
        replay.accept(ack(2))
        assert (replay.has_overrun, replay.first_kept) == (True, 4)
        replay.accept(ack(3))
        assert (replay.has_overrun, replay.first_kept) == (False, 4)
        assert resumed(replay) == frames("d" * 30, "e" * 30, "f" * 30)

    def test_what_is_larger_than_all_that_can_be_kept_is_not_kept(self, replay: ReplayBuffer, wire: Wire) -> None:
        replay.write(frame("a"))
        replay.write(frame("b" * 99))
        assert wire.data == frames("a", "b" * 99)
        assert (replay.has_overrun, replay.first_kept, resumed(replay)) == (True, 3, b"")
        replay.accept(sequence(1))
        replay.accept(ack(2))
        assert not replay.has_overrun

    def test_acks_make_room(self, replay: ReplayBuffer) -> None:
        for number in range(1, 100):
            replay.write(frame("a" * 90))
            replay.accept(ack(number))
        assert not replay.has_overrun
        assert replay.first_kept == 100

    def test_what_comes_between_two_transports_may_overrun_too(self, replay: ReplayBuffer) -> None:
        replay.detach()
        for text in "abcdef":
            replay.write(frame(text * 30))
        assert (replay.has_overrun, replay.first_kept) == (True, 4)


class TestReceiving:
    def test_what_is_new_is_acted_on(self, replay: ReplayBuffer) -> None:
        assert accepted(replay, 3) == [True, True, True]

    @pytest.mark.parametrize("kind", COUNTED)
    def test_messages_of_types_1_to_5_are_counted(self, replay: ReplayBuffer, kind: MessageType) -> None:
        assert replay.accept(message(kind))
        assert replay.take_unacknowledged() == 1

    @pytest.mark.parametrize("kind", NOT_COUNTED)
    def test_other_messages_are_not(self, replay: ReplayBuffer, kind: MessageType) -> None:
        assert replay.accept(message(kind))
        assert replay.take_unacknowledged() == 0

    def test_acks_and_sequences_are_nobody_elses_business(self, replay: ReplayBuffer) -> None:
        assert not replay.accept(ack(1))
        assert not replay.accept(sequence(1))
        assert replay.take_unacknowledged() == 0

    def test_after_a_cut_nothing_counts_until_the_client_says_where_it_goes_on(self, replay: ReplayBuffer) -> None:
        accepted(replay, 2)
        replay.write(frame("a"))
        replay.detach()
        replay.attach(Wire().write)
        for lost in (message(), message(MessageType.PING), message(MessageType.CLOSE), ack(1)):
            assert not replay.accept(lost)
        assert replay.first_kept == 1
        replay.accept(sequence(3))
        assert accepted(replay, 1) == [True]
        assert replay.take_unacknowledged() == 3

    @pytest.mark.parametrize("first", [1, 2, 3, 4])
    def test_what_comes_again_is_skipped(self, replay: ReplayBuffer, first: int) -> None:
        accepted(replay, 3)
        replay.detach()
        replay.accept(sequence(first))
        assert accepted(replay, 6 - first) == [False] * (4 - first) + [True, True]

    def test_what_comes_again_after_two_cuts_is_skipped(self, replay: ReplayBuffer) -> None:
        accepted(replay, 3)
        replay.detach()
        replay.accept(sequence(1))
        assert accepted(replay, 1) == [False]
        replay.detach()
        replay.accept(sequence(1))
        assert accepted(replay, 4) == [False, False, False, True]

    def test_pings_among_what_comes_again_are_not_skipped(self, replay: ReplayBuffer) -> None:
        accepted(replay, 2)
        replay.detach()
        replay.accept(sequence(1))
        assert [replay.accept(message(kind)) for kind in (COUNTED[0], MessageType.PING, COUNTED[0])] == [
            False,
            True,
            False,
        ]

    @pytest.mark.parametrize("ahead", [1, 2, 10**30])
    def test_a_sequence_that_skips_messages_breaks_the_protocol(self, replay: ReplayBuffer, ahead: int) -> None:
        accepted(replay, 2)
        replay.detach()
        assert not replay.accept(sequence(3 + ahead))
        assert str(replay.error) == "The Sequence message skips messages that have not been received."
        assert not replay.accept(sequence(3))
        assert accepted(replay, 2) == [False, False]
        assert replay.take_unacknowledged() == 2

    def test_a_sequence_may_skip_what_came_before_the_last_cut(self, replay: ReplayBuffer) -> None:
        accepted(replay, 5)
        replay.detach()
        replay.accept(sequence(1))
        accepted(replay, 1)
        replay.detach()
        replay.accept(sequence(6))
        assert replay.error is None
        assert accepted(replay, 1) == [True]


class TestAcknowledging:
    def test_the_latest_is_acknowledged_once(self, replay: ReplayBuffer) -> None:
        accepted(replay, 3)
        assert replay.take_unacknowledged() == 3
        assert replay.take_unacknowledged() == 0
        accepted(replay, 1)
        assert replay.take_unacknowledged() == 4

    def test_nothing_is_acknowledged_before_anything_came(self, replay: ReplayBuffer) -> None:
        assert replay.take_unacknowledged() == 0
        replay.accept(message(MessageType.PING))
        assert replay.take_unacknowledged() == 0

    def test_a_client_that_has_not_had_an_ack_gets_it_again(self, replay: ReplayBuffer) -> None:
        accepted(replay, 3)
        assert replay.take_unacknowledged() == 3
        replay.detach()
        replay.accept(sequence(2))
        accepted(replay, 1)
        assert replay.take_unacknowledged() == 0
        accepted(replay, 1)
        assert replay.take_unacknowledged() == 3
        assert replay.take_unacknowledged() == 0

    def test_a_client_that_has_had_it_does_not(self, replay: ReplayBuffer) -> None:
        accepted(replay, 3)
        assert replay.take_unacknowledged() == 3
        replay.detach()
        replay.accept(sequence(4))
        assert replay.take_unacknowledged() == 0

    @pytest.mark.parametrize("number", [0, -1, -(10**30)])
    def test_a_client_that_counts_from_before_the_beginning_gets_no_strange_ack(
        self, replay: ReplayBuffer, number: int
    ) -> None:
        replay.accept(sequence(number))
        assert accepted(replay, 1) == [False]
        assert replay.take_unacknowledged() == 0


class ReplayAgainstModel(RuleBasedStateMachine):
    """The buffer beside a list of everything ever sent, one of what the transport carried, and a client's memory."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.expected = b""
        self.replay = ReplayBuffer(self.wire.write, MAX_BYTES)
        self.is_attached = True
        self.number = 0
        # Writes, each with the number of its last message.
        self.writes: list[tuple[int, bytes]] = []
        self.acknowledged = 0
        self.lost = 0
        # What the client has sent, and what of it has been acted on.
        self.client_sends = 0
        self.client_at = 1
        self.acted_on: list[int] = []

    @property
    def kept(self) -> list[tuple[int, bytes]]:
        return [(last, data) for last, data in self.writes if last > max(self.acknowledged, self.lost)]

    @rule(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=3))
    def write(self, sizes: list[int]) -> None:
        data = frames(*("x" * size for size in sizes))
        self.number += len(sizes)
        self.writes.append((self.number, data))
        self.expected += data if self.is_attached else b""
        while sum(len(each) for _, each in self.kept) > MAX_BYTES:
            self.lost = self.kept[0][0]
        self.replay.write(data)

    @rule(share=st.floats(0, 1))
    @precondition(lambda self: self.is_attached)
    def acknowledge(self, share: float) -> None:
        number = int(self.number * share)
        self.acknowledged = max(self.acknowledged, number)
        assert not self.replay.accept(ack(number))

    @rule(kind=st.sampled_from(COUNTED))
    @precondition(lambda self: self.is_attached)
    def receive(self, kind: MessageType) -> None:
        is_new = self.client_at > self.client_sends
        assert self.replay.accept(message(kind)) == is_new
        if is_new:
            self.client_sends = self.client_at
            self.acted_on.append(self.client_at)
        self.client_at += 1

    @rule(kind=st.sampled_from(NOT_COUNTED))
    @precondition(lambda self: self.is_attached)
    def receive_uncounted(self, kind: MessageType) -> None:
        assert self.replay.accept(message(kind))

    @rule()
    def cut(self) -> None:
        self.replay.detach()
        self.is_attached = False
        assert not self.replay.accept(message())

    @rule(share=st.floats(0, 1))
    @precondition(lambda self: not self.is_attached)
    def resume(self, share: float) -> None:
        self.wire, self.is_attached = Wire(), True
        self.expected = b"".join(data for _, data in self.kept)
        self.replay.attach(self.wire.write)
        self.client_at = 1 + int(self.client_sends * share)
        assert not self.replay.accept(sequence(self.client_at))

    @rule()
    def take_ack(self) -> None:
        assert self.replay.take_unacknowledged() in {0, self.client_sends}
        assert self.replay.take_unacknowledged() == 0

    @invariant()
    def the_transport_has_carried_what_it_should(self) -> None:
        assert self.wire.data == self.expected

    @invariant()
    def what_is_kept_is_what_can_be_sent_again(self) -> None:
        first = self.kept[0] if self.kept else None
        before = [last for last, _ in self.writes if first is None or last < first[0]]
        assert self.replay.first_kept == (before[-1] if before else 0) + 1
        assert self.replay.has_overrun == (self.lost > self.acknowledged)

    @invariant()
    def each_message_was_acted_on_once_and_in_order(self) -> None:
        assert self.acted_on == list(range(1, self.client_sends + 1))
        assert self.replay.error is None


TestReplayAgainstModel = ReplayAgainstModel.TestCase
