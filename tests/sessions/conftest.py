"""What the tests of the sessions share."""

import pytest

from support.pusher_client import PusherNode


@pytest.fixture
def node() -> PusherNode:
    """A node that lets Pusher clients in, with nobody connected."""
    return PusherNode()
