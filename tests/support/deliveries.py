"""Looking at deliveries and dead letters, and acting on them, each in a transaction of its own."""

from collections.abc import Sequence

from skubber.store import deliveries
from skubber.store.database import Database
from skubber.store.deliveries import Backlog, DeadLetter, EndpointStatus


async def backlog(database: Database) -> Backlog:
    async with database.reading() as connection:
        return await deliveries.backlog(connection)


async def endpoint_status(database: Database, endpoint_id: str) -> EndpointStatus:
    async with database.reading() as connection:
        return await deliveries.endpoint_status(connection, endpoint_id)


async def list_dead_letters(
    database: Database, endpoint_id: str, *, after: int = 0, limit: int = 100
) -> Sequence[DeadLetter]:
    async with database.reading() as connection:
        return await deliveries.list_dead_letters(connection, endpoint_id, after=after, limit=limit)


async def replay_dead_letters(
    database: Database, endpoint_id: str, now: float, ids: Sequence[int] | None = None
) -> int:
    async with database.writing() as connection:
        return await deliveries.replay_dead_letters(connection, endpoint_id, now, ids)


async def delete_dead_letters(database: Database, endpoint_id: str, ids: Sequence[int] | None = None) -> int:
    async with database.writing() as connection:
        return await deliveries.delete_dead_letters(connection, endpoint_id, ids)


async def forget_endpoint(database: Database, endpoint_id: str) -> None:
    async with database.writing() as connection:
        await deliveries.forget_endpoint(connection, endpoint_id)
