import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from skubber.store.database import Database
from skubber.store.vault import Vault
from support.webhook_receiver import Receiver
from webhooks.post_office import PostOffice


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A back end."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
async def office(store: tuple[Database, Vault]) -> AsyncIterator[PostOffice]:
    """Queue and delivery on a database, of each kind in turn."""
    office = PostOffice(store[0])
    yield office
    async with asyncio.timeout(20):
        await office.close()
