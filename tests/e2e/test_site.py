"""The documents as a site, in a browser."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from e2e.support.javascript import JavaScript
from support.site import ROOT, build_site


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""


@pytest.fixture
def site_url(tmp_path: Path) -> Iterator[str]:
    """Where the site is served."""
    result = build_site(ROOT, tmp_path)
    assert result.returncode == 0, result.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


async def test_a_browser_fetches_nothing_from_elsewhere_not_even_to_search(
    site_url: str, quiet_browser: JavaScript
) -> None:
    browser = quiet_browser
    await browser.call("open", page="site", url=f"{site_url}architecture/?q=idempotency")
    await browser.call("wait_for", page="site", selector="img[src$='publish.svg']")
    await browser.call("wait_for", page="site", selector=".md-search-result__link")
    fetched = await browser.call(
        "evaluate", page="site", expression="performance.getEntriesByType('resource').map((each) => each.name)"
    )
    assert f"{site_url}images/publish.svg" in fetched
    assert [address for address in fetched if not address.startswith((site_url, "data:", "blob:"))] == []
