"""What the tests of SignalR sessions share."""

import pytest

from support.signalr_client import SignalRNode


@pytest.fixture
def node() -> SignalRNode:
    """A node that lets SignalR clients in, with nobody connected."""
    return SignalRNode()
