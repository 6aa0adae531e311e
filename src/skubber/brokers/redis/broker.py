"""The broker of many nodes, over Redis or Valkey."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import structlog
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from skubber.brokers.redis import entries
from skubber.brokers.redis.attendance import Attendance
from skubber.brokers.redis.holdings import Entry, Holdings, Present, SignedIn, Subscribed, Topics
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.pipeline import Command
from skubber.brokers.redis.scripts import CLAIM, FINISH, PUBLISH_KEPT
from skubber.brokers.redis.unavailable import unavailable
from skubber.brokers.redis.wire import (
    TERMINATION_TOPIC,
    decode_event,
    decode_termination,
    encode_event,
    encode_termination,
    keys_of,
    pairs,
)
from skubber.core.broker import (
    KEPT_EVENT_LIFETIME,
    REQUEST_LIFETIME,
    Delivery,
    EarlierRequest,
    Joined,
    KeptEvent,
    Occupancy,
    Upheaval,
)
from skubber.core.channel_name import ChannelKind
from skubber.core.errors import UnavailableError
from skubber.core.event import Event
from skubber.core.presence import PresenceMember

_CLAIMED, _DONE = b"0", b"1"
"""How the value of a request begins; its fingerprint follows."""

_log = structlog.stdlib.get_logger("skubber.brokers")


class RedisBroker:
    """Implements ``Broker`` for nodes that share a Redis, 6 or newer, or a Valkey.

    What a node publishes comes back to it through Redis as to all others, and that is how its own subscribers get it:
    Redis brings what is published on a channel into one order, and every node hands it over in this order.

    Methods start outside of any task, see ``skubber.server.eager``, so they do no more than wait for futures.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``, with user, password and database as redis-py has them.
        lease: seconds after which a node that is silent is lost, with everything it has.

    Raises:
        TypeError, ValueError: the URL is none, or has options that are none.
    """

    def __init__(self, url: str, lease: float = 10) -> None:
        self._delivery: Delivery
        self._holdings = Holdings()
        self._topics = Topics()
        self._asked_for: set[bytes] = set()
        pool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        # It connects to nothing, and refuses what it does not know.
        pool.make_connection()  # type: ignore[no-untyped-call]
        self._attendance = Attendance(
            pool.make_connection, lease, self._holdings, self._topics, self._receive, self._report
        )

    def attach(self, delivery: Delivery) -> None:
        self._delivery = delivery

    @property
    def is_available(self) -> bool:
        return self._attendance.membership is not None

    async def start(self) -> None:
        await self._attendance.start()

    async def stop(self) -> None:
        await self._attendance.stop()

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        membership = self._attendance.membership
        if membership is None:
            for channel in channels:
                self._delivery.deliver(app_id, channel, event, excluded)
            raise unavailable()
        keys = keys_of(app_id)
        payload = encode_event(event, excluded)
        commands: list[Command] = []
        for channel in channels:
            if event.is_kept and "cache-" in channel and ChannelKind.of(channel).is_cache:
                lifetime = KEPT_EVENT_LIFETIME * 1000
                commands.append(PUBLISH_KEPT.call((keys.kept(channel),), payload, lifetime, keys.topic(channel)))
            else:
                commands.append(("PUBLISH", keys.topic(channel), payload))
        await membership.call(*commands)

    async def kept_event(self, app_id: str, channel: str) -> KeptEvent | None:
        membership = self._membership()
        key = keys_of(app_id).kept(channel)
        payload, milliseconds = await membership.call(("GET", key), ("PTTL", key))
        # It was published before: what is on its way on the other connection has to arrive first.
        await membership.feed.catch_up()
        if payload is None or milliseconds <= 0:
            return None
        event, _ = decode_event(payload)
        return KeptEvent(event, milliseconds / 1000)

    async def subscribe(self, app_id: str, channel: str, max_channels: int = 0) -> int | None:
        membership = self._membership()
        entry = Subscribed(app_id, channel)
        await self._listen(membership, entry)
        try:
            node = await membership.enroll(app_id)
            count: int = await self._enter(
                membership.do(entries.subscribe(entry, node, max_channels=max_channels)), entry
            )
        except BaseException:
            self._listen_no_more(entry)
            raise
        if count == -1:
            self._listen_no_more(entry)
            return None
        self._holdings.count(app_id, channel, 1)
        return count

    async def unsubscribe(self, app_id: str, channel: str) -> int | None:
        entry = Subscribed(app_id, channel)
        self._holdings.count(app_id, channel, -1)
        self._listen_no_more(entry)
        left: int = await self._take_back(entry)
        return None if left == -1 else left

    async def join(
        self, app_id: str, channel: str, socket_id: str, member: PresenceMember, max_members: int
    ) -> Joined | None:
        membership = self._membership()
        entry = Present(app_id, channel, socket_id, member.user_id, member.user_info)
        await self._listen(membership, entry)
        try:
            node = await membership.enroll(app_id)
            command = entries.join(entry, node, member, max_members, wants_members=True)
            answer = await self._enter(membership.do(command), entry)
        except BaseException:
            self._listen_no_more(entry)
            raise
        if answer is None or entry in self._holdings.present:
            self._listen_no_more(entry)
        if answer is None:
            return None
        self._holdings.present[entry] = member
        is_first, members = answer
        return Joined(bool(is_first), _members(members))

    async def leave(self, app_id: str, channel: str, socket_id: str, user_id: str) -> bool:
        entry = Present(app_id, channel, socket_id, user_id)
        member = self._holdings.present.pop(entry, None)
        if member is not None:
            entry = Present(app_id, channel, socket_id, user_id, member.user_info)
            self._listen_no_more(entry)
        return bool(await self._take_back(entry))

    async def occupancy(self, app_id: str, channel: str) -> Occupancy:
        keys = keys_of(app_id)
        commands: list[Command] = [("HGET", keys.counts_for(channel), channel)]
        if ChannelKind.of(channel).is_presence:
            commands.append(("HLEN", keys.members(channel)))
        count, *users = await self._membership().call(*commands)
        return Occupancy(int(count or 0), users[0] if users else None)

    async def channels(self, app_id: str, prefix: str) -> Mapping[str, Occupancy]:
        membership = self._membership()
        keys = keys_of(app_id)
        hashes = await membership.call(("HGETALL", keys.counts), ("HGETALL", keys.own_counts))
        counted = [(name.decode(), int(count)) for flat in hashes for name, count in pairs(flat)]
        found = {name: Occupancy(count) for name, count in counted if name.startswith(prefix)}
        with_users = [name for name in found if ChannelKind.of(name).is_presence]
        if with_users:
            numbers = await membership.call(*(("HLEN", keys.members(name)) for name in with_users))
            for name, users in zip(with_users, numbers, strict=True):
                found[name].users = users
        return found

    async def members(self, app_id: str, channel: str) -> Sequence[PresenceMember]:
        return _members(await self._membership().do(("HGETALL", keys_of(app_id).members(channel))))

    async def claim_request(self, app_id: str, key: str, fingerprint: bytes) -> EarlierRequest | None:
        command = CLAIM.call((keys_of(app_id).request(key),), _CLAIMED + fingerprint, REQUEST_LIFETIME)
        earlier: bytes | None = await self._membership().do(command)
        return None if earlier is None else EarlierRequest(earlier[1:], earlier[:1] == _DONE)

    async def finish_request(self, app_id: str, key: str) -> None:
        await self._membership().do(FINISH.call((keys_of(app_id).request(key),), _DONE, REQUEST_LIFETIME))

    async def release_request(self, app_id: str, key: str) -> None:
        await self._membership().do(("DEL", keys_of(app_id).request(key)))

    async def sign_in(self, app_id: str, socket_id: str, user_id: str) -> bool:
        membership = self._membership()
        entry = SignedIn(app_id, socket_id, user_id)
        node = await membership.enroll(app_id)
        is_first = await self._enter(membership.do(entries.sign_in(entry, node)), entry)
        self._holdings.signed_in.add(entry)
        return bool(is_first)

    async def sign_out(self, app_id: str, socket_id: str, user_id: str) -> bool:
        entry = SignedIn(app_id, socket_id, user_id)
        self._holdings.signed_in.discard(entry)
        return bool(await self._take_back(entry))

    async def online(self, app_id: str, user_ids: Sequence[str]) -> Sequence[str]:
        if not user_ids:
            return []
        counts = await self._membership().do(("HMGET", keys_of(app_id).signed_in, *user_ids))
        return [user_id for user_id, count in zip(user_ids, counts, strict=True) if count is not None]

    async def terminate_user(self, app_id: str, user_id: str) -> None:
        membership = self._attendance.membership
        if membership is None:
            self._delivery.terminate(app_id, user_id)
            raise unavailable()
        await membership.do(("PUBLISH", TERMINATION_TOPIC, encode_termination(app_id, user_id)))

    def _membership(self) -> Membership:
        if self._attendance.membership is None:
            raise unavailable()
        return self._attendance.membership

    async def _listen(self, membership: Membership, entry: Subscribed | Present) -> None:
        """Have a channel's events arrive from now on: before anything is entered, lest some are missed."""
        topic, is_first = self._topics.hold(entry.app_id, entry.channel)
        try:
            if is_first:
                self._asked_for.add(topic)
                await membership.feed.subscribe(topic)
                self._asked_for.discard(topic)
            elif topic in self._asked_for:
                await membership.feed.catch_up()
        except BaseException:
            self._listen_no_more(entry)
            raise

    def _listen_no_more(self, entry: Subscribed | Present) -> None:
        topic, is_last = self._topics.release(entry.app_id, entry.channel)
        if is_last:
            self._asked_for.discard(topic)
            if self._attendance.membership is not None:
                self._attendance.membership.feed.unsubscribe(topic)

    async def _enter(self, answer: Awaitable[Any], entry: Entry) -> Any:
        """Wait for an entry to be made."""
        try:
            return await answer
        except asyncio.CancelledError:
            self._holdings.owed.append(entry)  # it is under way, and nobody will know of it
            raise

    async def _take_back(self, entry: Entry) -> Any:
        try:
            membership = self._membership()
            node = keys_of(entry.app_id).of_node(membership.node_id)
            return await membership.do(entries.take_back(entry, node))
        except UnavailableError:
            self._holdings.owed.append(entry)
            raise

    def _receive(self, topic: bytes, payload: bytes) -> None:
        """Hand over what Redis has published; see ``Feed``."""
        try:
            if topic == TERMINATION_TOPIC:
                self._delivery.terminate(*decode_termination(payload))
                return
            place = self._topics.channel(topic)
            if place is not None:
                event, excluded = decode_event(payload)
                self._delivery.deliver(*place, event, excluded)
        except Exception:
            _log.exception("a message of another node could not be delivered")

    def _report(self, app_id: str, upheaval: Upheaval) -> None:
        self._delivery.upheaved(app_id, upheaval)


def _members(flat: list[Any]) -> list[PresenceMember]:
    return [PresenceMember(user_id.decode(), user_info) for user_id, user_info in pairs(flat)]
