"""One app's share of a node: its connections, channels and users."""

from skubber.core.app import App
from skubber.core.channel import Channel
from skubber.core.connection import ClientConnection, Connection


class Namespace:
    """Local state of one app. Empty channels and users are dropped at once.

    Args:
        app: the app.

    Attributes:
        own_channels: how many of the channels come with a sign-in: nobody has asked for them.
    """

    __slots__ = ("_meter", "channels", "connections", "own_channels", "users")

    def __init__(self, app: App) -> None:
        self._meter = app.meter
        self.connections: dict[str, ClientConnection] = {}
        self.channels: dict[str, Channel] = {}
        self.own_channels = 0
        self.users: dict[str, dict[Connection, int]] = {}

    def channel(self, name: str) -> Channel:
        """The channel of that name, made if it is not there."""
        channel = self.channels.get(name)
        if channel is None:
            channel = self.channels[name] = Channel(name, self._meter)
            self.own_channels += name.startswith("#")
        return channel

    def drop_if_empty(self, channel: Channel) -> None:
        """Forget a channel nobody on this node is subscribed to."""
        if not channel and self.channels.pop(channel.name, None) is not None:
            self.own_channels -= channel.name.startswith("#")

    def hold_user(self, user_id: str, connection: Connection) -> None:
        """Note one more reason for which a connection is a user's (a presence channel, a sign-in)."""
        holds = self.users.setdefault(user_id, {})
        holds[connection] = holds.get(connection, 0) + 1

    def release_user(self, user_id: str, connection: Connection) -> None:
        """Take one such reason back."""
        holds = self.users.get(user_id)
        if holds is None or connection not in holds:
            return
        holds[connection] -= 1
        if holds[connection]:
            return
        del holds[connection]
        if not holds:
            del self.users[user_id]
