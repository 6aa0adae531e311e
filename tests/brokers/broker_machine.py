"""What nodes without faults do beside the model: one node, or several."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable
from itertools import count, permutations
from typing import Any, TypeVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from brokers.choices import (
    CHANNELS,
    PRESENCE_CHANNELS,
    USERS,
    Choice,
    operation_of_client,
    operation_on_node,
)
from brokers.model import Client, Model
from brokers.modelled_node import ModelledNode
from brokers.operations import (
    Join,
    Members,
    Online,
    Operation,
    Subscribe,
    TakeBack,
    Terminate,
)
from skubber.brokers.redis.broker import RedisBroker
from skubber.core.broker import Occupancy
from skubber.core.channel_name import ChannelKind
from support.redis import RedisServer

CLIENTS_OF_A_NODE = 4

SEEDS = st.integers(0, 2**32 - 1)

Outcome = TypeVar("Outcome")

_app_numbers = count()


async def gather(calls: Iterable[Awaitable[Outcome]]) -> list[Outcome]:
    """Await them all at once."""
    return await asyncio.gather(*calls)


def is_part(some: Iterable[str], everything: Iterable[str]) -> bool:
    """Whether some texts are among others, in the same order."""
    rest = iter(everything)
    return all(text in rest for text in some)


class BrokerAgainstModel(RuleBasedStateMachine):
    """Clients of a memory broker do whatever a hub lets them do."""

    redis: RedisServer | None = None
    most_nodes = 1

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.app_id = f"model-{next(_app_numbers)}"
        self.model = Model()
        self.nodes: dict[int, ModelledNode] = {}
        self.numbers = count()
        self.history: list[str] = []

    def note(self, text: str) -> None:
        """Write down what is done, for failures to show: not each of them can be had a second time."""
        self.history.append(text)
        note(text)

    @initialize(seed=SEEDS)
    def start(self, seed: int) -> None:
        for node in range(1 + Choice(seed).up_to(self.most_nodes - 1)):
            self.start_node(node)

    def start_node(self, node: int) -> None:
        async def start() -> ModelledNode:
            started = ModelledNode(self.redis)
            await started.broker.start()
            return started

        self.nodes[node] = self.run(start())

    @property
    def connected(self) -> dict[int, ModelledNode]:
        """The nodes that agree with each other."""
        return {number: node for number, node in self.nodes.items() if not node.is_cut}

    def run(self, call: Coroutine[Any, Any, Outcome]) -> Outcome:
        async def soon() -> Outcome:
            async with asyncio.timeout(15):
                return await call

        return self.runner.run(soon())

    # What is done.

    @rule(seed=SEEDS)
    @precondition(lambda self: self.connected)
    def alone(self, seed: int) -> None:
        self.perform(self.choose_operations(Choice(seed), 1))

    @rule(seed=SEEDS, number=st.integers(2, 4))
    @precondition(lambda self: self.connected)
    def together(self, seed: int, number: int) -> None:
        self.perform(self.choose_operations(Choice(seed), number))

    def choose_operations(self, choice: Choice, number: int) -> list[Operation]:
        """Operations that may be under way at once: each connection's come one after the other."""
        operations: list[Operation] = []
        idle = [Client(node, client) for node in self.connected for client in range(CLIENTS_OF_A_NODE)]
        for _ in range(number):
            if choice.up_to(3):
                client = choice.of(idle)
                idle.remove(client)
                has = [held for held in self.model.held if held.client == client]
                operations.append(operation_of_client(choice, client, has))
            else:
                # An event for several channels is several events, if others are about.
                most_channels = 3 if number == 1 else 1
                operations.append(
                    operation_on_node(choice, choice.of(self.connected), str(next(self.numbers)), most_channels)
                )
        return operations

    def perform(self, operations: list[Operation]) -> None:
        """Make the calls at once, and find the order that explains what came of it."""
        calls = [each.run(self.nodes[each.node].broker, self.app_id) for each in operations]
        self.note(f"at once: {operations}")
        outcomes = self.run(gather(calls))
        delivered = self.take_delivered()
        moving = {
            (each.node, each.held.channel) for each in operations if isinstance(each, Subscribe | Join | TakeBack)
        }
        for order in permutations(range(len(operations))):
            model = self.model.copy()
            model.deliveries = []
            if all(operations[place].apply(model) == outcomes[place] for place in order) and all(
                self.explains(model, node, deliveries, moving) for node, deliveries in delivered.items()
            ):
                self.model = model
                break
        else:
            raise AssertionError(f"No order explains {outcomes} and {delivered}")
        self.check_terminated(operations)
        assert self.take_upheavals() == []

    def explains(self, model: Model, node: int, delivered: list[tuple[str, str]], moving: set[tuple[int, str]]) -> bool:
        """Whether what a node has delivered is what a model has; where it came or went meanwhile, part of that."""
        channels = {*model.reasons(node), *(channel for number, channel in moving if number == node)}
        if self.redis is not None and not {channel for channel, _ in delivered} <= channels:
            return False
        for channel in channels:
            expected = [text for place, text in model.deliveries if place == channel]
            found = [text for place, text in delivered if place == channel]
            if not (is_part(found, expected) if (node, channel) in moving else found == expected):
                return False
        return True

    def take_delivered(self) -> dict[int, list[tuple[str, str]]]:
        """What every connected node has delivered since the last time."""
        self.run(gather([node.settle() for node in self.connected.values()]))
        taken = {number: node.record.delivered for number, node in self.connected.items()}
        for node in self.nodes.values():
            node.record.delivered = []
        return taken

    def take_upheavals(self) -> list[Any]:
        """What the nodes told back ends since the last time."""
        taken = [upheaval for node in self.nodes.values() for upheaval in node.record.upheavals]
        for node in self.nodes.values():
            node.record.upheavals = []
        return taken

    def check_terminated(self, operations: list[Operation]) -> None:
        expected = Counter(each.user for each in operations if isinstance(each, Terminate))
        for node in self.connected.values():
            assert node.record.terminated == expected
            node.record.terminated = Counter()

    # What is true at any time.

    @invariant()
    def every_node_knows_the_same(self) -> None:
        for node in self.connected.values():
            self.run(self.check(node))

    async def check(self, node: ModelledNode) -> None:
        broker, app_id = node.broker, self.app_id
        expected = {channel: self.occupancy(channel) for channel in CHANNELS}
        found = await gather([broker.occupancy(app_id, channel) for channel in CHANNELS])
        assert dict(zip(CHANNELS, found, strict=True)) == expected
        occupied = {channel: each for channel, each in expected.items() if each.subscriptions}
        for prefix in ("", "presence-"):
            of_prefix = {channel: each for channel, each in occupied.items() if channel.startswith(prefix)}
            assert await broker.channels(app_id, prefix) == of_prefix
        if isinstance(broker, RedisBroker):
            number = next(number for number, each in self.nodes.items() if each is node)
            assert {channel for _, channel in broker._topics._channels.values()} == self.model.reasons(number)
        for operation in (*(Members(0, channel) for channel in PRESENCE_CHANNELS), Online(0, USERS)):
            assert await operation.run(broker, app_id) == operation.apply(self.model), (operation, self.history)

    def occupancy(self, channel: str) -> Occupancy:
        users = len(self.model.members(channel)) if ChannelKind.of(channel).is_presence else None
        return Occupancy(self.model.count(channel), users)

    def teardown(self) -> None:
        for node in self.nodes.values():
            self.run(node.broker.stop())
        self.runner.close()
