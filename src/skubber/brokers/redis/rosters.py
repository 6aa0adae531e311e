"""Who is present, as far as this node's clients have been told: so that they can be told what they have missed."""

from collections.abc import Callable, Collection, Iterable

from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.wire import keys_of, pairs
from skubber.core.event import Event, MemberAdded, MemberRemoved

_AT_ONCE = 100
"""Rosters that are asked for together."""

_Place = tuple[str, str]


class Rosters:
    """The rosters of the presence channels on which this node has members, by app and channel.

    What is published while a node has no connection to Redis does not reach it. Others may have come and gone by the
    time it is back, and its own clients would see the old roster for good.

    Args:
        deliver: tells this node's subscribers of a channel.
    """

    def __init__(self, deliver: Callable[[str, str, Event], None]) -> None:
        self._deliver = deliver
        self._known: dict[_Place, set[str]] = {}
        # What is published between the moment a channel's first member has joined and the moment the roster is here.
        self._since: dict[_Place, list[Event]] = {}
        self._mentioned: set[tuple[_Place, str]] | None = None

    def joined(self, app_id: str, channel: str) -> None:
        """A connection of this node has entered a roster, which is to be shown to it: see ``show``."""
        place = app_id, channel
        if place not in self._known:
            self._since.setdefault(place, [])

    def show(self, app_id: str, channel: str, members: Iterable[str]) -> None:
        """A client is shown a roster. What was published since it was made has arrived."""
        place = app_id, channel
        since = self._since.pop(place, ())
        if place in self._known:
            return
        self._known[place] = set(members)
        for event in since:
            self._take(self._known[place], event)

    def forget(self, app_id: str, channel: str) -> None:
        """Nobody here listens to a channel any more."""
        self._known.pop((app_id, channel), None)
        self._since.pop((app_id, channel), None)

    def is_news(self, app_id: str, channel: str, event: Event) -> bool:
        """Note an event that was published; False if clients know already what it says."""
        if not isinstance(event, MemberAdded | MemberRemoved):
            return True
        place = app_id, channel
        if self._mentioned is not None:
            self._mentioned.add((place, event.user_id or ""))
        known = self._known.get(place)
        if known is not None:
            return self._take(known, event)
        if place in self._since:
            self._since[place].append(event)
        return True

    def begin(self) -> None:
        """Note who is mentioned from now on: what is published is newer than what ``reconcile`` finds out."""
        self._mentioned = set()

    async def reconcile(self, membership: Membership, but: Collection[str] = ()) -> None:
        """Tell clients who has come and gone without their hearing of it.

        Args:
            membership: by which to ask. It has had everything published since ``begin``.
            but: apps of which Redis does not know everything yet.

        Raises:
            UnavailableError: Redis cannot be reached.
        """
        places = [place for place in self._known if place[0] not in but]
        for start in range(0, len(places), _AT_ONCE):
            lot = places[start : start + _AT_ONCE]
            found = await membership.call(*(("HGETALL", keys_of(app_id).members(channel)) for app_id, channel in lot))
            await membership.catch_up()
            for place, flat in zip(lot, found, strict=True):
                self._tell(place, {user_id.decode(): user_info for user_id, user_info in pairs(flat)})
        self._mentioned = None

    def _tell(self, place: _Place, present: dict[str, bytes]) -> None:
        known = self._known.get(place)
        if known is None:
            return
        missed: list[Event] = [MemberRemoved(user_id) for user_id in sorted(known - present.keys())]
        missed += [MemberAdded(user_id, info) for user_id, info in present.items() if user_id not in known]
        mentioned = self._mentioned or set()
        for event in missed:
            if (place, event.user_id) not in mentioned:
                self._take(known, event)
                self._deliver(*place, event)

    @staticmethod
    def _take(known: set[str], event: Event) -> bool:
        """Note who comes and goes; returns whether that is new."""
        user_id = event.user_id or ""
        is_known = user_id in known
        if isinstance(event, MemberAdded):
            known.add(user_id)
            return not is_known
        known.discard(user_id)
        return is_known
