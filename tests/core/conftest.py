"""What the tests of the core share."""

import pytest

from support.node import Node


@pytest.fixture
def node() -> Node:
    """A node without a limit on connections."""
    return Node()
