"""What is not there, or not so, is said in the shape of the API's errors."""

import httpx
import pytest

from support.apps import make_app
from web.conftest import NewSite


def error(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, which must be JSON and come with a sentence."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"code", "error"}
    assert body["error"].endswith(".")
    return response.status_code, body["code"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/nothing", "/demo/nothing", "/docs/nothing", "/app", "/%00"])
async def test_an_unknown_path_is_not_found(site: httpx.AsyncClient, method: str, path: str) -> None:
    assert error(await site.request(method, path)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/assets/nothing.js", "/assets/", "/assets/swagger-ui/nothing.js"])
async def test_an_unknown_asset_is_not_found(site: httpx.AsyncClient, path: str) -> None:
    assert error(await site.get(path)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/", "/demo", "/demo/app.json", "/docs", "/docs/openapi.json", "/assets/demo.js"])
async def test_pages_are_only_read(site: httpx.AsyncClient, path: str) -> None:
    response = await site.post(path)
    assert error(response) == (405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD"


async def test_a_failure_of_the_server_shows_nothing_of_it(new_site: NewSite) -> None:
    class Fickle:
        def __bool__(self) -> bool:
            raise RuntimeError("a secret detail")

    response = await new_site(make_app(), is_ready=Fickle()).get("/ready")
    assert error(response) == (500, "internal_error")
    assert "secret" not in response.text
