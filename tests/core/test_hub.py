import asyncio

import pytest

from skubber.core.connection import EndReason
from skubber.core.errors import ForbiddenError, UnavailableError
from skubber.core.event import Event
from skubber.core.hub import Admission
from skubber.core.limits import Limits
from skubber.core.presence import PresenceMember
from support.apps import make_app, other_app
from support.node import Node
from support.recording import RecordingConnection
from support.slow_broker import SlowBroker

APP = make_app()
OTHER = other_app()
EVENT = Event("e", b'"data"')


async def test_an_event_reaches_the_channels_subscribers_at_the_end_of_the_iteration(node: Node) -> None:
    here, elsewhere = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    await node.subscribe(APP, here, "c")
    await node.subscribe(APP, elsewhere, "d")
    await node.hub.publish(APP, ("c",), EVENT)
    assert here.received == []
    node.iteration.end()
    assert here.received == ["c/e"]
    assert elsewhere.received == []


async def test_a_burst_over_many_channels_asks_for_one_flush(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    for channel in ("a", "b", "c"):
        await node.subscribe(APP, connection, channel)
    for _ in range(5):
        await node.hub.publish(APP, ("a", "b", "c"), EVENT)
    assert len(node.iteration.deferred) == 1
    node.iteration.end()
    assert len(connection.writes) == 3
    assert sorted(connection.received) == ["a/e"] * 5 + ["b/e"] * 5 + ["c/e"] * 5


async def test_each_iteration_asks_for_its_own_flush(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    await node.subscribe(APP, connection, "c")
    for _ in range(3):
        await node.hub.publish(APP, ("c",), EVENT)
        node.iteration.end()
    assert connection.writes == [b"c/e;"] * 3
    assert node.iteration.deferred == []


async def test_an_event_for_an_empty_channel_goes_nowhere_and_asks_for_nothing(node: Node) -> None:
    await node.hub.publish(APP, ("c",), EVENT)
    connection = node.connect(APP, "1.1")
    await node.subscribe(APP, connection, "d")
    await node.hub.publish(APP, ("c",), EVENT)
    assert node.iteration.deferred == []
    assert connection.writes == []


async def test_the_publishers_connection_is_excluded_from_every_channel(node: Node) -> None:
    publisher, listener = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    for connection in (publisher, listener):
        for channel in ("a", "b"):
            await node.subscribe(APP, connection, channel)
    await node.hub.publish(APP, ("a", "b"), EVENT, "1.1")
    node.iteration.end()
    assert listener.received == ["a/e", "b/e"]
    assert publisher.received == []


async def test_an_event_arrives_once_for_each_subscribed_channel(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    await node.subscribe(APP, connection, "a")
    await node.subscribe(APP, connection, "b")
    await node.hub.publish(APP, ("a", "b"), EVENT)
    node.iteration.end()
    assert connection.received == ["a/e", "b/e"]


async def test_apps_do_not_hear_each_other(node: Node) -> None:
    ours, theirs = node.connect(APP, "1.1"), node.connect(OTHER, "1.2")
    await node.subscribe(APP, ours, "presence-c", "ada")
    await node.subscribe(OTHER, theirs, "presence-c", "ada")
    node.iteration.end()
    assert (ours.received, theirs.received) == ([], [])
    await node.hub.publish(APP, ("presence-c",), EVENT)
    node.iteration.end()
    assert (ours.received, theirs.received) == (["presence-c/e"], [])
    assert (await node.broker.occupancy(APP.id, "presence-c")).subscriptions == 1


async def test_what_is_unsubscribed_or_disconnected_hears_no_more(node: Node) -> None:
    leaving, closing = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    left = await node.subscribe(APP, leaving, "c")
    closed = await node.subscribe(APP, closing, "c")
    await node.hub.unsubscribe(APP, left)
    await node.hub.disconnect(APP, closing, [closed])
    await node.hub.publish(APP, ("c",), EVENT)
    node.iteration.end()
    assert (leaving.writes, closing.writes) == ([], [])
    assert await node.broker.channels(APP.id, "") == {}


async def test_disconnecting_ends_every_subscription_and_twice_is_harmless(node: Node) -> None:
    leaving, staying = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    subscriptions = [await node.subscribe(APP, leaving, channel) for channel in ("a", "b")]
    subscriptions.append(await node.subscribe(APP, leaving, "presence-c", "ada"))
    await node.subscribe(APP, staying, "a")
    await node.hub.disconnect(APP, leaving, subscriptions)
    await node.hub.disconnect(APP, leaving, subscriptions)
    assert set(await node.broker.channels(APP.id, "")) == {"a"}
    assert (await node.broker.occupancy(APP.id, "a")).subscriptions == 1
    assert node.hub.connection_count == 1


async def test_disconnecting_somebody_never_admitted_is_harmless(node: Node) -> None:
    await node.hub.disconnect(APP, RecordingConnection("1.1", node.wire_format), [])
    node.connect(APP, "1.2")
    await node.hub.disconnect(APP, RecordingConnection("1.1", node.wire_format), [])
    assert node.hub.connection_count == 1


async def test_who_has_ended_meanwhile_is_not_among_the_connections_that_follow(node: Node) -> None:
    connections = [node.connect(APP, f"1.{number}") for number in range(4)]
    seen = []
    for connection in node.hub.connected():
        seen.append(connection)
        await node.hub.disconnect(APP, connections[0], [])
        await node.hub.disconnect(APP, connections[2], [])
    assert seen == [connections[0], connections[1], connections[3]]


async def test_an_app_takes_as_many_connections_as_it_may_have_and_no_more(node: Node) -> None:
    app = make_app(limits=Limits(connections=2))
    first = node.connect(app, "1.1")
    node.connect(app, "1.2")
    third = RecordingConnection("1.3", node.wire_format)
    assert node.hub.connect(app, third) is Admission.APP_FULL
    node.connect(OTHER, "1.4")
    await node.hub.disconnect(app, first, [])
    assert node.hub.connect(app, third) is Admission.ADMITTED


async def test_a_node_takes_as_many_connections_as_it_may_have_of_all_apps_together() -> None:
    node = Node(max_connections=2)
    first = node.connect(APP, "1.1")
    node.connect(OTHER, "1.2")
    third = RecordingConnection("1.3", node.wire_format)
    assert node.hub.connect(APP, third) is Admission.SERVER_FULL
    assert node.hub.connection_count == 2
    await node.hub.disconnect(APP, first, [])
    assert node.hub.connect(APP, third) is Admission.ADMITTED


async def test_the_others_are_told_of_a_users_first_arrival_and_last_departure_only(node: Node) -> None:
    watcher, tab, second_tab = (node.connect(APP, f"1.{number}") for number in range(3))
    await node.subscribe(APP, watcher, "presence-c", "watcher")
    first = await node.subscribe(APP, tab, "presence-c", "ada")
    second = await node.subscribe(APP, second_tab, "presence-c", "ada")
    node.iteration.end()
    assert watcher.received == ["presence-c/member_added"]
    await node.hub.unsubscribe(APP, first)
    node.iteration.end()
    assert watcher.received == ["presence-c/member_added"]
    await node.hub.disconnect(APP, second_tab, [second])
    node.iteration.end()
    assert watcher.received == ["presence-c/member_added", "presence-c/member_removed"]
    assert (tab.received, second_tab.received) == ([], [])


async def test_a_new_member_is_told_of_everyone_itself_included(node: Node) -> None:
    ada, bob = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    members = [PresenceMember("ada", b"1"), PresenceMember("bob", b"2")]
    _, first = await node.hub.subscribe(APP, ada, "presence-c", members[0])
    _, second = await node.hub.subscribe(APP, bob, "presence-c", members[1])
    assert first == members[:1]
    assert second == members


async def test_a_full_presence_channel_takes_no_new_user_and_leaves_no_trace_of_one(node: Node) -> None:
    app = make_app(limits=Limits(presence_members=2))
    connections = [node.connect(app, f"1.{number}") for number in range(4)]
    await node.subscribe(app, connections[0], "presence-c", "ada")
    await node.subscribe(app, connections[1], "presence-c", "bob")
    with pytest.raises(ForbiddenError, match="at most 2 members; presence-c is full") as error:
        await node.subscribe(app, connections[2], "presence-c", "eve")
    assert error.value.code == "presence_channel_full"
    await node.subscribe(app, connections[3], "presence-c", "ada")
    occupancy = await node.broker.occupancy(app.id, "presence-c")
    assert (occupancy.subscriptions, occupancy.users) == (3, 2)
    node.hub.terminate(app.id, "eve")
    assert connections[2].ends == []


async def test_terminating_ends_that_users_connections_of_that_app_and_no_others(node: Node) -> None:
    tab, second_tab, bob = (node.connect(APP, f"1.{number}") for number in range(3))
    theirs = node.connect(OTHER, "1.9")
    await node.subscribe(APP, tab, "presence-a", "ada")
    await node.subscribe(APP, tab, "presence-b", "ada")
    await node.subscribe(APP, second_tab, "presence-a", "ada")
    await node.subscribe(APP, bob, "presence-a", "bob")
    await node.subscribe(OTHER, theirs, "presence-a", "ada")
    await node.broker.terminate_user(APP.id, "ada")
    assert (tab.ends, second_tab.ends) == ([EndReason.TERMINATED], [EndReason.TERMINATED])
    assert (bob.ends, theirs.ends) == ([], [])


async def test_terminating_a_user_nobody_is_or_of_an_app_nobody_uses_ends_nothing(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    node.hub.terminate(APP.id, "ada")
    node.hub.terminate("no such app", "ada")
    assert connection.ends == []


async def test_a_connection_is_a_users_for_as_long_as_one_of_its_channels_says_so(node: Node) -> None:
    tab = node.connect(APP, "1.1")
    first = await node.subscribe(APP, tab, "presence-a", "ada")
    second = await node.subscribe(APP, tab, "presence-b", "ada")
    await node.hub.unsubscribe(APP, first)
    node.hub.terminate(APP.id, "ada")
    assert tab.ends == [EndReason.TERMINATED]
    await node.hub.unsubscribe(APP, second)
    node.hub.terminate(APP.id, "ada")
    assert tab.ends == [EndReason.TERMINATED]


async def test_a_connection_may_leave_while_its_user_is_being_terminated(node: Node) -> None:
    class Hasty(RecordingConnection):
        def end(self, reason: EndReason) -> None:
            super().end(reason)
            node.hub._namespaces[APP.id].release_user("ada", self)

    connections = [Hasty(f"1.{number}", node.wire_format) for number in range(3)]
    for connection in connections:
        node.hub.connect(APP, connection)
        await node.subscribe(APP, connection, "presence-a", "ada")
    node.hub.terminate(APP.id, "ada")
    assert [connection.ends for connection in connections] == [[EndReason.TERMINATED]] * 3


class TestUsers:
    """Connections that are a user's for other reasons than a presence channel."""

    ADAS = "#server-to-user-ada"

    async def test_who_signs_in_gets_the_users_events(self, node: Node) -> None:
        tab, second_tab, bob = (node.connect(APP, f"1.{number}") for number in range(3))
        for connection, user_id in ((tab, "ada"), (second_tab, "ada"), (bob, "bob")):
            (subscription,), online = await node.hub.sign_in(APP, connection, user_id)
            assert (subscription.user_id, subscription.member, online) == (user_id, None, ())
            subscription.catch_up()
        await node.hub.publish(APP, (self.ADAS,), EVENT)
        node.iteration.end()
        assert tab.received == second_tab.received == [f"{self.ADAS}/e"]
        assert bob.received == []
        assert (await node.broker.occupancy(APP.id, self.ADAS)).subscriptions == 2

    async def test_who_only_says_that_it_is_a_user_does_not(self, node: Node) -> None:
        connection = node.connect(APP, "1.1")
        node.hub.claim_user(APP, connection, "ada")
        await node.hub.publish(APP, (self.ADAS,), EVENT)
        node.iteration.end()
        assert connection.received == []
        assert await node.broker.channels(APP.id, "") == {}

    async def test_terminating_ends_both(self, node: Node) -> None:
        signed_in, claimed, bob, nobody = (node.connect(APP, f"1.{number}") for number in range(4))
        theirs = node.connect(OTHER, "1.9")
        await node.hub.sign_in(APP, signed_in, "ada")
        node.hub.claim_user(APP, claimed, "ada")
        await node.hub.sign_in(APP, bob, "bob")
        await node.hub.sign_in(OTHER, theirs, "ada")
        await node.broker.terminate_user(APP.id, "ada")
        assert (signed_in.ends, claimed.ends) == ([EndReason.TERMINATED], [EndReason.TERMINATED])
        assert (bob.ends, nobody.ends, theirs.ends) == ([], [], [])

    async def test_a_connection_is_a_users_as_long_as_there_is_one_reason(self, node: Node) -> None:
        connection = node.connect(APP, "1.1")
        node.hub.claim_user(APP, connection, "ada")
        (signed_in,), _ = await node.hub.sign_in(APP, connection, "ada")
        member = await node.subscribe(APP, connection, "presence-c", "ada")
        for number, subscription in enumerate((signed_in, member), start=1):
            await node.hub.unsubscribe(APP, subscription)
            node.hub.terminate(APP.id, "ada")
            assert len(connection.ends) == number
        await node.hub.disconnect(APP, connection, [], "ada")
        node.hub.terminate(APP.id, "ada")
        assert len(connection.ends) == 2

    async def test_disconnecting_ends_every_reason(self, node: Node) -> None:
        leaving, staying = node.connect(APP, "1.1"), node.connect(APP, "1.2")
        for connection in (leaving, staying):
            node.hub.claim_user(APP, connection, "ada")
        subscriptions, _ = await node.hub.sign_in(APP, leaving, "bob")
        for _ in range(2):
            await node.hub.disconnect(APP, leaving, subscriptions, "ada")
        assert node.hub._namespaces[APP.id].users == {"ada": {staying: 1}}
        await node.hub.disconnect(APP, staying, [], "ada")
        node.assert_nothing_is_kept()

    async def test_who_was_never_claimed_can_be_disconnected_as_if(self, node: Node) -> None:
        claimed, other = node.connect(APP, "1.1"), node.connect(APP, "1.2")
        node.hub.claim_user(APP, claimed, "ada")
        await node.hub.disconnect(APP, other, [], "ada")
        node.hub.terminate(APP.id, "ada")
        assert claimed.ends == [EndReason.TERMINATED]

    async def test_a_user_terminated_while_it_signs_in_is_ended(self) -> None:
        broker = SlowBroker()
        node = Node(broker=broker)
        connection = node.connect(APP, "1.1")
        hold = broker.hold("subscribe")
        async with asyncio.TaskGroup() as tasks:
            sign_in = tasks.create_task(node.hub.sign_in(APP, connection, "ada"))
            await hold.reached()
            node.hub.terminate(APP.id, "ada")
            assert connection.ends == [EndReason.TERMINATED]
            hold.release()
        await node.hub.disconnect(APP, connection, sign_in.result()[0])
        node.assert_nothing_is_kept()

    async def test_who_could_not_be_signed_in_is_nobodys(self) -> None:
        broker = SlowBroker()
        node = Node(broker=broker)
        connection = node.connect(APP, "1.1")
        broker.fail("subscribe")
        with pytest.raises(UnavailableError):
            await node.hub.sign_in(APP, connection, "ada")
        namespace = node.hub._namespaces[APP.id]
        assert (namespace.users, namespace.channels) == ({}, {})

    async def test_a_sign_in_that_is_given_up_leaves_nothing_behind(self) -> None:
        broker = SlowBroker()
        node = Node(broker=broker)
        connection = node.connect(APP, "1.1")
        hold = broker.hold("subscribe")
        task = asyncio.create_task(node.hub.sign_in(APP, connection, "ada"))
        await hold.reached()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await node.hub.disconnect(APP, connection, [])
        node.assert_nothing_is_kept()


async def test_something_in_a_connections_stead_gets_its_events_and_leaves_with_it(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    stand_in = RecordingConnection("1.1", node.wire_format)
    subscriptions = [
        await node.subscribe(APP, stand_in, "c"),
        await node.subscribe(APP, stand_in, "presence-c", "ada"),
    ]
    await node.hub.publish(APP, ("c", "presence-c"), EVENT)
    await node.hub.publish(APP, ("c",), EVENT, "1.1")
    node.iteration.end()
    assert (connection.received, stand_in.received) == ([], ["c/e", "presence-c/e"])
    node.hub.terminate(APP.id, "ada")
    assert stand_in.ends == [EndReason.TERMINATED]
    await node.hub.disconnect(APP, connection, subscriptions)
    node.assert_nothing_is_kept()


async def test_what_was_published_before_a_subscription_is_not_delivered_to_it(node: Node) -> None:
    early, late = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    await node.subscribe(APP, early, "c")
    await node.hub.publish(APP, ("c",), Event("before", b"1"))
    await node.subscribe(APP, late, "c")
    await node.hub.publish(APP, ("c",), Event("after", b"1"))
    node.iteration.end()
    assert early.received == ["c/before", "c/after"]
    assert late.received == ["c/after"]


async def test_a_channel_emptied_and_filled_again_within_an_iteration_works_on(node: Node) -> None:
    first, second = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    subscription = await node.subscribe(APP, first, "c")
    await node.hub.publish(APP, ("c",), Event("before", b"1"))
    await node.hub.unsubscribe(APP, subscription)
    await node.subscribe(APP, second, "c")
    await node.hub.publish(APP, ("c",), Event("after", b"1"))
    node.iteration.end()
    assert first.received == ["c/before"]
    assert second.received == ["c/after"]


async def test_nothing_is_kept_of_channels_and_users_that_are_gone(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    staying = node.connect(APP, "1.2")
    subscriptions = [await node.subscribe(APP, connection, f"presence-{number}", "ada") for number in range(10)]
    await node.hub.disconnect(APP, connection, subscriptions)
    namespace = node.hub._namespaces[APP.id]
    assert (namespace.connections, namespace.channels, namespace.users) == ({"1.2": staying}, {}, {})


async def test_nothing_is_kept_of_an_app_whose_last_connection_has_gone(node: Node) -> None:
    for number in range(100):
        app = make_app(str(number))
        connection = node.connect(app, "1.1")
        subscription = await node.subscribe(app, connection, "presence-c", "ada")
        await node.hub.publish(app, ("presence-c",), EVENT)
        await node.hub.disconnect(app, connection, [subscription])
    node.iteration.end()
    node.assert_nothing_is_kept()


async def test_disconnecting_again_while_the_first_time_waits_is_harmless() -> None:
    broker = SlowBroker()
    node = Node(broker=broker)
    connection, staying = node.connect(APP, "1.1"), node.connect(APP, "1.2")
    subscriptions = [await node.subscribe(APP, connection, "presence-c", "ada")]
    await node.subscribe(APP, staying, "presence-c", "bob")
    hold = broker.hold("unsubscribe")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(node.hub.disconnect(APP, connection, subscriptions))
        await hold.reached()
        await node.hub.disconnect(APP, connection, subscriptions)
        assert node.hub.connection_count == 1
        hold.release()
    node.iteration.end()
    assert staying.received == ["presence-c/member_removed"]
    occupancy = await broker.occupancy(APP.id, "presence-c")
    assert (occupancy.subscriptions, occupancy.users) == (1, 1)
