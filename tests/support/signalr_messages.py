"""What SignalR clients say, in both encodings, and what our readers made of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import strategies as st

from skubber.codecs.signalr import HubMessage, HubProtocol
from skubber.codecs.signalr_json import JSON
from skubber.codecs.signalr_messagepack import MESSAGE_PACK

Said = dict[str, Any]
"""A message as the JSON encoding spells it."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXT.filter(lambda name: name != "__proto__")
SAFE_INTEGERS = st.integers(1 - 2**53, 2**53 - 1)
"""Those that JavaScript has."""
FLOATS = st.floats(-(2.0**53), 2.0**53)
"""Those that are the same number when JavaScript writes them without a fraction."""


def values(integers: st.SearchStrategy[int] = SAFE_INTEGERS) -> st.SearchStrategy[Any]:
    """Any JSON."""
    plain = st.none() | st.booleans() | integers | FLOATS | TEXT
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=8,
    )


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
CALLS: dict[str, Any] = {"target": TEXT.filter(bool), "arguments": st.lists(values(), max_size=3)}
MESSAGES: st.SearchStrategy[Said] = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just(1), **CALLS},
        optional={"invocationId": IDS, "streamIds": st.lists(IDS, max_size=2)},
    ),
    st.fixed_dictionaries({"type": st.just(2), "invocationId": IDS, "item": values()}),
    st.fixed_dictionaries({"type": st.just(3), "invocationId": IDS}, optional={"result": values()}),
    st.fixed_dictionaries({"type": st.just(3), "invocationId": IDS, "error": TEXT.filter(bool)}),
    st.fixed_dictionaries(
        {"type": st.just(4), "invocationId": IDS, **CALLS}, optional={"streamIds": st.lists(IDS, max_size=2)}
    ),
    st.fixed_dictionaries({"type": st.just(5), "invocationId": IDS}),
    st.just({"type": 6}),
    st.just({"type": 7}),
    st.fixed_dictionaries({"type": st.sampled_from([8, 9]), "sequenceId": st.integers(0, 2**53 - 1)}),
)

_READ = {
    1: ("invocationId", "target", "arguments", "streamIds"),
    2: ("invocationId",),
    3: ("invocationId",),
    4: ("invocationId", "target", "arguments", "streamIds"),
    5: ("invocationId",),
    7: ("error",),
    8: ("sequenceId",),
    9: ("sequenceId",),
}


def json_record(said: Said) -> bytes:
    """A message in JSON."""
    return json.dumps(said).encode() + b"\x1e"


def with_length(payload: bytes) -> bytes:
    """Something behind its length, as MessagePack messages are."""
    length, prefix = len(payload), b""
    while length > 0x7F:
        prefix += bytes((0x80 | length & 0x7F,))
        length >>= 7
    return prefix + bytes((length,)) + payload


def message_pack(array: Any) -> bytes:
    """An array, or what else is sent in its stead, behind its length."""
    return with_length(msgspec.msgpack.encode(array))


def message_pack_record(said: Said) -> bytes:
    """A message in MessagePack. What it lacks is nil, or is missing where it is the last."""
    kind = said["type"]
    if kind == 3:
        outcome = [1, said["error"]] if "error" in said else [3, said["result"]] if "result" in said else [2]
        return message_pack([3, {}, said.get("invocationId"), *outcome])
    before = [kind, {}] if kind in range(1, 6) else [kind]
    names = (_READ.get(kind, ()) if isinstance(kind, int) else ()) + (("item",) if kind == 2 else ())
    members = [said.get(name) for name in names]
    while members and names[len(members) - 1] not in said:
        members.pop()
    return message_pack([*before, *members])


def reading(message: HubMessage) -> Said:
    """A message as read, in the spelling of what was said, without what says nothing."""
    read = {
        "invocationId": message.invocation_id,
        "target": message.target,
        "arguments": None if message.arguments is None else [json.loads(bytes(each)) for each in message.arguments],
        "streamIds": message.stream_ids,
        "sequenceId": message.sequence_id,
        "error": message.error,
    }
    known = {name: read[name] for name in _READ.get(message.type, ()) if read[name] is not None}
    return {"type": message.type, **known}


def expected(said: Said) -> Said:
    """What a reader should make of a message: results and items of streams are not asked for by anybody."""
    return {name: said[name] for name in ("type", *_READ.get(said["type"], ())) if name in said}


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Some bytes in pieces, cut where it says, as far as they go."""
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


@dataclass(frozen=True)
class Encoding:
    """One of the two encodings.

    Attributes:
        protocol: ours.
        write: a client's.
    """

    protocol: HubProtocol
    write: Callable[[Said], bytes]

    def __repr__(self) -> str:
        return self.protocol.name


ENCODINGS = [Encoding(JSON, json_record), Encoding(MESSAGE_PACK, message_pack_record)]
