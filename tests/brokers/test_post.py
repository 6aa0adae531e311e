"""Questions and answers between nodes, over each of the brokers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from brokers.recording_delivery import RecordingDelivery
from brokers.redis_node import until_broker_is
from skubber.brokers.memory import MemoryBroker
from skubber.brokers.redis import post as redis_post
from skubber.brokers.redis.broker import RedisBroker
from skubber.core.errors import UnavailableError
from skubber.core.post import Answer, Answers, NobodyListensError, Post
from support.redis import RedisServer
from support.redis_cluster import RedisCluster

Posts = tuple[Post, Post]


async def echo(question: bytes) -> bytes:
    return b"heard " + question


def answering(text: bytes) -> Answer:
    """Answers everything with the same."""

    async def answer(_: bytes) -> bytes:
        return text

    return answer


class Waiting:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.questions: list[bytes] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, question: bytes) -> bytes:
        self.questions.append(question)
        self.asked.set()
        await self.may_answer.wait()
        return question


async def until_listened_to(post: Post, address: str) -> bytes:
    """Ask until somebody answers."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await post.ask(address, b"?", 10)
            except (NobodyListensError, UnavailableError):
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def redis_node(server: RedisServer | RedisCluster) -> AsyncIterator[RedisBroker]:
    """One more node at a Redis."""
    broker = RedisBroker(server.url)
    broker.attach(RecordingDelivery())
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def nodes(redis_server: RedisServer) -> AsyncIterator[tuple[RedisBroker, RedisBroker]]:
    """Two nodes that share a Redis."""
    async with redis_node(redis_server) as one, redis_node(redis_server) as other:
        yield one, other


@pytest.fixture(params=["memory", "redis"])
def posts(request: pytest.FixtureRequest) -> Posts:
    """Two nodes' posts; in memory there is but one."""
    if request.param == "memory":
        post = MemoryBroker().post
        return post, post
    one, other = request.getfixturevalue("nodes")
    return one.post, other.post


class TestAsking:
    async def test_a_question_is_answered_on_whichever_node_somebody_listens(self, posts: Posts) -> None:
        here, there = posts
        await there.listen("a", echo)
        for asking in (here, there):
            assert await asking.ask("a", b"it", 10) == b"heard it"

    async def test_any_bytes_travel(self, posts: Posts) -> None:
        here, there = posts
        await there.listen("a", echo)
        question = bytes(range(256)) * 1000
        assert await here.ask("a", question, 10) == b"heard " + question
        assert await here.ask("a", b"", 10) == b"heard "

    async def test_an_address_may_be_any_text(self, posts: Posts) -> None:
        here, there = posts
        for address in ("pusher:app/ü €\n/1/x", "{a}", "*", ""):
            await there.listen(address, echo)
            assert await here.ask(address, b"1", 10) == b"heard 1"

    async def test_where_nobody_listens_nobody_is_waited_for(self, posts: Posts) -> None:
        here, _ = posts
        with pytest.raises(NobodyListensError):
            await here.ask("nowhere", b"", 3600)

    async def test_who_has_stopped_listening_is_nobody(self, posts: Posts) -> None:
        here, there = posts
        await there.listen("a", echo)
        there.stop("a")
        for asking in (here, there):
            with pytest.raises(NobodyListensError):
                await asking.ask("a", b"", 3600)

    async def test_what_is_being_answered_is_still_answered_after_that(self, posts: Posts) -> None:
        here, there = posts
        waiting = Waiting()
        await there.listen("a", waiting)
        asking = asyncio.create_task(here.ask("a", b"1", 10))
        await waiting.asked.wait()
        there.stop("a")
        waiting.may_answer.set()
        assert await asking == b"1"

    async def test_an_address_may_move_to_another_node(self, posts: Posts) -> None:
        here, there = posts
        for _ in range(20):
            await there.listen("a", answering(b"there"))
            there.stop("a")
            await here.listen("a", answering(b"here"))
            for asking in (here, there):
                assert await asking.ask("a", b"", 10) == b"here"
            here.stop("a")

    async def test_stopping_where_nobody_listens_is_no_mistake(self, posts: Posts) -> None:
        posts[0].stop("nowhere")

    async def test_questions_begin_to_be_answered_in_their_order(self, posts: Posts) -> None:
        here, there = posts
        waiting = Waiting()
        await there.listen("a", waiting)
        questions = [str(number).encode() for number in range(50)]
        asking = [asyncio.create_task(here.ask("a", question, 10)) for question in questions]
        await waiting.asked.wait()
        waiting.may_answer.set()
        assert await asyncio.gather(*asking) == questions
        assert waiting.questions == questions

    async def test_one_that_is_not_answered_in_time_fails(self, posts: Posts) -> None:
        here, there = posts
        await there.listen("a", Waiting())
        with pytest.raises(UnavailableError):
            await here.ask("a", b"", 0.01)

    async def test_one_that_cannot_be_answered_fails(self, posts: Posts) -> None:
        here, there = posts

        async def fail(_: bytes) -> bytes:
            raise ValueError

        await there.listen("a", fail)
        with pytest.raises(UnavailableError):
            await here.ask("a", b"", 10)


class TestAskingAll:
    async def test_every_node_that_listens_answers_once(self, posts: Posts) -> None:
        here, there = posts
        await here.listen("a", answering(b"here"))
        await there.listen("a", answering(b"there"))
        expected = {b"there"} if here is there else {b"here", b"there"}
        for asking in (here, there):
            answers = await asking.ask_all("a", b"", 10)
            assert set(answers.contents) == expected
            assert (len(answers.contents), answers.silent) == (len(expected), 0)

    async def test_who_asks_need_not_listen(self, posts: Posts) -> None:
        here, there = posts
        await there.listen("a", echo)
        assert await here.ask_all("a", b"it", 10) == Answers((b"heard it",))

    async def test_where_nobody_listens_nobody_is_waited_for(self, posts: Posts) -> None:
        here, there = posts
        assert not (await here.ask_all("nowhere", b"", 3600)).contents
        await there.listen("a", echo)
        there.stop("a")
        assert await here.ask_all("a", b"", 3600) == Answers()

    async def test_those_that_do_not_answer_in_time_are_counted(self, posts: Posts) -> None:
        here, there = posts
        await here.listen("a", echo)
        await there.listen("a", Waiting())
        answers = await here.ask_all("a", b"1", 0.5)
        assert (list(answers.contents), answers.silent) == ([] if here is there else [b"heard 1"], 1)

    async def test_those_that_cannot_answer_are_counted_and_not_waited_for(self, posts: Posts) -> None:
        async def fail(_: bytes) -> bytes:
            raise ValueError

        here, there = posts
        await here.listen("a", echo)
        await there.listen("a", fail)
        for asking in (here, there):
            answers = await asking.ask_all("a", b"1", 3600)
            assert (list(answers.contents), answers.silent) == ([] if here is there else [b"heard 1"], 1)

    async def test_several_questions_at_a_time_get_their_own_answers(self, posts: Posts) -> None:
        here, there = posts
        for post in posts:
            await post.listen("a", echo)
        questions = [str(number).encode() for number in range(20)]
        asking = [posts[number % 2].ask_all("a", question, 10) for number, question in enumerate(questions)]
        nodes = 1 if here is there else 2
        for question, answers in zip(questions, await asyncio.gather(*asking), strict=True):
            assert list(answers.contents) == [b"heard " + question] * nodes


async def test_all_nodes_of_a_cluster_are_asked(redis_cluster: RedisCluster) -> None:
    async with redis_node(redis_cluster) as one, redis_node(redis_cluster) as other:
        await one.post.listen("a", answering(b"one"))
        await other.post.listen("a", answering(b"other"))
        for broker in (one, other):
            assert sorted((await broker.post.ask_all("a", b"", 10)).contents) == [b"one", b"other"]


class TestLossOverRedis:
    @pytest.fixture(autouse=True)
    def _impatience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(redis_post, "PROBE_INTERVAL", 0.05)

    async def test_a_slow_answer_is_waited_for(
        self, nodes: tuple[RedisBroker, RedisBroker], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there = nodes
        waiting = Waiting()
        await there.post.listen("a", waiting)
        probes: asyncio.Queue[bytes] = asyncio.Queue()
        receive = there.post.receive

        def note(topic: bytes, payload: bytes) -> None:
            receive(topic, payload)
            probes.put_nowait(payload)

        monkeypatch.setattr(there.post, "receive", note)
        asking = asyncio.create_task(here.post.ask("a", b"1", 10))
        for _ in range(4):  # the question, and three times whether it is still being answered
            await probes.get()
        assert not asking.done()
        waiting.may_answer.set()
        assert await asking == b"1"

    async def test_a_node_that_dies_over_a_question_is_not_waited_for(
        self, redis_server: RedisServer, nodes: tuple[RedisBroker, RedisBroker]
    ) -> None:
        here, _ = nodes
        waiting = Waiting()
        async with redis_node(redis_server) as dying:
            await dying.post.listen("a", waiting)
            asking = asyncio.create_task(here.post.ask("a", b"", 3600))
            await waiting.asked.wait()
        with pytest.raises(NobodyListensError):
            await asking

    async def test_who_is_subscribed_but_says_nothing_is_given_up(
        self, redis_server: RedisServer, nodes: tuple[RedisBroker, RedisBroker]
    ) -> None:
        with redis_server.client() as client, client.pubsub() as ghost:
            ghost.subscribe(redis_post._topic("a"))
            assert ghost.get_message(timeout=10) is not None
            with pytest.raises(UnavailableError):
                await nodes[0].post.ask("a", b"", 3600)

    @pytest.mark.parametrize("loses", ["asks", "answers"])
    async def test_an_answer_that_is_lost_with_a_connection_is_not_waited_for(
        self, redis_server: RedisServer, nodes: tuple[RedisBroker, RedisBroker], loses: str
    ) -> None:
        here, there = nodes
        waiting = Waiting()
        await there.post.listen("a", waiting)
        asking = asyncio.create_task(here.post.ask("a", b"", 3600))
        await waiting.asked.wait()
        loser = here if loses == "asks" else there
        cut(redis_server, loser)
        await until_broker_is(loser, is_available=False)
        waiting.may_answer.set()
        with pytest.raises((UnavailableError, NobodyListensError)):
            await asking

    async def test_without_redis_nothing_can_be_asked(
        self, redis_server: RedisServer, nodes: tuple[RedisBroker, RedisBroker]
    ) -> None:
        here, there = nodes
        await there.post.listen("before", echo)
        redis_server.kill()
        try:
            for node in nodes:
                await until_broker_is(node, is_available=False)
            with pytest.raises(UnavailableError):
                await here.post.ask("before", b"", 10)
            await there.post.listen("meanwhile", echo)
        finally:
            redis_server.start()
        for address in ("before", "meanwhile"):
            assert await until_listened_to(here.post, address) == b"heard ?"

    async def test_without_redis_a_node_still_asks_itself(
        self, redis_server: RedisServer, nodes: tuple[RedisBroker, RedisBroker]
    ) -> None:
        for node in nodes:
            await node.post.listen("a", echo)
        redis_server.kill()
        try:
            for node in nodes:
                await until_broker_is(node, is_available=False)
                assert await node.post.ask_all("a", b"1", 10) == Answers((b"heard 1",))
        finally:
            redis_server.start()
        async with asyncio.timeout(10):
            while len((await nodes[0].post.ask_all("a", b"1", 10)).contents) < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    async def test_a_node_that_is_only_taken_for_subscribed_is_silent(
        self, redis_server: RedisServer, nodes: tuple[RedisBroker, RedisBroker]
    ) -> None:
        here, there = nodes
        await there.post.listen("a", echo)
        with redis_server.client() as client, client.pubsub() as ghost:
            ghost.subscribe(redis_post._topic("a"))
            assert ghost.get_message(timeout=10) is not None
            assert await here.post.ask_all("a", b"1", 0.5) == Answers((b"heard 1",), 1)

    async def test_nothing_is_kept_of_what_is_over(self, nodes: tuple[RedisBroker, RedisBroker]) -> None:
        here, there = nodes
        await there.post.listen("a", echo)
        await here.post.ask("a", b"", 10)
        await there.post.ask_all("a", b"", 10)
        there.post.stop("a")
        with pytest.raises(NobodyListensError):
            await here.post.ask("a", b"", 10)
        for node in nodes:
            post = node.post
            assert (post._asked, post._answering, post._answers) == ({}, {}, {})
            assert list(node._topics) == [redis_post._topic(post._node)]


def cut(server: RedisServer, node: RedisBroker) -> None:
    """Cut both of a node's connections to Redis."""
    membership = node._attendance.membership
    assert membership is not None
    for connection in membership._only._connections:
        assert connection._writer is not None
        port = connection._writer.get_extra_info("sockname")[1]
        with server.client() as client:
            client.execute_command("CLIENT", "KILL", "ADDR", f"127.0.0.1:{port}")
