"""Health and readiness."""

import httpx

from support.apps import make_app
from web.conftest import NewSite


async def test_a_process_that_runs_is_healthy_and_ready_once_it_serves(
    site: httpx.AsyncClient, new_site: NewSite
) -> None:
    assert (await site.get("/health")).json() == {"status": "ok"}
    assert (await site.get("/ready")).json() == {"status": "ready"}
    starting = new_site(make_app(), is_ready=False)
    assert (await starting.get("/health")).status_code == 200
    answer = await starting.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
