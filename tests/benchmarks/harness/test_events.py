"""An event is as large on the wire as its row says."""

import pytest
from benchmarks.harness.events import data_size
from benchmarks.harness.load import Kind

from skubber.codecs.pusher import PusherWireFormat
from skubber.codecs.signalr_events import signalr_wire_format
from skubber.codecs.signalr_json import JSON
from skubber.codecs.signalr_messagepack import MESSAGE_PACK
from skubber.codecs.websocket_frames import encode_binary, encode_text
from skubber.core.event import Event, WireFormat

FORMATS: dict[Kind, tuple[WireFormat, str]] = {
    "public": (PusherWireFormat(encode_text), "bench-00000"),
    "private": (PusherWireFormat(encode_text), "private-bench-00000"),
    "presence": (PusherWireFormat(encode_text), "presence-bench-00000"),
    "signalr-json": (signalr_wire_format(JSON, encode_text, by_name=False), "bench-00000"),
    "signalr-messagepack": (signalr_wire_format(MESSAGE_PACK, encode_binary, by_name=False), "bench-00000"),
}


@pytest.mark.parametrize("frame_bytes", [150, 200, 300])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_frame_has_the_size_that_was_wanted(kind: Kind, frame_bytes: int) -> None:
    wire_format, channel = FORMATS[kind]
    data = b'"%b"' % (b"x" * data_size(frame_bytes, kind))
    assert len(wire_format.encode(Event("bench", data), channel)) == frame_bytes
