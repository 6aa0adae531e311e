"""The log of attempts at webhook endpoints."""

from skubber.store.attempts import KEPT_ATTEMPTS, Attempt, list_attempts, note_unqueued_attempt
from skubber.store.database import Database
from skubber.store.deliveries import endpoint_status, forget_endpoint
from skubber.store.vault import Vault


def attempt(at: int) -> Attempt:
    return Attempt(at, at % 2 == 0, f"The answer was {at}.", 3, 2, ["channel_occupied", "cache_miss"])


async def write(database: Database, endpoint_id: str, *times: int) -> None:
    async with database.writing() as connection:
        for at in times:
            await note_unqueued_attempt(connection, endpoint_id, attempt(at))


async def read(database: Database, endpoint_id: str, limit: int = 1000, before: int | None = None) -> list[int]:
    """The times of the attempts that are kept."""
    async with database.reading() as connection:
        found = await list_attempts(connection, endpoint_id, limit=limit, before=before)
    assert all(each == attempt(each.at) for _, each in found)
    return [each.at for _, each in found]


async def test_the_last_attempts_of_each_endpoint_are_kept_the_newest_first(store: tuple[Database, Vault]) -> None:
    database, _ = store
    await write(database, "other", 1, 2)
    times = range(KEPT_ATTEMPTS + 30)
    await write(database, "hook", *times)
    assert await read(database, "hook") == [*reversed(times)][:KEPT_ATTEMPTS]
    assert await read(database, "other") == [2, 1]


async def test_pages_follow_each_other(store: tuple[Database, Vault]) -> None:
    database, _ = store
    await write(database, "hook", *range(5))
    async with database.reading() as connection:
        found = await list_attempts(connection, "hook", limit=2)
    assert await read(database, "hook", 2, before=found[-1][0]) == [2, 1]


async def test_an_attempt_that_nothing_waited_for_changes_nothing_else(store: tuple[Database, Vault]) -> None:
    database, _ = store
    await write(database, "hook", 1)
    async with database.reading() as connection:
        status = await endpoint_status(connection, "hook")
    assert (status.failures, status.retry_at, status.last_attempt_at, status.last_outcome) == (0, 0, None, None)


async def test_an_endpoint_that_is_forgotten_leaves_no_attempts(store: tuple[Database, Vault]) -> None:
    database, _ = store
    await write(database, "hook", 1)
    await write(database, "other", 1)
    async with database.writing() as connection:
        await forget_endpoint(connection, "hook")
    assert await read(database, "hook") == []
    assert await read(database, "other") == [1]
