import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason, take_nothing
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.long_poll import RETURN_TIMEOUT, LongPoll

MAX_BYTES = 100
AT_ONCE, BEFORE_LONG = 0, 0.02


class RecordingSession:
    """A session that notes how it ends; as the real one does, it says why and closes the transport."""

    def __init__(self, poll: LongPoll) -> None:
        self.write: Callable[[bytes], None] = poll.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = 0
        self.timer_slot = -1
        self.ends: list[EndReason] = []
        self.times_closed = 0
        self._poll = poll

    def opened(self) -> None:
        """Nothing to do."""

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Nothing comes in over a poll."""

    async def closed(self) -> None:
        self.times_closed += 1

    def end(self, reason: EndReason) -> None:
        self.ends.append(reason)
        self._poll.write(b"<close>")
        self._poll.close(0, "")

    def timer_due(self, now: int) -> int:
        return 0


class Server:
    """One long-polling client's place on the server, and a timer wheel that the test turns."""

    def __init__(self) -> None:
        self.wheel = TimerWheel()
        self.slow_clients = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.poll = LongPoll(self.wheel, self._run, MAX_BYTES, self._count_slow_client)
        self.poll.session = self.session = RecordingSession(self.poll)

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> object:
        self._tasks.append(asyncio.create_task(coroutine))
        return None

    def _count_slow_client(self) -> None:
        self.slow_clients += 1

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.wheel.advance()

    async def waiting(self) -> asyncio.Task[bytes | None]:
        """A poll that waits."""
        task = asyncio.create_task(self.poll.poll(60))
        await self.settled()
        assert not task.done()
        return task

    async def settled(self) -> None:
        """Wait until everything that can go on has: each pass of the loop lets everybody take a step."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def times_closed(self) -> int:
        """How often the session was told that it is over, once all is done."""
        await asyncio.gather(*self._tasks)
        return self.session.times_closed


@pytest.fixture
async def server() -> Server:
    """A client's place, with no poll yet."""
    return Server()


@pytest.fixture
async def poll(server: Server) -> LongPoll:
    """Its transport."""
    return server.poll


class TestPolling:
    async def test_what_waits_is_fetched_at_once_and_all_together(self, poll: LongPoll) -> None:
        poll.write(b"a")
        poll.write(b"b")
        assert await poll.poll(60) == b"ab"

    async def test_it_can_be_told_whether_anything_waits(self, poll: LongPoll) -> None:
        waiting = [poll.has_messages]
        poll.write(b"a")
        waiting.append(poll.has_messages)
        await poll.poll(AT_ONCE)
        assert [*waiting, poll.has_messages] == [False, True, False]
        poll.write(b"b")
        poll.close(1000, "")
        assert poll.has_messages

    async def test_a_poll_waits_for_the_first_message(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.write(b"a")
        assert await task == b"a"

    async def test_messages_of_one_iteration_are_fetched_together(self, server: Server) -> None:
        task = await server.waiting()
        for message in (b"a", b"b", b"c"):
            server.poll.write(message)
        assert await task == b"abc"

    @pytest.mark.parametrize("seconds", [AT_ONCE, BEFORE_LONG])
    async def test_a_poll_for_which_nothing_comes_is_empty(self, poll: LongPoll, seconds: float) -> None:
        assert await poll.poll(seconds) == b""
        assert await poll.poll(seconds) == b""

    async def test_what_comes_between_two_polls_waits_for_the_second(self, poll: LongPoll) -> None:
        assert await poll.poll(AT_ONCE) == b""
        poll.write(b"a")
        assert await poll.poll(AT_ONCE) == b"a"
        assert await poll.poll(AT_ONCE) == b""

    async def test_a_message_is_fetched_by_one_poll_only(self, server: Server) -> None:
        fetched = []
        for number in range(20):
            task = await server.waiting()
            server.poll.write(b"%d;" % number)
            fetched.append(await task)
        assert fetched == [b"%d;" % number for number in range(20)]

    async def test_a_poll_that_is_given_up_by_the_server_leaves_messages_for_the_next(self, server: Server) -> None:
        task = await server.waiting()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.poll.write(b"a")
        assert await server.poll.poll(AT_ONCE) == b"a"


class TestSecondPolls:
    async def test_what_did_not_reach_the_client_is_given_back_in_front_of_the_rest(self, poll: LongPoll) -> None:
        poll.write(b"1")
        poll.write(b"2")
        fetched = await poll.poll(AT_ONCE)
        poll.write(b"3")
        poll.give_back(fetched or b"")
        assert await poll.poll(AT_ONCE) == b"123"

    async def test_what_is_given_back_goes_to_the_poll_that_waits(self, server: Server) -> None:
        server.poll.write(b"1")
        fetched = await server.poll.poll(AT_ONCE)
        waiting = await server.waiting()
        server.poll.give_back(fetched or b"")
        assert await waiting == b"1"

    async def test_a_second_poll_ends_the_first_and_takes_its_place(self, server: Server) -> None:
        first = await server.waiting()
        second = await server.waiting()
        assert await first is None
        server.poll.write(b"a")
        assert await second == b"a"

    async def test_a_second_poll_gets_what_just_came_for_the_first(self, server: Server) -> None:
        first = await server.waiting()
        server.poll.write(b"a")
        assert await server.poll.poll(60) == b"a"
        assert await first is None

    async def test_of_many_polls_only_the_last_waits(self, server: Server) -> None:
        tasks = [asyncio.create_task(server.poll.poll(60)) for _ in range(10)]
        await server.settled()
        assert [task.done() for task in tasks] == [True] * 9 + [False]
        server.poll.write(b"a")
        assert await asyncio.gather(*tasks) == [None] * 9 + [b"a"]

    async def test_a_poll_that_was_ended_has_no_say_any_more(self, server: Server) -> None:
        first = await server.waiting()
        second = await server.waiting()
        await first
        server.advance(10 * RETURN_TIMEOUT)
        server.poll.write(b"a")
        assert await second == b"a"
        assert await server.times_closed() == 0


class TestClosing:
    async def test_closing_ends_the_poll_that_waits(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.close(1000, "")
        assert await task is None
        assert await server.times_closed() == 1

    async def test_the_last_messages_are_fetched_by_the_poll_that_waits(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.write(b"last")
        server.poll.close(1000, "")
        assert await task == b"last"
        assert await server.poll.poll(60) is None

    async def test_the_last_messages_wait_for_the_next_poll(self, server: Server) -> None:
        server.poll.write(b"last")
        server.poll.close(1000, "")
        assert await server.poll.poll(60) == b"last"
        assert await server.poll.poll(60) is None

    async def test_when_nothing_waits_the_next_poll_ends_at_once(self, poll: LongPoll) -> None:
        poll.close(1000, "")
        assert await poll.poll(60) is None
        assert await poll.poll(60) is None

    async def test_after_closing_nothing_is_taken_any_more(self, poll: LongPoll) -> None:
        poll.close(1000, "")
        poll.write(b"too late")
        assert not poll.has_messages
        assert await poll.poll(60) is None

    async def test_closing_again_has_no_effect(self, server: Server) -> None:
        for _ in range(3):
            server.poll.close(1000, "")
        server.advance(10 * RETURN_TIMEOUT)
        assert await server.times_closed() == 1

    async def test_a_closed_transport_is_not_kept_by_the_timer_wheel(self, poll: LongPoll) -> None:
        poll.expect()
        assert poll.timer_slot >= 0
        poll.close(1000, "")
        assert poll.timer_slot == -1


class TestSlowClients:
    async def test_a_client_may_leave_as_much_as_the_limit_allows(self, server: Server) -> None:
        server.poll.write(b"x" * MAX_BYTES)
        await server.settled()
        assert server.session.ends == []
        assert await server.poll.poll(AT_ONCE) == b"x" * MAX_BYTES

    async def test_a_client_that_leaves_more_is_ended_once_and_not_in_the_middle_of_a_fan_out(
        self, server: Server
    ) -> None:
        for _ in range(5):
            server.poll.write(b"x" * MAX_BYTES)
            assert server.session.ends == []
        await server.settled()
        server.poll.write(b"too late")
        await server.settled()
        assert server.session.ends == [EndReason.TOO_SLOW]
        assert server.slow_clients == 1
        assert await server.times_closed() == 1
        assert await server.poll.poll(60) == b"x" * MAX_BYTES * 5 + b"<close>"
        assert await server.poll.poll(60) is None

    async def test_what_was_fetched_does_not_count(self, server: Server) -> None:
        for _ in range(10):
            server.poll.write(b"x" * MAX_BYTES)
            assert await server.poll.poll(AT_ONCE) == b"x" * MAX_BYTES
        await server.settled()
        assert server.session.ends == []


class TestAbsence:
    async def test_a_client_that_does_not_come_back_is_gone(self, server: Server) -> None:
        assert await server.poll.poll(AT_ONCE) == b""
        server.advance(RETURN_TIMEOUT - 1)
        assert await server.times_closed() == 0
        server.advance(1)
        assert await server.times_closed() == 1
        assert await server.poll.poll(60) is None

    async def test_a_client_that_was_promised_a_poll_and_makes_none_is_gone(self, server: Server) -> None:
        server.poll.expect()
        server.advance(RETURN_TIMEOUT)
        assert await server.times_closed() == 1

    async def test_each_poll_starts_the_time_anew(self, server: Server) -> None:
        for _ in range(5):
            assert await server.poll.poll(AT_ONCE) == b""
            server.advance(RETURN_TIMEOUT - 1)
        assert await server.times_closed() == 0

    async def test_while_a_poll_waits_no_time_runs(self, server: Server) -> None:
        assert await server.poll.poll(AT_ONCE) == b""
        task = await server.waiting()
        server.advance(10 * RETURN_TIMEOUT)
        assert await server.times_closed() == 0
        server.poll.write(b"a")
        assert await task == b"a"
        server.advance(RETURN_TIMEOUT)
        assert await server.times_closed() == 1

    async def test_what_a_client_left_behind_can_still_be_fetched(self, server: Server) -> None:
        assert await server.poll.poll(AT_ONCE) == b""
        server.poll.write(b"a")
        server.advance(RETURN_TIMEOUT)
        assert await server.poll.poll(60) == b"a"
        assert await server.poll.poll(60) is None


class TestAbandoning:
    async def test_nothing_is_handed_to_a_client_that_has_gone_away(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.abandon(server.poll.turn)
        server.poll.write(b"a")
        assert await task is None
        assert await server.poll.poll(AT_ONCE) == b"a"

    async def test_not_even_what_has_come_just_before(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.write(b"a")
        server.poll.abandon(server.poll.turn)
        assert await task is None
        assert await server.poll.poll(AT_ONCE) == b"a"

    async def test_the_poll_that_came_after_it_goes_on(self, server: Server) -> None:
        first = await server.waiting()
        turn = server.poll.turn
        second = await server.waiting()
        server.poll.abandon(turn)
        server.poll.write(b"a")
        assert await first is None
        assert await second == b"a"

    async def test_the_client_may_come_back_for_a_while(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.abandon(server.poll.turn)
        await task
        server.advance(RETURN_TIMEOUT - 1)
        assert await server.times_closed() == 0
        server.advance(1)
        assert await server.times_closed() == 1

    async def test_a_client_that_is_gone_for_good_is_not_waited_for(self, server: Server) -> None:
        task = await server.waiting()
        server.poll.close(1000, "")
        server.poll.abandon(server.poll.turn)
        assert await task is None
        assert server.poll.timer_slot == -1
