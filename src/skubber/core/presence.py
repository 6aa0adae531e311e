"""The roster of a presence channel: users, each with one connection or more.

Source: Pusher Channels documentation, "Presence channels". A user with two connections is one member.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class PresenceMember:
    """A user on a presence channel.

    Attributes:
        user_id: unique within the channel.
        user_info: what the application says of the user, as JSON text; ``null`` when it said nothing.
    """

    user_id: str
    user_info: bytes = b"null"


class PresenceRoster:
    """Who is on one presence channel, kept in order of arrival."""

    __slots__ = ("_connections", "_members")

    def __init__(self) -> None:
        self._members: dict[str, PresenceMember] = {}
        self._connections: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._members

    def join(self, socket_id: str, member: PresenceMember) -> bool:
        """Add a connection of ``member``; True when it is the user's first here.

        The ``user_info`` of the first connection stands until the user's last one leaves, as others were told it.
        """
        connections = self._connections.setdefault(member.user_id, set())
        is_first = not connections
        connections.add(socket_id)
        if is_first:
            self._members[member.user_id] = member
        return is_first

    def leave(self, socket_id: str, user_id: str) -> bool:
        """Remove one connection of a user; True when it was the user's last here."""
        connections = self._connections.get(user_id)
        if connections is None or socket_id not in connections:
            return False
        connections.remove(socket_id)
        if connections:
            return False
        del self._connections[user_id], self._members[user_id]
        return True

    def members(self) -> list[PresenceMember]:
        """Everyone present, each user once, in order of arrival."""
        return list(self._members.values())
