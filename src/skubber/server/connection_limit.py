"""How many connections a server may have."""

from dataclasses import dataclass, field
from typing import Any

MOST_TURNED_AWAY = 50
"""Most connections over the limit that may stay until their clients have read why: they take open files, too."""


@dataclass(slots=True)
class ConnectionLimit:
    """The limit, and who is over it.

    Attributes:
        most: most connections at a time, whatever is spoken on them; 0 for no limit.
        turned_away: connections over the limit that are still being told so. They count as none.
        refused: how many connections were over the limit.
    """

    most: int
    turned_away: set[Any] = field(default_factory=set)
    refused: int = 0

    def is_exceeded_by(self, connections: int) -> bool:
        """Whether so many are too many."""
        return 0 < self.most < connections

    def may_linger(self, connection: Any) -> bool:
        """Whether a connection over the limit may stay for a while; if so, it is noted."""
        if len(self.turned_away) >= MOST_TURNED_AWAY:
            return False
        self.turned_away.add(connection)
        return True
