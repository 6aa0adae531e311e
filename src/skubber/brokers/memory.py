"""The broker of a single node: everything in this process's memory, nothing ever waits."""

from collections.abc import Mapping, Sequence

from skubber.core.broker import Delivery, Joined, Occupancy
from skubber.core.channel_name import ChannelKind
from skubber.core.event import Event
from skubber.core.presence import PresenceMember, PresenceRoster


class MemoryBroker:
    """Implements ``Broker`` for one process."""

    def __init__(self) -> None:
        self._delivery: Delivery
        self._counts: dict[str, dict[str, int]] = {}
        self._rosters: dict[tuple[str, str], PresenceRoster] = {}

    def attach(self, delivery: Delivery) -> None:
        self._delivery = delivery

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        deliver = self._delivery.deliver
        for channel in channels:
            deliver(app_id, channel, event, excluded)

    async def subscribe(self, app_id: str, channel: str) -> int:
        counts = self._counts.setdefault(app_id, {})
        counts[channel] = count = counts.get(channel, 0) + 1
        return count

    async def unsubscribe(self, app_id: str, channel: str) -> int:
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
        return Joined(is_first, roster.members())

    async def leave(self, app_id: str, channel: str, socket_id: str, user_id: str) -> bool:
        roster = self._rosters.get((app_id, channel))
        if roster is None:
            return False
        is_last = roster.leave(socket_id, user_id)
        if not roster:
            del self._rosters[app_id, channel]
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

    async def terminate_user(self, app_id: str, user_id: str) -> None:
        self._delivery.terminate(app_id, user_id)

    def _users(self, app_id: str, channel: str) -> int | None:
        if not ChannelKind.of(channel).is_presence:
            return None
        return len(self._rosters.get((app_id, channel), ()))
