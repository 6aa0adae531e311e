"""The hub and the memory broker beside a plain model of them: sets of who is where."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from skubber.core.app import App
from skubber.core.connection import EndReason
from skubber.core.errors import ForbiddenError
from skubber.core.event import Event
from skubber.core.hub import Admission
from skubber.core.limits import Limits
from skubber.core.presence import PresenceMember
from skubber.core.subscription import Subscription
from skubber.server.eager import Suspended, run_eagerly
from support.apps import make_app
from support.node import Node
from support.recording import LegibleFormat, RecordingConnection

LIMITS = Limits(presence_members=2, connections=4)
APPS = {name: make_app(name, LIMITS) for name in ("one", "two")}
PRESENCE_CHANNELS = ["presence-a", "presence-b"]
CHANNELS = ["a", "b", *PRESENCE_CHANNELS]
USERS = ["ada", "bob", "eve"]

Outcome = TypeVar("Outcome")


@dataclass(eq=False)
class Client:
    """A client as the model sees it.

    Attributes:
        app: its app.
        connection: what the hub writes to.
        subscriptions: what the hub gave it, by channel.
        users: who it is, by presence channel.
        expected: what it must have received by now.
    """

    app: App
    connection: RecordingConnection
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    expected: dict[str, list[str]] = field(default_factory=dict)
    ends: int = 0


def run(call: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run a call of the hub, which never waits above a memory broker."""
    outcome = run_eagerly(call)
    assert not isinstance(outcome, Suspended)
    return outcome


class HubAgainstModel(RuleBasedStateMachine):
    """Clients come, subscribe, publish, unsubscribe and go; every one of them hears exactly what it should."""

    clients: Bundle[Client] = Bundle("clients")

    @initialize()
    def start(self) -> None:
        self.node = Node()
        self.formats = [LegibleFormat(), LegibleFormat()]
        self.model: set[Client] = set()
        self.number = 0

    def on(self, app: App, channel: str) -> list[Client]:
        """Who is subscribed to a channel."""
        return [client for client in self.model if client.app is app and channel in client.subscriptions]

    def present(self, app: App, channel: str) -> list[str]:
        """The users on a presence channel."""
        return sorted({client.users[channel] for client in self.on(app, channel) if channel in client.users})

    def expect(self, app: App, channel: str, event: str, excluded: str | None = None) -> None:
        for client in self.on(app, channel):
            if client.connection.socket_id != excluded:
                client.expected.setdefault(channel, []).append(f"{channel}/{event}")

    @rule(target=clients, app=st.sampled_from(list(APPS.values())), wire_format=st.integers(0, 1))
    def connect(self, app: App, wire_format: int) -> Client | MultipleResults[Client]:
        self.number += 1
        connection = RecordingConnection(f"1.{self.number}", self.formats[wire_format])
        client = Client(app, connection)
        if sum(each.app is app for each in self.model) == LIMITS.connections:
            assert self.node.hub.connect(app, connection) is Admission.APP_FULL
            return multiple()
        assert self.node.hub.connect(app, connection) is Admission.ADMITTED
        self.model.add(client)
        return client

    @rule(client=consumes(clients))
    def disconnect(self, client: Client) -> None:
        subscriptions = list(client.subscriptions.values())
        for _ in range(2):
            run(self.node.hub.disconnect(client.app, client.connection, subscriptions))
        self.check_received(client)  # everything of before, though this iteration has not ended
        self.model.remove(client)
        for channel, user in client.users.items():
            self.expect_departure(client, channel, user)

    @rule(client=clients, channel=st.sampled_from(CHANNELS))
    def subscribe(self, client: Client, channel: str) -> None:
        if channel in PRESENCE_CHANNELS or channel in client.subscriptions:
            return
        client.subscriptions[channel], members = run(self.node.hub.subscribe(client.app, client.connection, channel))
        assert members == ()

    @rule(client=clients, channel=st.sampled_from(PRESENCE_CHANNELS), user=st.sampled_from(USERS))
    def join(self, client: Client, channel: str, user: str) -> None:
        if channel in client.subscriptions:
            return
        present = self.present(client.app, channel)
        call = self.node.hub.subscribe(client.app, client.connection, channel, PresenceMember(user))
        if user not in present and len(present) == LIMITS.presence_members:
            with pytest.raises(ForbiddenError):
                run(call)
            return
        if user not in present:
            self.expect(client.app, channel, "member_added")
        client.subscriptions[channel], members = run(call)
        client.subscriptions[channel].catch_up()
        client.users[channel] = user
        assert sorted(each.user_id for each in members) == self.present(client.app, channel)

    @rule(client=clients, channel=st.sampled_from(CHANNELS))
    def unsubscribe(self, client: Client, channel: str) -> None:
        subscription = client.subscriptions.pop(channel, None)
        if subscription is None:
            return
        user = client.users.pop(channel, None)
        run(self.node.hub.unsubscribe(client.app, subscription))
        if user is not None:
            self.expect_departure(client, channel, user)

    def expect_departure(self, client: Client, channel: str, user: str) -> None:
        if user not in self.present(client.app, channel):
            self.expect(client.app, channel, "member_removed")

    @rule(
        app=st.sampled_from(list(APPS.values())),
        channels=st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True),
        client=st.none() | clients,
    )
    def publish(self, app: App, channels: list[str], client: Client | None) -> None:
        self.number += 1
        excluded = None if client is None else client.connection.socket_id
        run(self.node.hub.publish(app, channels, Event(str(self.number), b"1"), excluded))
        for channel in channels:
            self.expect(app, channel, str(self.number), excluded)

    @rule(app=st.sampled_from(list(APPS.values())), user=st.sampled_from(USERS))
    def terminate(self, app: App, user: str) -> None:
        run(self.node.broker.terminate_user(app.id, user))
        for client in self.model:
            client.ends += client.app is app and user in client.users.values()

    @rule()
    def end_iteration(self) -> None:
        self.node.iteration.end()
        for client in self.model:
            self.check_received(client)

    def check_received(self, client: Client) -> None:
        received: dict[str, list[str]] = {}
        for event in client.connection.received:
            received.setdefault(event.split("/")[0], []).append(event)
        assert received == client.expected

    @invariant()
    def counts_and_rosters_agree(self) -> None:
        assert self.node.hub.connection_count == len(self.model)
        for app in APPS.values():
            for channel in CHANNELS:
                occupancy = run(self.node.broker.occupancy(app.id, channel))
                users = len(self.present(app, channel)) if channel.startswith("presence-") else None
                assert (occupancy.subscriptions, occupancy.users) == (len(self.on(app, channel)), users)
                members = run(self.node.broker.members(app.id, channel))
                assert sorted(each.user_id for each in members) == self.present(app, channel)

    @invariant()
    def terminations_agree(self) -> None:
        for client in self.model:
            assert client.connection.ends == [EndReason.TERMINATED] * client.ends

    @invariant()
    def nothing_more_is_kept(self) -> None:
        namespaces = self.node.hub._namespaces
        assert set(namespaces) == {client.app.id for client in self.model}
        for app_id, namespace in namespaces.items():
            ours = [client for client in self.model if client.app.id == app_id]
            assert set(namespace.connections) == {client.connection.socket_id for client in ours}
            assert set(namespace.channels) == {channel for client in ours for channel in client.subscriptions}
            assert set(namespace.users) == {user for client in ours for user in client.users.values()}

    def teardown(self) -> None:
        for client in list(self.model):
            self.disconnect(client)
        self.node.iteration.end()
        self.node.assert_nothing_is_kept()


TestHubAgainstModel = HubAgainstModel.TestCase
TestHubAgainstModel.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
