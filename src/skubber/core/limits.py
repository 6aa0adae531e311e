"""The numbers a plan may set; the defaults are the documented limits of Pusher Channels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one app.

    Attributes:
        event_name_length: longest event name, characters.
        event_data_bytes: largest event ``data``, bytes of UTF-8.
        channels_per_event: most channels one publish may name.
        events_per_batch: most events in one batch.
        channel_name_length: longest channel name, characters. Pusher documents 164 while its SDKs send up to 200.
        presence_members: most distinct users on one presence channel.
        presence_user_id_length: longest presence ``user_id``, characters.
        presence_user_info_bytes: largest presence ``user_info``, bytes of JSON.
        client_events_per_second: most client events one connection may send in a second.
        watchlist_users: most users on a watchlist.
        connections: most simultaneous connections of the app; 0 means no limit, as for all that follow.
        channels: most channels occupied at a time.
        subscriptions_per_connection: most channels a connection may be subscribed to, what a sign-in brings included.
        messages_per_day: most messages from midnight to midnight (UTC), published and delivered ones together.
        messages_per_second: most messages published in a second, client events included.
        publishes_per_second: most requests that publish in a second.
        reads_per_second: most other requests to the HTTP API in a second.
    """

    event_name_length: int = 200
    event_data_bytes: int = 10_240
    channels_per_event: int = 100
    events_per_batch: int = 10
    channel_name_length: int = 200
    presence_members: int = 100
    presence_user_id_length: int = 128
    presence_user_info_bytes: int = 1024
    client_events_per_second: int = 10
    watchlist_users: int = 100
    connections: int = 0
    channels: int = 0
    subscriptions_per_connection: int = 10_000
    messages_per_day: int = 0
    messages_per_second: int = 0
    publishes_per_second: int = 0
    reads_per_second: int = 0
