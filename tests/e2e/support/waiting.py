"""Waits for what a server says only when it is asked."""

import asyncio

import httpx


async def until_ready_answers(http: httpx.AsyncClient, status: int) -> None:
    """Wait until ``/ready`` has a status."""
    async with asyncio.timeout(10):
        while (await http.get("/ready")).status_code != status:  # noqa: ASYNC110 - it has to be asked
            await asyncio.sleep(0.01)
