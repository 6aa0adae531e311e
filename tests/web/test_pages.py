"""The pages and their assets: where they are, what protects them, and whom they tell the demo app's secret."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from skubber import web
from skubber.web import pages
from support.apps import KEY, SECRET, make_app
from web.conftest import NewSite, demo_app

ASSETS = Path(web.__file__).parent / "assets"

PAGES = ["/demo", "/docs", "/docs/realtime"]
DEMO = {"id": "demo", "key": KEY, "secret": SECRET}


def script() -> str | None:
    """Where Microsoft's client is, if this checkout has it."""
    name = "vendor/signalr.min.js"
    return f"/assets/{name}" if (ASSETS / name).is_file() else None


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labels_open = 0
        self.unlabelled: list[str | None] = []
        self.script = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.labels_open += tag == "label"
        if tag in {"input", "textarea", "select"} and not self.labels_open:
            self.unlabelled.append(dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        self.labels_open -= tag == "label"

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in {"script", "style"}:
            self.script += data.strip()

    @property
    def references(self) -> list[str]:
        """All it links to and loads."""
        return [value for _, attributes in self.tags for name in ("src", "href") if (value := attributes.get(name))]


async def test_the_root_leads_to_the_demo(site: httpx.AsyncClient) -> None:
    response = await site.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/demo")


async def test_a_browser_finds_an_icon_where_no_page_names_one(site: httpx.AsyncClient) -> None:
    response = await site.get("/favicon.ico", follow_redirects=True)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("path", PAGES)
async def test_everything_a_page_refers_to_is_there(site: httpx.AsyncClient, path: str) -> None:
    references = Page((await site.get(path)).text).references
    assert references
    for reference in references:
        if reference.startswith("#"):
            continue
        assert reference.startswith("/"), "another site"
        assert (await site.get(reference, follow_redirects=True)).status_code == 200, reference


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_no_script_or_style_within(site: httpx.AsyncClient, path: str) -> None:
    page = Page((await site.get(path)).text)
    assert page.script == ""
    assert not [name for _, attributes in page.tags for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
async def test_every_field_has_a_label(site: httpx.AsyncClient, path: str) -> None:
    assert Page((await site.get(path)).text).unlabelled == []


@pytest.mark.parametrize("asset", sorted(path.name for path in ASSETS.iterdir() if path.is_file()))
async def test_no_asset_refers_to_another_site(asset: str) -> None:
    text = (ASSETS / asset).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"\w+://[\w.]+", text) == []


async def test_imported_modules_are_there(site: httpx.AsyncClient) -> None:
    imports = {name for path in ASSETS.glob("*.js") for name in re.findall(r'from "\./(.+?)"', path.read_text("utf-8"))}
    assert {"pusher_client.js", "md5.js"} <= imports
    for name in imports:
        response = await site.get(f"/assets/{name}")
        assert response.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/demo/app.json",
        "/docs/openapi.json",
        "/docs/asyncapi.json",
        "/assets/demo.js",
        "/assets/swagger-ui/swagger-ui.css",
    ],
)
async def test_pages_and_assets_come_with_a_strict_policy(site: httpx.AsyncClient, path: str) -> None:
    headers = (await site.get(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


async def test_an_asset_that_has_not_changed_is_not_sent_again(site: httpx.AsyncClient) -> None:
    first = await site.get("/assets/demo.js")
    assert first.headers["cache-control"] == "no-cache"
    again = await site.get("/assets/demo.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/swagger-ui/swagger-editor.js",
        "/assets/swagger-ui/oauth2-redirect.html",
        "/assets/swagger-ui/../pages.py",
        "/assets/..%2fpages.py",
        "/assets/%2e%2e/pages.py",
    ],
)
async def test_no_other_file_is_served(site: httpx.AsyncClient, path: str) -> None:
    assert (await site.get(path)).status_code == 404


async def test_the_demo_apps_secret_is_given_to_its_pages_and_kept_nowhere(demo_site: httpx.AsyncClient) -> None:
    response = await demo_site.get("/demo/app.json")
    assert response.json() == {"app": DEMO, "is_exposed": False, "signalr_script": script()}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/docs/openapi.json"])
async def test_what_may_be_kept_holds_no_secret(demo_site: httpx.AsyncClient, path: str) -> None:
    text = (await demo_site.get(path)).text
    assert KEY not in text
    assert SECRET not in text


async def test_the_secret_of_an_operators_app_is_given_to_nobody(new_site: NewSite) -> None:
    site = new_site(make_app(), host="0.0.0.0")
    answer = await site.get("/demo/app.json")
    assert answer.json() == {"app": None, "is_exposed": False, "signalr_script": script()}


@pytest.mark.parametrize(
    ("host", "is_exposed"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.2", True),
        ("push.example.com", True),
    ],
)
async def test_the_pages_know_when_others_can_see_the_demo_apps_secret(
    new_site: NewSite, host: str, is_exposed: bool
) -> None:
    answer = await new_site(demo_app(), host=host).get("/demo/app.json")
    assert answer.json() == {"app": DEMO, "is_exposed": is_exposed, "signalr_script": script()}


@pytest.mark.parametrize("is_there", [True, False])
async def test_the_pages_know_whether_microsofts_client_is_there(
    new_site: NewSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    file = tmp_path / "signalr.min.js"
    monkeypatch.setattr(pages, "_SIGNALR_SCRIPT", file)
    if is_there:
        file.touch()
    answer = await new_site(demo_app()).get("/demo/app.json")
    assert answer.json()["signalr_script"] == ("/assets/vendor/signalr.min.js" if is_there else None)
