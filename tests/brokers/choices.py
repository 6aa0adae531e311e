"""What a client, or a back end, might do next."""

from collections.abc import Collection, Sequence
from random import Random
from typing import TypeVar

from brokers.model import Client, Held
from brokers.operations import (
    Claim,
    Finish,
    Join,
    KeptEvent,
    Members,
    Online,
    Operation,
    Publish,
    Release,
    SignIn,
    Subscribe,
    TakeBack,
    Terminate,
)
from skubber.core.channel_name import WATCHLIST_PREFIX

PRESENCE_CHANNELS = ("presence-c", "presence-cache-d")
CACHE_CHANNELS = ("cache-b", "presence-cache-d")
CHANNELS = ("a", "cache-b", *PRESENCE_CHANNELS, WATCHLIST_PREFIX + "ada")
USERS = ("ada", "bob", "eve")

Option = TypeVar("Option")


class Choice:
    """Chooses among what is possible at a time, by a number that Hypothesis draws.

    It does not draw each choice by itself: what is possible may depend on who was quicker, and it would not have that.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def up_to(self, most: int) -> int:
        """A number, which may be 0."""
        return self._random.randint(0, most)

    def of(self, options: Collection[Option]) -> Option:
        """One of them."""
        return [*options][self.up_to(len(options) - 1)]

    def some_of(self, options: Collection[Option], fewest: int, most: int) -> list[Option]:
        """Some of them, in any order, each once."""
        left = [*options]
        number = min(len(left), fewest + self.up_to(most - fewest))
        return [left.pop(self.up_to(len(left) - 1)) for _ in range(number)]


def operation_of_client(choice: Choice, client: Client, has: Sequence[Held]) -> Operation:
    """What a connection may do that has certain things."""
    free = [channel for channel in CHANNELS if Held(client, channel) not in has]
    absent = [
        channel for channel in PRESENCE_CHANNELS if not any(each.user and each.channel == channel for each in has)
    ]
    is_signed_in = any(not held.channel for held in has)
    kind = choice.of(
        ["take back"] * 3 * bool(has)
        + ["subscribe"] * bool(free)
        + ["join"] * 2 * bool(absent)
        + ["sign in"] * (not is_signed_in)
    )
    if kind == "take back":
        return TakeBack(client, choice.of(has))
    if kind == "subscribe":
        return Subscribe(client, Held(client, choice.of(free)), choice.up_to(3))
    user = choice.of(USERS)
    if kind == "join":
        return Join(client, Held(client, choice.of(absent), user), 1 + choice.up_to(2), choice.of((b"1", b"2")))
    return SignIn(client, Held(client, user=user))


def operation_on_node(choice: Choice, node: int, name: str, most_channels: int) -> Operation:
    """What a back end may ask a node for."""
    key = choice.of(("k", "l"))
    make = choice.of(
        (
            lambda: Publish(
                node,
                tuple(choice.some_of(CHANNELS, 1, most_channels)),
                name,
                is_kept=choice.of((True, False)),
                excluded=choice.of((None, "0.0")),
            ),
            lambda: Publish(node, ("cache-b",), name, is_kept=True, excluded=None),
            lambda: KeptEvent(node, choice.of(CACHE_CHANNELS)),
            lambda: Members(node, choice.of(PRESENCE_CHANNELS)),
            lambda: Online(node, tuple(choice.some_of(USERS, 0, 3))),
            lambda: Claim(node, key, choice.of((b"one", b"two"))),
            lambda: Finish(node, key),
            lambda: Release(node, key),
            lambda: Terminate(node, choice.of(USERS)),
        )
    )
    return make()
