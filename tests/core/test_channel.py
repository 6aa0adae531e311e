from skubber.core.channel import Channel
from skubber.core.channel_name import ChannelKind
from skubber.core.event import Event
from skubber.core.meter import Meter
from support.recording import LegibleFormat, RecordingConnection

FIRST, SECOND, THIRD = (Event(name, b'"data"') for name in ("first", "second", "third"))


def subscribed(
    channel: Channel, count: int, wire_format: LegibleFormat, prefix: str = "1"
) -> list[RecordingConnection]:
    connections = [RecordingConnection(f"{prefix}.{number}", wire_format) for number in range(count)]
    for connection in connections:
        channel.add(connection)
    return connections


def test_a_channel_knows_its_name_kind_and_subscribers() -> None:
    channel = Channel("presence-room", Meter())
    (here,) = subscribed(channel, 1, LegibleFormat())
    elsewhere = RecordingConnection("9.9", LegibleFormat())
    assert (channel.name, channel.kind, len(channel)) == ("presence-room", ChannelKind.PRESENCE, 1)
    assert here in channel
    assert elsewhere not in channel


def test_events_of_one_iteration_leave_in_one_write_each_subscriber() -> None:
    channel = Channel("c", Meter())
    connections = subscribed(channel, 3, LegibleFormat())
    for event in (FIRST, SECOND, THIRD):
        channel.fan_out(event, None)
    assert [connection.writes for connection in connections] == [[], [], []]
    channel.flush()
    assert [connection.writes for connection in connections] == [[b"c/first;c/second;c/third;"]] * 3


def test_only_the_first_event_of_an_iteration_asks_for_a_flush() -> None:
    channel = Channel("c", Meter())
    subscribed(channel, 1, LegibleFormat())
    assert channel.fan_out(FIRST, None) is True
    assert channel.fan_out(SECOND, None) is False
    channel.flush()
    assert channel.fan_out(THIRD, None) is True


def test_nothing_is_encoded_kept_or_asked_for_without_subscribers() -> None:
    channel = Channel("c", Meter())
    assert channel.fan_out(FIRST, None) is False
    (late,) = subscribed(channel, 1, LegibleFormat())
    channel.flush()
    assert late.writes == []


def test_flushing_twice_writes_once() -> None:
    channel = Channel("c", Meter())
    (connection,) = subscribed(channel, 1, LegibleFormat())
    channel.fan_out(FIRST, None)
    channel.flush()
    channel.flush()
    assert connection.received == ["c/first"]


def test_all_subscribers_share_the_very_same_bytes() -> None:
    channel = Channel("c", Meter())
    connections = subscribed(channel, 1000, LegibleFormat())
    channel.fan_out(FIRST, None)
    channel.flush()
    assert len({id(connection.writes[0]) for connection in connections}) == 1


def test_an_event_is_encoded_once_per_format_however_many_subscribe() -> None:
    channel = Channel("c", Meter())
    formats = [LegibleFormat("a:"), LegibleFormat("b:"), LegibleFormat("c:")]
    for number, wire_format in enumerate(formats):
        subscribed(channel, 1000, wire_format, str(number))
    channel.fan_out(FIRST, None)
    channel.fan_out(SECOND, "0.500")
    channel.flush()
    assert [wire_format.encoded for wire_format in formats] == [[("c", "first"), ("c", "second")]] * 3


def test_each_subscriber_is_written_to_in_its_own_format() -> None:
    channel = Channel("c", Meter())
    (json,) = subscribed(channel, 1, LegibleFormat("json:"), "1")
    (binary,) = subscribed(channel, 1, LegibleFormat("binary:"), "2")
    channel.fan_out(FIRST, None)
    channel.fan_out(SECOND, None)
    channel.flush()
    assert json.writes == [b"json:c/first;json:c/second;"]
    assert binary.writes == [b"binary:c/first;binary:c/second;"]


def test_the_excluded_connection_alone_does_not_receive() -> None:
    channel = Channel("c", Meter())
    connections = subscribed(channel, 3, LegibleFormat())
    channel.fan_out(FIRST, connections[1].socket_id)
    channel.flush()
    assert [connection.received for connection in connections] == [["c/first"], [], ["c/first"]]


def test_excluding_somebody_who_is_not_subscribed_excludes_nobody_and_still_joins() -> None:
    channel = Channel("c", Meter())
    connections = subscribed(channel, 2, LegibleFormat())
    assert channel.fan_out(FIRST, "9.9") is True
    channel.fan_out(SECOND, "9.9")
    channel.flush()
    assert [connection.writes for connection in connections] == [[b"c/first;c/second;"]] * 2


def test_order_holds_around_an_event_that_excludes_somebody() -> None:
    channel = Channel("c", Meter())
    everyone, sender = subscribed(channel, 2, LegibleFormat())
    channel.fan_out(FIRST, None)
    channel.fan_out(SECOND, sender.socket_id)
    channel.fan_out(THIRD, None)
    channel.flush()
    assert everyone.received == ["c/first", "c/second", "c/third"]
    assert sender.received == ["c/first", "c/third"]


def test_a_new_subscriber_gets_nothing_from_before_and_everything_after() -> None:
    channel = Channel("c", Meter())
    (early,) = subscribed(channel, 1, LegibleFormat())
    channel.fan_out(FIRST, None)
    (late,) = subscribed(channel, 1, early.wire_format, "2")
    channel.fan_out(SECOND, None)
    channel.flush()
    assert early.received == ["c/first", "c/second"]
    assert late.received == ["c/second"]


def test_a_leaving_subscriber_gets_everything_from_before_and_nothing_after() -> None:
    channel = Channel("c", Meter())
    staying, leaving = subscribed(channel, 2, LegibleFormat())
    channel.fan_out(FIRST, None)
    channel.remove(leaving)
    channel.fan_out(SECOND, None)
    channel.flush()
    assert staying.received == ["c/first", "c/second"]
    assert leaving.received == ["c/first"]


def test_events_pending_in_one_format_survive_the_last_subscriber_of_another() -> None:
    channel = Channel("c", Meter())
    (last,) = subscribed(channel, 1, LegibleFormat("a:"), "1")
    (other,) = subscribed(channel, 1, LegibleFormat("b:"), "2")
    channel.fan_out(FIRST, None)
    channel.remove(last)
    assert (last.writes, other.writes) == ([b"a:c/first;"], [b"b:c/first;"])
    channel.fan_out(SECOND, None)
    channel.flush()
    assert (last.writes, other.writes) == ([b"a:c/first;"], [b"b:c/first;", b"b:c/second;"])
    assert len(channel) == 1


def test_removing_somebody_who_is_not_subscribed_changes_nothing() -> None:
    channel = Channel("c", Meter())
    wire_format = LegibleFormat()
    channel.remove(RecordingConnection("1.1", wire_format))
    (here,) = subscribed(channel, 1, wire_format, "2")
    channel.remove(RecordingConnection("3.3", wire_format))
    assert here in channel
    assert len(channel) == 1


def test_a_write_that_fails_loudly_is_never_made_to_who_has_left() -> None:
    channel = Channel("c", Meter())
    (gone,) = subscribed(channel, 1, LegibleFormat())
    channel.remove(gone)
    channel.fan_out(FIRST, None)
    channel.flush()
    assert gone.writes == []
    assert len(channel) == 0


def test_what_is_delivered_is_counted_with_its_bytes() -> None:
    meter = Meter()
    channel = Channel("c", meter)
    subscribed(channel, 3, LegibleFormat())
    other_format = RecordingConnection("2.1", LegibleFormat("other "))
    channel.add(other_format)
    channel.fan_out(Event("a", b"1"), None)
    channel.fan_out(Event("b", b"1"), None)
    assert (meter.delivered, meter.delivered_bytes) == (0, 0)
    channel.flush()
    both = 3 * len("c/a;c/b;") + len("other c/a;other c/b;")
    assert (meter.delivered, meter.delivered_bytes) == (8, both)
    channel.fan_out(Event("c", b"1"), "2.1")
    assert (meter.delivered, meter.delivered_bytes) == (11, both + 3 * len("c/c;"))
