from skubber.brokers.memory import MemoryBroker
from skubber.core.broker import Upheaval
from skubber.core.event import Event, PublishedEvent
from skubber.core.presence import PresenceMember
from skubber.server.eager import Suspended, run_eagerly
from support.recording import LegibleFormat


class Silence:
    """A node nobody is connected to."""

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None: ...

    def joined(self, app_id: str, channel: str, socket_id: str) -> None: ...

    def terminate(self, app_id: str, user_id: str) -> None: ...

    def upheaved(self, app_id: str, upheaval: Upheaval) -> None: ...


def test_the_memory_broker_never_waits() -> None:
    broker = MemoryBroker()
    broker.attach(Silence())
    for call in (
        broker.subscribe("a", "presence-c"),
        broker.join("a", "presence-c", "1.1", PresenceMember("ada"), 10),
        broker.publish("a", ("presence-c",), Event("e", b"1"), None),
        broker.occupancy("a", "presence-c"),
        broker.channels("a", ""),
        broker.members("a", "presence-c"),
        broker.terminate_user("a", "ada"),
        broker.kept_event("a", "cache-c"),
        broker.claim_request("a", "k", b"one"),
        broker.finish_request("a", "k"),
        broker.release_request("a", "k"),
        broker.sign_in("a", "1.1", "ada"),
        broker.online("a", ["ada"]),
        broker.sign_out("a", "1.1", "ada"),
        broker.leave("a", "presence-c", "1.1", "ada"),
        broker.unsubscribe("a", "presence-c"),
    ):
        assert not isinstance(run_eagerly(call), Suspended)


async def test_nothing_is_kept_of_a_channel_that_is_empty_again() -> None:
    broker = MemoryBroker()
    broker.attach(Silence())
    for number in range(100):
        channel = f"presence-{number}"
        await broker.subscribe("a", channel)
        await broker.join("a", channel, "1.1", PresenceMember("ada"), 10)
        await broker.leave("a", channel, "1.1", "ada")
        await broker.unsubscribe("a", channel)
    assert broker._counts == {}
    assert broker._rosters == {}


async def test_nothing_is_kept_of_users_who_are_gone() -> None:
    broker = MemoryBroker()
    broker.attach(Silence())
    for number in range(100):
        await broker.sign_in("a", "1.1", str(number))
        await broker.sign_out("a", "1.1", str(number))
    assert broker._signed_in == {}


async def test_an_event_is_kept_without_what_has_been_encoded_of_it() -> None:
    broker = MemoryBroker()
    broker.attach(Silence())
    event = PublishedEvent("e", b"1")
    event.encoded[LegibleFormat()] = (b"head", b"tail")
    await broker.publish("a", ("cache-c",), event, None)
    kept = await broker.kept_event("a", "cache-c")
    assert kept is not None
    assert kept.event.encoded == {}
