"""The broker of many nodes, over Redis or Valkey."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import structlog

from skubber.brokers.redis import entries
from skubber.brokers.redis.address import parse_address
from skubber.brokers.redis.attendance import Attendance
from skubber.brokers.redis.holdings import Entry, Holdings, Present, SignedIn, Subscribed, Topics
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.pipeline import Command
from skubber.brokers.redis.post import TOPIC_PREFIX, RedisPost
from skubber.brokers.redis.rosters import Rosters
from skubber.brokers.redis.scripts import CLAIM, FINISH, PUBLISH_KEPT, TAKE
from skubber.brokers.redis.unavailable import unavailable
from skubber.brokers.redis.wire import (
    CONNECTIONS,
    JOINED_MARK,
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
    BrokerHealth,
    Delivery,
    EarlierRequest,
    Joined,
    KeptEvent,
    Occupancy,
    Upheaval,
)
from skubber.core.channel_name import ChannelKind
from skubber.core.errors import UnavailableError
from skubber.core.event import Event, MemberAdded
from skubber.core.meter import Rate
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
        url: where Redis is; see ``parse_address``.
        lease: seconds after which a node that is silent is lost, with everything it has.
        publishes_alone: whether it is no error to publish for this node alone, while Redis cannot be reached.

    Raises:
        TypeError, ValueError: the URL is none, or has options that are none.
    """

    def __init__(self, url: str, lease: float = 10, *, publishes_alone: bool = False) -> None:
        self._delivery: Delivery
        self._publishes_alone = publishes_alone
        self._holdings = Holdings()
        self._topics = Topics()
        self._rosters = Rosters(lambda app_id, channel, event: self._delivery.deliver(app_id, channel, event, None))
        self._joining: set[tuple[str, str, str]] = set()
        self._asked_for: set[bytes] = set()
        self._attendance = Attendance(
            parse_address(url), lease, self._holdings, self._topics, self._rosters, self._receive, self._report
        )
        self._post = RedisPost(self._topics, lambda: self._attendance.membership)

    def attach(self, delivery: Delivery) -> None:
        self._delivery = delivery

    @property
    def is_available(self) -> bool:
        return self._attendance.membership is not None

    @property
    def health(self) -> BrokerHealth:
        return self._attendance.health

    @property
    def post(self) -> RedisPost:
        return self._post

    async def start(self) -> None:
        await self._attendance.start()

    async def stop(self) -> None:
        self._post.close()
        await self._attendance.stop()

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        membership = self._attendance.membership
        if membership is None:
            for channel in channels:
                self._delivery.deliver(app_id, channel, event, excluded)
            if self._publishes_alone:
                return
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
        await membership.feed(keys_of(app_id).topic(channel)).catch_up()
        if payload is None or milliseconds <= 0:
            return None
        event, _ = decode_event(payload)
        return KeptEvent(event, milliseconds / 1000)

    async def connect(self, app_id: str, max_connections: int) -> bool:
        membership = self._membership()
        entry = Subscribed(app_id, CONNECTIONS)
        node = await membership.enroll(app_id)
        count = await self._enter(membership.do(entries.subscribe(entry, node, most=max_connections)), entry)
        if count == -1:
            return False
        self._holdings.count(app_id, CONNECTIONS, 1)
        return True

    async def disconnect(self, app_id: str) -> None:
        self._holdings.count(app_id, CONNECTIONS, -1)
        await self._take_back(Subscribed(app_id, CONNECTIONS))

    async def take(self, app_id: str, rate: Rate, count: int, limit: int) -> bool:
        try:
            return bool(await self._membership().do(TAKE.call((keys_of(app_id).rate(rate.value),), count, limit)))
        except UnavailableError:
            return True

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
        place = app_id, channel, socket_id
        self._joining.add(place)
        try:
            node = await membership.enroll(app_id)
            command = entries.join(entry, node, member, max_members, wants_members=True)
            answer = await self._enter(self._do_and_catch_up(membership, command, entry), entry)
        except BaseException:
            self._listen_no_more(entry)
            raise
        finally:
            self._joining.discard(place)
        if answer is None or entry in self._holdings.present:
            self._listen_no_more(entry)
        if answer is None:
            return None
        self._holdings.present[entry] = member
        is_first, flat = answer
        members = _members(flat)
        self._rosters.show(app_id, channel, (each.user_id for each in members))
        return Joined(bool(is_first), members)

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
        found = {name: Occupancy(count) for name, count in counted if name.startswith(prefix) and name != CONNECTIONS}
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
                await membership.feed(topic).subscribe(topic)
                self._asked_for.discard(topic)
            elif topic in self._asked_for:
                await membership.feed(topic).catch_up()
        except BaseException:
            self._listen_no_more(entry)
            raise

    async def _do_and_catch_up(self, membership: Membership, command: Command, entry: Present) -> Any:
        answer = await membership.do(command)
        # What was published before is on its way on another connection, and must not be taken for news.
        await membership.feed(keys_of(entry.app_id).topic(entry.channel)).catch_up()
        return answer

    def _listen_no_more(self, entry: Subscribed | Present) -> None:
        topic, is_last = self._topics.release(entry.app_id, entry.channel)
        if is_last:
            self._rosters.forget(entry.app_id, entry.channel)
            self._asked_for.discard(topic)
            if self._attendance.membership is not None:
                self._attendance.membership.feed(topic).unsubscribe(topic)

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
            if topic.startswith(TOPIC_PREFIX):
                self._post.receive(topic, payload)
                return
            place = self._topics.channel(topic)
            if place is not None:
                self._deliver(*place, payload)
        except Exception:
            _log.exception("a message of another node could not be delivered")

    def _deliver(self, app_id: str, channel: str, payload: bytes) -> None:
        if payload[:1] == JOINED_MARK:
            self._joined(app_id, channel, payload[1:].decode())
            return
        event, excluded = decode_event(payload)
        if excluded is not None and isinstance(event, MemberAdded):
            self._joined(app_id, channel, excluded)
        if self._rosters.is_news(app_id, channel, event):
            self._delivery.deliver(app_id, channel, event, excluded)

    def _joined(self, app_id: str, channel: str, socket_id: str) -> None:
        if (app_id, channel, socket_id) in self._joining:
            self._rosters.joined(app_id, channel)
            self._delivery.joined(app_id, channel, socket_id)

    def _report(self, app_id: str, upheaval: Upheaval) -> None:
        self._delivery.upheaved(app_id, upheaval)


def _members(flat: list[Any]) -> list[PresenceMember]:
    return [PresenceMember(user_id.decode(), user_info) for user_id, user_info in pairs(flat)]
