"""What the tests of the API share."""

import pytest

from support.api_client import ApiClient


@pytest.fixture
def client() -> ApiClient:
    """The API, with nobody connected."""
    return ApiClient()
