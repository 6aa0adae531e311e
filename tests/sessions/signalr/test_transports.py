from skubber.codecs.websocket_frames import Opcode
from skubber.sessions.signalr.transports import Transport
from support.websocket_readings import OurReading

TEXT, BINARY = b'{"type":6}\x1e', b"\x02\x91\x06"


def test_transports_are_offered_best_first_and_each_with_what_it_carries() -> None:
    assert [(transport.label, transport.transfer_formats) for transport in Transport] == [
        ("WebSockets", ["Text", "Binary"]),
        ("ServerSentEvents", ["Text"]),
        ("LongPolling", ["Text", "Binary"]),
    ]


def test_over_websockets_text_and_binary_go_in_frames_of_their_own() -> None:
    assert Transport.WEBSOCKETS.frame_binary is not None
    reading = OurReading(of_server=True)
    reading.feed(Transport.WEBSOCKETS.frame_text(TEXT) + Transport.WEBSOCKETS.frame_binary(BINARY))
    assert reading.outcome == ([(Opcode.TEXT, TEXT), (Opcode.BINARY, BINARY)], None)


def test_over_server_sent_events_there_is_text_only() -> None:
    assert Transport.SERVER_SENT_EVENTS.frame_text(TEXT) == b"data: " + TEXT + b"\r\n\r\n"
    assert Transport.SERVER_SENT_EVENTS.frame_binary is None


def test_over_long_polling_messages_go_as_they_are() -> None:
    assert Transport.LONG_POLLING.frame_binary is not None
    assert Transport.LONG_POLLING.frame_text(TEXT) == TEXT
    assert Transport.LONG_POLLING.frame_binary(BINARY) == BINARY


def test_only_polls_end_by_themselves() -> None:
    assert [transport.needs_pings for transport in Transport] == [True, True, False]
