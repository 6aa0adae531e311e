"""How what a connection has is entered in Redis and taken back."""

from typing import Any

from skubber.brokers.redis.holdings import Entry, Present, SignedIn, Subscribed
from skubber.brokers.redis.pipeline import Command
from skubber.brokers.redis.scripts import JOIN, LEAVE, SIGN_IN, SIGN_OUT, SUBSCRIBE, UNSUBSCRIBE
from skubber.brokers.redis.wire import (
    JOINED_MARK,
    MEMBER_REMOVED_MARK,
    OFFLINE_MARK,
    NodeKeys,
    encode_event,
    keys_of,
    presence_entry,
    sign_in_entry,
)
from skubber.core.broker import Upheaval
from skubber.core.channel_name import WATCHLIST_PREFIX
from skubber.core.event import MemberAdded, UserOnline
from skubber.core.presence import PresenceMember

NO_LIMIT = 2**31
"""More members than any channel has."""


def subscribe(entry: Subscribed, node: NodeKeys, more: int = 1, max_channels: int = 0, most: int = 0) -> Command:
    """Count subscriptions, of which there are to be ``most``; 0 means no limit."""
    keys = (keys_of(entry.app_id).counts_for(entry.channel), node.counts, node.gone)
    return SUBSCRIBE.call(keys, entry.channel, more, 0 if entry.channel.startswith("#") else max_channels, most)


def join(
    entry: Present,
    node: NodeKeys,
    member: PresenceMember,
    max_members: int = NO_LIMIT,
    *,
    is_told: bool = True,
    wants_members: bool = False,
) -> Command:
    """Enter a member's connection."""
    app = keys_of(entry.app_id)
    keys = (app.members(entry.channel), app.connections(entry.channel), node.present, node.gone)
    news = encode_event(MemberAdded(member.user_id, member.user_info), entry.socket_id) if is_told else b""
    return JOIN.call(
        keys,
        presence_entry(entry.channel, entry.socket_id, entry.user_id),
        member.user_id,
        member.user_info,
        max_members,
        app.topic(entry.channel),
        news,
        JOINED_MARK + entry.socket_id.encode() if wants_members else b"",
    )


def sign_in(entry: SignedIn, node: NodeKeys, *, is_told: bool = True) -> Command:
    """Enter a user's connection."""
    app = keys_of(entry.app_id)
    return SIGN_IN.call(
        (app.signed_in, node.signed_in, node.gone),
        sign_in_entry(entry.socket_id, entry.user_id),
        entry.user_id,
        app.topic(WATCHLIST_PREFIX + entry.user_id),
        encode_event(UserOnline(entry.user_id), None) if is_told else b"",
    )


def take_back(entry: Entry, node: NodeKeys) -> Command:
    """Take an entry back."""
    app = keys_of(entry.app_id)
    if isinstance(entry, Subscribed):
        return UNSUBSCRIBE.call((app.counts_for(entry.channel), node.counts), entry.channel)
    user = entry.user_id.encode()
    if isinstance(entry, Present):
        keys = (app.members(entry.channel), app.connections(entry.channel), node.present)
        connection = presence_entry(entry.channel, entry.socket_id, entry.user_id)
        return LEAVE.call(keys, connection, user, app.topic(entry.channel), MEMBER_REMOVED_MARK + user)
    topic = app.topic(WATCHLIST_PREFIX + entry.user_id)
    return SIGN_OUT.call(
        (app.signed_in, node.signed_in), sign_in_entry(entry.socket_id, entry.user_id), user, topic, OFFLINE_MARK + user
    )


def note_taken_back(entry: Entry, upheaval: Upheaval, answer: int) -> None:
    """Note what changed when an entry was taken back."""
    if isinstance(entry, Subscribed):
        if answer >= 0 and not entry.channel.startswith("#"):
            upheaval.counts[entry.channel] = answer
    elif isinstance(entry, Present) and answer:
        upheaval.departed.append((entry.channel, entry.user_id))


def note_entered(entry: Entry, count: int, upheaval: Upheaval, answer: Any) -> None:
    """Note what changed when an entry was made; ``count`` is how many subscriptions it stands for."""
    if isinstance(entry, Subscribed):
        if entry.channel.startswith("#"):
            return
        upheaval.counts[entry.channel] = answer
        if answer == count:
            upheaval.occupied.append(entry.channel)
    elif isinstance(entry, Present) and answer[0]:
        upheaval.arrived.append((entry.channel, entry.user_id))
