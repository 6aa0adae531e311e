"""Both brokers beside a plain model of them, with calls one by one and at once, and nodes that are lost and return.

What several calls at once have for outcomes, and what is delivered meanwhile, must be explained by some order of
these calls, one after the other.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from brokers.broker_machine import CLIENTS_OF_A_NODE, SEEDS, BrokerAgainstModel, gather
from brokers.choices import (
    CACHE_CHANNELS,
    CHANNELS,
    PRESENCE_CHANNELS,
    Choice,
    operation_of_client,
)
from brokers.model import Changes, Client, Held
from brokers.modelled_node import let_claims_end, let_lease_end
from brokers.operations import (
    Claim,
    Entering,
    Finish,
    Join,
    KeptEvent,
    Members,
    Operation,
    Publish,
    Release,
    TakeBack,
)
from skubber.brokers.redis import attendance
from skubber.core.errors import UnavailableError
from support.redis import RedisServer

# To explain a failure, Hypothesis would trace every line in every run.
NAMED_CHANNELS = {channel for channel in CHANNELS if not channel.startswith("#")}
"""Those that clients can name: back ends are told of no others."""

PHASES = [Phase.generate, Phase.shrink]

TASKS_OF_A_NODE, CONNECTIONS_OF_A_NODE = 6, 2


class RedisBrokersAgainstModel(BrokerAgainstModel):
    """Up to three nodes above one Redis, which stop, die, are cut off or taken for lost, and come back."""

    most_nodes = 3

    def __init__(self) -> None:
        super().__init__()
        assert self.redis is not None
        self.client = self.redis.client()
        self.owed: dict[int, list[Held]] = {}
        self.remembered: dict[int, dict[Held, bytes]] = {}

    @rule(seed=SEEDS)
    @precondition(lambda self: len(self.connected) > 1)
    def a_node_stops(self, seed: int) -> None:
        node = Choice(seed).of(sorted(self.connected))
        stopping = self.nodes[node]
        self.run(stopping.broker.stop())
        del self.nodes[node]
        self.check_change(self.model.on_node(node), {}, stopping.record.upheavals)

    @rule(seed=SEEDS)
    @precondition(lambda self: len(self.connected) > 1)
    def a_node_dies(self, seed: int) -> None:
        node = Choice(seed).of(sorted(self.connected))
        node_id = self.nodes[node].membership.node_id
        self.run(self.nodes.pop(node).die())
        self.bury(Choice(seed), node_id)
        self.check_change(self.model.on_node(node), {})

    @rule(seed=SEEDS)
    @precondition(lambda self: len(self.nodes) < self.most_nodes)
    def a_node_starts(self, seed: int) -> None:
        self.start_node(Choice(seed).of(sorted({*range(self.most_nodes)} - {*self.nodes})))

    @rule(seed=SEEDS)
    @precondition(lambda self: self.connected)
    def a_node_is_cut_off(self, seed: int) -> None:
        node = Choice(seed).of(sorted(self.connected))
        self.run(self.nodes[node].cut())
        self.owed[node] = []

    @rule(seed=SEEDS)
    @precondition(lambda self: self.owed)
    def a_client_of_a_node_that_is_cut_off_does_something(self, seed: int) -> None:
        choice = Choice(seed)
        node = choice.of(sorted(self.owed))
        client = Client(node, choice.up_to(CLIENTS_OF_A_NODE - 1))
        has = [held for held in self.held_by(node) if held.client == client]
        operation: Operation = Publish(node, ("a",), str(next(self.numbers)), is_kept=True, excluded=None)
        if choice.up_to(4):
            operation = operation_of_client(choice, client, has)
        with pytest.raises(UnavailableError):
            self.run(operation.run(self.nodes[node].broker, self.app_id))
        if isinstance(operation, TakeBack):
            if node in self.remembered:
                del self.remembered[node][operation.held]
            else:
                self.owed[node].append(operation.held)
        if isinstance(operation, Publish):
            assert self.nodes[node].record.delivered == [("a", f"{operation.name} not to None")]
            self.nodes[node].record.delivered = []

    @rule(seed=SEEDS)
    @precondition(lambda self: bool(self.connected and {*self.owed} - {*self.remembered}))
    def a_node_that_is_cut_off_is_taken_for_lost(self, seed: int) -> None:
        node = Choice(seed).of(sorted({*self.owed} - {*self.remembered}))
        self.remembered[node] = self.held_by(node)
        self.bury(Choice(seed), self.nodes[node].former_id)
        self.check_change(self.model.on_node(node), {})

    @rule(seed=SEEDS)
    @precondition(lambda self: self.owed)
    def a_node_is_back(self, seed: int) -> None:
        node = Choice(seed).of(sorted(self.owed))
        self.run(self.nodes[node].heal())
        owed, remembered = self.owed.pop(node), self.remembered.pop(node, None)
        if remembered is None:
            self.check_change(owed, {})
        else:
            self.check_change((), remembered, unheard={node})

    @rule(seed=SEEDS)
    @precondition(lambda self: len(self.connected) > 1)
    def a_node_that_is_alive_is_taken_for_lost(self, seed: int) -> None:
        node = Choice(seed).of(sorted(self.connected))
        returning = self.nodes[node]
        membership, held = returning.membership, self.model.on_node(node)
        self.bury(Choice(seed), membership.node_id, but=node)
        self.check_change(held, {}, unheard={node})
        with pytest.raises(UnavailableError):
            self.run(returning.broker.subscribe(self.app_id, "a"))
        self.run(returning.return_after(membership))
        self.check_change((), held, unheard={node})

    @rule(seed=SEEDS, number=st.integers(1, 4), turns=st.integers(0, 6), which=st.sets(st.integers(0, 1), min_size=1))
    @precondition(lambda self: self.connected)
    def connections_are_cut_while_calls_are_under_way(
        self, seed: int, number: int, turns: int, which: set[int]
    ) -> None:
        node = Choice(seed).of(sorted(self.connected))
        operations = self.choose_operations(Choice(seed), number)
        returning = self.nodes[node]
        self.note(f"{node} is cut off during {operations}")

        async def cut_meanwhile() -> list[Any]:
            membership = returning.membership
            calls = asyncio.gather(
                *(each.run(self.nodes[each.node].broker, self.app_id) for each in operations), return_exceptions=True
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            returning.hang_up(which)
            await returning.return_after(membership)
            return await calls

        outcomes = self.run(cut_meanwhile())
        self.note(f"outcomes: {outcomes}")
        for operation, outcome in zip(operations, outcomes, strict=True):
            has_failed = isinstance(outcome, UnavailableError)
            assert has_failed or not isinstance(outcome, BaseException), outcome
            assert not has_failed or operation.node == node
            if isinstance(operation, TakeBack):
                self.model.take(operation.held)
            elif isinstance(operation, Entering) and not has_failed and outcome is not None:
                self.model.enter(operation.held, operation.info)
            elif isinstance(operation, Claim | Finish | Release):
                release = Release(operation.node, operation.key)
                self.run(release.run(returning.broker, self.app_id))
                release.apply(self.model)
        moving = {each.node for each in operations if isinstance(each, Entering | TakeBack)}
        self.check_one_order(self.take_delivered(), unheard={node, *moving})
        for each in self.nodes.values():
            each.record.terminated = Counter()
        self.take_upheavals()
        self.believe_what_nobody_can_know([each.info for each in operations if isinstance(each, Join)])
        published = {each.name for each in operations if isinstance(each, Publish)}
        for channel in CACHE_CHANNELS:
            kept = self.run(KeptEvent(node, channel).run(returning.broker, self.app_id))
            if kept in published:
                self.model.kept[channel] = kept

    @rule(seed=SEEDS)
    @precondition(lambda self: self.nodes and not self.owed)
    def redis_loses_everything(self, seed: int) -> None:
        self.run(gather([node.cut() for node in self.nodes.values()]))
        gone = Choice(seed).some_of(self.model.held, 0, 3)
        for held in gone:
            with pytest.raises(UnavailableError):
                self.run(TakeBack(held.client, held).run(self.nodes[held.client.node].broker, self.app_id))
        self.client.flushall()
        self.run(gather([node.heal() for node in self.nodes.values()]))
        self.model.kept, self.model.requests = {}, {}
        self.believe_what_nobody_can_know()
        assert self.take_upheavals() == []
        assert not any(self.take_delivered().values())
        let_claims_end(self.client)
        self.run(Choice(seed).of(self.nodes.values()).beat())
        self.check_change(gone, {})

    @invariant()
    @precondition(lambda self: not self.owed)
    def nothing_runs_but_what_nodes_need(self) -> None:
        assert len(asyncio.all_tasks(self.runner.get_loop())) == TASKS_OF_A_NODE * len(self.nodes)
        assert len(self.client.client_list(_type="normal")) + len(self.client.client_list(_type="pubsub")) == (
            CONNECTIONS_OF_A_NODE * len(self.nodes) + 1
        )

    def held_by(self, node: int) -> dict[Held, bytes]:
        """What the clients of a node that is cut off have."""
        if node in self.remembered:
            return self.remembered[node]
        return {held: info for held, info in self.model.on_node(node).items() if held not in self.owed[node]}

    def bury(self, choice: Choice, node_id: str, but: int | None = None) -> None:
        """Let a node's lease end, and one or two others take away what it has."""
        others = [node for number, node in sorted(self.connected.items()) if number != but]
        burying = choice.some_of(others, 1, 2)
        let_lease_end(self.client, node_id)

        async def bury() -> None:
            await gather([burying[0].beat(), *(node.bury(node_id) for node in burying[1:])])

        self.run(bury())

    def check_change(
        self,
        gone: Iterable[Held],
        new: dict[Held, bytes],
        told_elsewhere: Iterable[Any] = (),
        unheard: Iterable[int] = (),
    ) -> None:
        """See that what was taken away or entered again was told of once, on every node and to back ends."""
        before = {channel: self.model.count(channel) for channel in CHANNELS}
        self.note(f"gone: {list(gone)}; back: {new}")
        self.model.deliveries = []
        changes = self.model.change(list(gone), new)
        if new:
            self.believe_what_nobody_can_know()
        delivered = self.take_delivered()
        self.check_one_order(delivered, unheard)
        for node in {*delivered} - {*unheard}:
            for channel in self.model.reasons(node):
                expected = Counter(text for place, text in self.model.deliveries if place == channel)
                assert Counter(text for place, text in delivered[node] if place == channel) == expected, (node, channel)
        self.check_told([*told_elsewhere, *self.take_upheavals()], changes, before)

    def check_told(self, upheavals: list[Any], changes: Changes, before: dict[str, int]) -> None:
        """See that back ends were told of what changed, of each change once."""
        counts = [each for upheaval in upheavals for each in upheaval.counts.items()]
        for told, expected in (
            ([each for upheaval in upheavals for each in upheaval.departed], changes.departed),
            ([each for upheaval in upheavals for each in upheaval.arrived], changes.arrived),
            ([each for upheaval in upheavals for each in upheaval.occupied], changes.occupied & NAMED_CHANNELS),
            ([channel for channel, left in counts if not left], changes.vacated & NAMED_CHANNELS),
        ):
            assert Counter(told) == Counter(expected)
        for channel, told_count in counts:
            now = self.model.count(channel)
            assert min(before[channel], now) <= told_count <= max(before[channel], now), (channel, upheavals)
        changed = {channel for channel in NAMED_CHANNELS if before[channel] != self.model.count(channel)}
        assert changed <= {*dict(counts)} <= NAMED_CHANNELS

    def check_one_order(self, delivered: dict[int, list[tuple[str, str]]], unheard: Iterable[int]) -> None:
        """See that all nodes that heard everything heard it in one order."""
        for channel in CHANNELS:
            heard = [
                [text for place, text in texts if place == channel]
                for node, texts in delivered.items()
                if node not in unheard and channel in self.model.reasons(node)
            ]
            assert all(each == heard[0] for each in heard), (channel, heard)

    def believe_what_nobody_can_know(self, rumours: Collection[bytes] = ()) -> None:
        """Take over what is said of members where it depends on which of their connections was entered first.

        ``rumours`` is what those said who may have been entered or not.
        """
        if not self.connected:
            return
        node = next(iter(self.connected))
        for channel in PRESENCE_CHANNELS:
            for user, info in self.run(Members(node, channel).run(self.nodes[node].broker, self.app_id)).items():
                said = {said for held, said in self.model.held.items() if (held.channel, held.user) == (channel, user)}
                if info in said or info in rumours:
                    self.model.infos[channel, user] = info

    def teardown(self) -> None:
        for number in self.owed:
            self.run(self.nodes[number].heal())
        super().teardown()
        left = [key for key in self.client.scan_iter(f"skubber:{{{self.app_id}}}:*") if self.client.ttl(key) < 0]
        self.client.close()
        assert left == []


def test_the_memory_broker_is_what_the_model_is() -> None:
    run_state_machine_as_test(
        BrokerAgainstModel, settings=settings(max_examples=100, stateful_step_count=40, phases=PHASES)
    )


@pytest.fixture
def above_redis(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> type[RedisBrokersAgainstModel]:
    """The machine whose brokers have a Redis, and return to it without much ado."""
    monkeypatch.setattr(attendance, "_FIRST_PAUSE", 0.001)
    return type("AboveRedis", (RedisBrokersAgainstModel,), {"redis": redis_server})


def test_any_number_of_redis_brokers_are_what_the_model_is(above_redis: type[RedisBrokersAgainstModel]) -> None:
    run_state_machine_as_test(above_redis, settings=settings(max_examples=60, stateful_step_count=40, phases=PHASES))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_histories_of_redis_brokers_are_what_the_model_is(above_redis: type[RedisBrokersAgainstModel]) -> None:
    # What comes of calls that are cut off is a matter of luck: the first failure is shown as it is, with its history.
    soak = settings(max_examples=500, stateful_step_count=80, derandomize=False, database=None, phases=[Phase.generate])
    run_state_machine_as_test(above_redis, settings=soak)
