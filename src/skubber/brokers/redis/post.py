"""Questions from node to node, through Redis's publish and subscribe.

That a node is subscribed to an address is all that says so: PUBLISH answers how many are, and a node that is gone is
subscribed to nothing.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum

import msgspec
import structlog

from skubber.brokers.redis.asked import AskedAll, AskedOne, Pending
from skubber.brokers.redis.holdings import Topics
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.unavailable import unavailable
from skubber.core.errors import UnavailableError
from skubber.core.post import Answer, Answers, NobodyListensError

TOPIC_PREFIX = b"skubber:{nodes}:post:"
"""How the Redis channels of all addresses begin. In a cluster they are on one primary, which knows all subscribers."""

PROBE_INTERVAL = 2
"""Seconds after which one who waits for an answer asks whether it is still being worked on."""

MOST_UNHEARD = 2
"""Probes after which one who does not answer them is given up: Redis may take a host for subscribed that is gone."""

_log = structlog.stdlib.get_logger("skubber.brokers")


class _Kind(IntEnum):
    """What a letter is. Only the first two are not sent to the node that asked."""

    QUESTION = 0
    PROBE = 1
    ANSWER = 2
    NOT_HERE = 3
    LOST = 4
    WORKING = 5


class _Letter(msgspec.Struct, array_like=True):
    """What travels, a MessagePack array. Node and number are those of the question."""

    kind: _Kind
    node: str
    number: int
    content: bytes = b""


class RedisPost:
    """Implements ``Post`` for nodes that share a Redis.

    Args:
        topics: what this node listens to.
        membership: the node's present membership, None without one.
    """

    def __init__(self, topics: Topics, membership: Callable[[], Membership | None]) -> None:
        self._topics = topics
        self._membership = membership
        self._node = secrets.token_hex(8)
        self._numbers = itertools.count()
        self._answers: dict[str, Answer] = {}
        self._asked: dict[int, Pending] = {}
        self._answering: dict[tuple[str, int], asyncio.Task[None]] = {}
        topics.add(_topic(self._node))

    async def listen(self, address: str, answer: Answer) -> None:
        self._answers[address] = answer
        topic = _topic(address)
        self._topics.add(topic)
        membership = self._membership()
        if membership is not None:
            with suppress(UnavailableError):
                await membership.feed(topic).subscribe(topic)

    def stop(self, address: str) -> None:
        if self._answers.pop(address, None) is None:
            return
        topic = _topic(address)
        self._topics.discard(topic)
        membership = self._membership()
        if membership is not None:
            membership.feed(topic).unsubscribe(topic)

    async def ask(self, address: str, question: bytes, seconds: float) -> bytes:
        membership = self._membership()
        if membership is None:
            raise unavailable()
        number = next(self._numbers)
        asked = self._asked[number] = AskedOne()
        try:
            letter = _Letter(_Kind.QUESTION, self._node, number, question)
            asked.received_by(await self._send(membership, address, letter))
            return await self._wait(membership, address, number, asked, seconds)
        finally:
            del self._asked[number]

    async def ask_all(self, address: str, question: bytes, seconds: float) -> Answers:
        number = next(self._numbers)
        asked = self._asked[number] = AskedAll()
        # This node is not asked by way of Redis: it can be told from the others, and answers without.
        asking = [asyncio.ensure_future(self._ask_others(address, question, number, asked)), asked.done]
        answer = self._answers.get(address)
        own = None if answer is None else asyncio.ensure_future(_answer_all(answer, question))
        try:
            await asyncio.wait({*asking, *(() if own is None else (own,))}, timeout=seconds)
            others = asked.answers
            if own is None:
                return others
            content = own.result() if own.done() else None
            if content is None:
                return Answers(others.contents, others.silent + 1)
            return Answers((content, *others.contents), others.silent)
        finally:
            del self._asked[number]
            for future in (*asking, own):
                if future is not None:
                    future.cancel()

    def receive(self, topic: bytes, payload: bytes) -> None:
        """Take a letter that has come.

        Raises:
            msgspec.DecodeError: it is none.
        """
        letter = _decode(payload)
        match letter.kind:
            case _Kind.QUESTION:
                self._begin(_address(topic), letter)
            case _Kind.PROBE:
                self._take_probe(_address(topic), letter)
            case _:
                self._settle(letter)

    def close(self) -> None:
        """Answer nothing any more."""
        for task in tuple(self._answering.values()):
            task.cancel()

    async def _ask_others(self, address: str, question: bytes, number: int, asked: AskedAll) -> None:
        membership = self._membership()
        receivers = 0
        if membership is not None:
            with suppress(UnavailableError):
                receivers = await self._send(membership, address, _Letter(_Kind.QUESTION, self._node, number, question))
        asked.received_by(receivers)

    async def _wait(self, membership: Membership, address: str, number: int, asked: AskedOne, seconds: float) -> bytes:
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            await asyncio.wait({asked.answer}, timeout=max(0, min(left, PROBE_INTERVAL)))
            if asked.answer.done():
                return asked.answer.result()
            if left <= 0 or asked.unheard >= MOST_UNHEARD:
                raise unavailable()
            asked.unheard += 1
            if not await self._send(membership, address, _Letter(_Kind.PROBE, self._node, number)):
                asked.fail(NobodyListensError())

    def _take_probe(self, address: str, letter: _Letter) -> None:
        if (letter.node, letter.number) in self._answering:
            self._reply(letter, _Kind.WORKING)
        elif address in self._answers:
            # The answer went the way of a connection that has been lost since.
            self._reply(letter, _Kind.LOST)

    def _settle(self, letter: _Letter) -> None:
        asked = self._asked.get(letter.number)
        if asked is None:
            return
        match letter.kind:
            case _Kind.ANSWER:
                asked.answered(letter.content)
            case _Kind.NOT_HERE:
                asked.is_not_there()
            case _Kind.WORKING:
                asked.is_worked_on()
            case _:
                asked.is_lost()

    def _begin(self, address: str, letter: _Letter) -> None:
        if letter.node == self._node and isinstance(asked := self._asked.get(letter.number), AskedAll):
            asked.is_not_there()  # it answers itself without being asked
            return
        answer = self._answers.get(address)
        if answer is None:
            self._reply(letter, _Kind.NOT_HERE)
            return
        name = letter.node, letter.number
        task = self._answering[name] = asyncio.get_running_loop().create_task(self._answer(answer, letter))
        task.add_done_callback(lambda _: self._answering.pop(name, None))

    async def _answer(self, answer: Answer, letter: _Letter) -> None:
        try:
            content = await answer(letter.content)
        except Exception:
            _log.exception("a question of another node could not be answered")
            self._reply(letter, _Kind.LOST)
        else:
            self._reply(letter, _Kind.ANSWER, content)

    def _reply(self, letter: _Letter, kind: _Kind, content: bytes = b"") -> None:
        membership = self._membership()
        if membership is None:
            return  # the next probe is told
        reply = _encode(_Letter(kind, letter.node, letter.number, content))
        sent = membership.call(("PUBLISH", _topic(letter.node), reply))
        sent.add_done_callback(lambda future: future.cancelled() or future.exception())

    async def _send(self, membership: Membership, address: str, letter: _Letter) -> int:
        receivers: int = await membership.do(("PUBLISH", _topic(address), _encode(letter)))
        return receivers


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Letter).decode


async def _answer_all(answer: Answer, question: bytes) -> bytes | None:
    try:
        return await answer(question)
    except Exception:
        _log.exception("a question of this node's own could not be answered")
        return None


def _topic(address: str) -> bytes:
    return TOPIC_PREFIX + address.encode()


def _address(topic: bytes) -> str:
    return topic[len(TOPIC_PREFIX) :].decode()
