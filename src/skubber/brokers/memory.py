"""The broker of a single node: everything in this process's memory, nothing ever waits."""

import time
from collections.abc import Callable, Mapping, Sequence

from skubber.brokers.expiring import ExpiringMap
from skubber.brokers.memory_post import MemoryPost
from skubber.core.broker import (
    KEPT_EVENT_LIFETIME,
    REQUEST_LIFETIME,
    BrokerHealth,
    Delivery,
    EarlierRequest,
    Joined,
    KeptEvent,
    Occupancy,
)
from skubber.core.channel_name import WATCHLIST_PREFIX, ChannelKind
from skubber.core.event import Event, MemberAdded, MemberRemoved, UserOffline, UserOnline
from skubber.core.meter import Rate
from skubber.core.presence import PresenceMember, PresenceRoster


class MemoryBroker:
    """Implements ``Broker`` for one process.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._delivery: Delivery
        self._kept_events: ExpiringMap[tuple[str, str], Event] = ExpiringMap(clock, KEPT_EVENT_LIFETIME)
        self._requests: ExpiringMap[tuple[str, str], EarlierRequest] = ExpiringMap(clock, REQUEST_LIFETIME)
        self._signed_in: dict[tuple[str, str], set[str]] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._rosters: dict[tuple[str, str], PresenceRoster] = {}
        self._post = MemoryPost()
        self._health = BrokerHealth()

    def attach(self, delivery: Delivery) -> None:
        self._delivery = delivery

    @property
    def is_available(self) -> bool:
        return True

    @property
    def health(self) -> BrokerHealth:
        return self._health

    @property
    def post(self) -> MemoryPost:
        return self._post

    async def start(self) -> None:
        """There is nothing to get ready."""

    async def stop(self) -> None:
        """There is nothing to let go of."""

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        deliver = self._delivery.deliver
        for channel in channels:
            # Looking for the word alone is quicker than telling the kind, and most channels do not have it.
            if event.is_kept and "cache-" in channel and ChannelKind.of(channel).is_cache:
                self._kept_events.put((app_id, channel), event.copy())
            deliver(app_id, channel, event, excluded)

    async def kept_event(self, app_id: str, channel: str) -> KeptEvent | None:
        kept = self._kept_events.get((app_id, channel))
        return None if kept is None else KeptEvent(*kept)

    async def claim_request(self, app_id: str, key: str, fingerprint: bytes) -> EarlierRequest | None:
        earlier = self._requests.get((app_id, key))
        if earlier is not None:
            return earlier[0]
        self._requests.put((app_id, key), EarlierRequest(fingerprint, is_done=False))
        return None

    async def finish_request(self, app_id: str, key: str) -> None:
        claimed = self._requests.get((app_id, key))
        if claimed is not None:
            self._requests.put((app_id, key), EarlierRequest(claimed[0].fingerprint, is_done=True))

    async def release_request(self, app_id: str, key: str) -> None:
        self._requests.drop((app_id, key))

    async def connect(self, app_id: str, max_connections: int) -> bool:
        return True  # there are no others

    async def disconnect(self, app_id: str) -> None:
        """Nothing was counted."""

    async def take(self, app_id: str, rate: Rate, count: int, limit: int) -> bool:
        return True  # there are no others

    async def subscribe(self, app_id: str, channel: str, max_channels: int = 0) -> int | None:
        counts = self._counts.get(app_id, {})
        count = counts.get(channel, 0) + 1
        if max_channels and count == 1 and not channel.startswith("#") and self._occupied(counts) >= max_channels:
            return None
        self._counts[app_id] = counts
        counts[channel] = count
        return count

    async def unsubscribe(self, app_id: str, channel: str) -> int | None:
        counts = self._counts[app_id]
        count = counts[channel] - 1
        if count:
            counts[channel] = count
            return count
        del counts[channel]
        if not counts:
            del self._counts[app_id]
        return 0

    async def join(
        self, app_id: str, channel: str, socket_id: str, member: PresenceMember, max_members: int
    ) -> Joined | None:
        roster = self._rosters.get((app_id, channel)) or PresenceRoster()
        if member.user_id not in roster and len(roster) >= max_members:
            return None
        self._rosters[app_id, channel] = roster
        is_first = roster.join(socket_id, member)
        self._delivery.joined(app_id, channel, socket_id)
        if is_first:
            self._delivery.deliver(app_id, channel, MemberAdded(member.user_id, member.user_info), socket_id)
        return Joined(is_first, roster.members())

    async def leave(self, app_id: str, channel: str, socket_id: str, user_id: str) -> bool:
        roster = self._rosters.get((app_id, channel))
        if roster is None:
            return False
        is_last = roster.leave(socket_id, user_id)
        if not roster:
            del self._rosters[app_id, channel]
        if is_last:
            self._delivery.deliver(app_id, channel, MemberRemoved(user_id), socket_id)
        return is_last

    async def occupancy(self, app_id: str, channel: str) -> Occupancy:
        count = self._counts.get(app_id, {}).get(channel, 0)
        return Occupancy(count, self._users(app_id, channel))

    async def channels(self, app_id: str, prefix: str) -> Mapping[str, Occupancy]:
        return {
            channel: Occupancy(count, self._users(app_id, channel))
            for channel, count in self._counts.get(app_id, {}).items()
            if channel.startswith(prefix)
        }

    async def members(self, app_id: str, channel: str) -> Sequence[PresenceMember]:
        roster = self._rosters.get((app_id, channel))
        return roster.members() if roster else ()

    async def sign_in(self, app_id: str, socket_id: str, user_id: str) -> bool:
        connections = self._signed_in.setdefault((app_id, user_id), set())
        connections.add(socket_id)
        is_first = len(connections) == 1
        if is_first:
            self._delivery.deliver(app_id, WATCHLIST_PREFIX + user_id, UserOnline(user_id), None)
        return is_first

    async def sign_out(self, app_id: str, socket_id: str, user_id: str) -> bool:
        connections = self._signed_in.get((app_id, user_id))
        if connections is None or socket_id not in connections:
            return False
        connections.remove(socket_id)
        if connections:
            return False
        del self._signed_in[app_id, user_id]
        self._delivery.deliver(app_id, WATCHLIST_PREFIX + user_id, UserOffline(user_id), None)
        return True

    async def online(self, app_id: str, user_ids: Sequence[str]) -> Sequence[str]:
        return [user_id for user_id in user_ids if (app_id, user_id) in self._signed_in]

    async def terminate_user(self, app_id: str, user_id: str) -> None:
        self._delivery.terminate(app_id, user_id)

    @staticmethod
    def _occupied(counts: Mapping[str, int]) -> int:
        """How many channels count against the limit. Only asked when a channel becomes occupied in a limited app."""
        return sum(not channel.startswith("#") for channel in counts)

    def _users(self, app_id: str, channel: str) -> int | None:
        if not ChannelKind.of(channel).is_presence:
            return None
        return len(self._rosters.get((app_id, channel), ()))
