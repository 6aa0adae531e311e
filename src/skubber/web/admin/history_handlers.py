"""What answers how the server fares. The first line of a docstring is in the OpenAPI document."""

import asyncio
import time
from collections.abc import AsyncIterator

from skubber.core.errors import InvalidRequestError
from skubber.history.history import Grain, History
from skubber.history.live import LiveSample
from skubber.history.sample import SERVER
from skubber.web.admin.call import AdminCall

_PAUSE = 0.1
"""Seconds behind the full one at which nodes are asked: by then each has taken its sample."""


async def read_history(call: AdminCall) -> History:
    """By the second the last hour, by the hour the last 31 days; of the whole server, or of one app."""
    grain = call.query.get("grain", Grain.SECOND)
    if grain not in {*Grain}:
        raise InvalidRequestError("invalid_query", f"grain is one of {', '.join(Grain)}.")
    return await call.services.read_history(Grain(grain), await _app(call))


async def watch_live(call: AdminCall) -> AsyncIterator[LiveSample]:
    """Each second one event `sample`: of the whole server, or of one app, all nodes together."""
    return _samples(call, await _app(call))


async def _samples(call: AdminCall, app_id: str) -> AsyncIterator[LiveSample]:
    while True:
        yield await call.services.take_live(app_id)
        await asyncio.sleep(1 + _PAUSE - time.time() % 1)


async def _app(call: AdminCall) -> str:
    """The app that is asked about, which must be there."""
    app_id = call.query.get("appId")
    return SERVER if app_id is None else (await call.administration.apps.show(app_id)).id
