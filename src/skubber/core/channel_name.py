"""Channel names and what their prefixes mean.

Source: Pusher Channels documentation, "Channels" (naming conventions, types) and the shipped SDKs' own checks.
"""

import re
from enum import Enum

from skubber.core.errors import InvalidRequestError

SERVER_TO_USER_PREFIX = "#server-to-user-"
"""On these channels users get their own events; signing in subscribes to them."""

WATCHLIST_PREFIX = "#watchlist-"
"""On these channels, which nobody outside can name, those who watch a user hear of the user's coming and going."""

_NAME = re.compile(r"[A-Za-z0-9_\-=@,.;]+")


class ChannelKind(Enum):
    """What a channel is, told by the prefix of its name.

    The value holds: prefix, needs authorization, has presence, is end-to-end encrypted, remembers its last event.
    """

    # Longest prefixes first: the first that matches is the kind.
    ENCRYPTED_CACHE = ("private-encrypted-cache-", True, False, True, True)
    ENCRYPTED = ("private-encrypted-", True, False, True, False)
    PRIVATE_CACHE = ("private-cache-", True, False, False, True)
    PRIVATE = ("private-", True, False, False, False)
    PRESENCE_CACHE = ("presence-cache-", True, True, False, True)
    PRESENCE = ("presence-", True, True, False, False)
    CACHE = ("cache-", False, False, False, True)
    SERVER_TO_USER = (SERVER_TO_USER_PREFIX, True, False, False, False)
    WATCHLIST = (WATCHLIST_PREFIX, True, False, False, False)
    PUBLIC = ("", False, False, False, False)

    def __init__(self, prefix: str, is_private: bool, is_presence: bool, is_encrypted: bool, is_cache: bool) -> None:
        self.prefix = prefix
        self.is_private = is_private
        self.is_presence = is_presence
        self.is_encrypted = is_encrypted
        self.is_cache = is_cache

    @property
    def takes_client_events(self) -> bool:
        """Whether subscribers may send ``client-`` events: private and presence channels, encrypted ones excepted."""
        return self.is_private and not self.is_encrypted and not self.comes_with_sign_in

    @property
    def announces_count(self) -> bool:
        """Whether subscribers may be told how many they are: presence channels have members to count instead."""
        return not self.is_presence and not self.comes_with_sign_in

    @property
    def comes_with_sign_in(self) -> bool:
        """Whether the server subscribes who signs in, and nobody else."""
        return self is ChannelKind.SERVER_TO_USER or self is ChannelKind.WATCHLIST

    @classmethod
    def of(cls, name: str) -> "ChannelKind":
        """Tell the kind of a channel from its name (any string; validity is ``check_channel_name``'s matter)."""
        if name[:1] not in _FIRST_LETTERS:
            return cls.PUBLIC
        return next(kind for kind in cls if name.startswith(kind.prefix))


_FIRST_LETTERS = frozenset(kind.prefix[0] for kind in ChannelKind if kind.prefix)


def check_channel_name(name: str, max_length: int) -> None:
    """Refuse a name that no channel may have.

    Args:
        name: the name to check.
        max_length: the longest allowed, characters.

    Raises:
        InvalidRequestError: ``invalid_channel_name``.
    """
    if len(name) > max_length:
        raise InvalidRequestError(
            "invalid_channel_name", f"Channel names have at most {max_length} characters; this one has {len(name)}."
        )
    if _NAME.fullmatch(name):
        return
    if name.startswith(SERVER_TO_USER_PREFIX) and len(name) > len(SERVER_TO_USER_PREFIX) and name.isprintable():
        return
    raise InvalidRequestError(
        "invalid_channel_name",
        "Channel names consist of letters, digits and _ - = @ , . ; only, and have at least one character.",
    )
