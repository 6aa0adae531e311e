from dataclasses import FrozenInstanceError, asdict

import pytest

from skubber.core.limits import Limits


def test_the_defaults_are_the_documented_limits_of_pusher() -> None:
    assert asdict(Limits()) == {
        "event_name_length": 200,
        "event_data_bytes": 10_240,
        "channels_per_event": 100,
        "events_per_batch": 10,
        "channel_name_length": 200,
        "presence_members": 100,
        "presence_user_id_length": 128,
        "presence_user_info_bytes": 1024,
        "client_events_per_second": 10,
        "watchlist_users": 100,
        "connections": 0,
        "channels": 0,
        "subscriptions_per_connection": 10_000,
        "messages_per_day": 0,
        "messages_per_second": 0,
        "publishes_per_second": 0,
        "reads_per_second": 0,
    }


def test_limits_do_not_change_under_the_feet_of_an_app() -> None:
    with pytest.raises(FrozenInstanceError):
        Limits().connections = 5  # type: ignore[misc]
