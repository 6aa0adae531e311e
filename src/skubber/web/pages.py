"""The pages for people: the demo at ``/demo``, Swagger UI at ``/docs``, ``/docs/realtime``, and their assets.

Nothing comes from another site, and the Content-Security-Policy keeps it so: scripts and styles are files, none is
inline. The HTML holds no secret. A demo app's secret is in ``/demo/app.json`` alone, which other origins cannot read.
"""

import os
from ipaddress import ip_address
from pathlib import Path

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skubber.core.app import App
from skubber.store.apps import AppStore
from skubber.web.asyncapi import asyncapi_document
from skubber.web.asyncapi_page import realtime_page
from skubber.web.openapi import openapi_document

_FOLDER = Path(__file__).parent

# Swagger UI draws its icons from data: URLs in its style sheet. To connect to 'self' includes WebSockets (CSP level 3).
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    # Browsers keep a copy and ask each time whether it is still good: an upgraded server shows its new pages at once.
    "cache-control": "no-cache",
}

_EXAMPLE_APP_ID = "myapp"

# Microsoft's client. "make web-assets" puts it there, where npm is.
_SIGNALR_SCRIPT = _FOLDER / "assets" / "vendor" / "signalr.min.js"


class _DemoApp(msgspec.Struct):
    """The demo app as the pages get it."""

    id: str
    key: str
    secret: str


class _DemoConfiguration(msgspec.Struct):
    """``/demo/app.json``.

    Attributes:
        app: the demo app; None when the operator configured apps, whose secrets are never given away.
        is_exposed: whether other machines can reach the server, and with it the demo app's secret.
        signalr_script: where Microsoft's client is to be loaded from; None when the server was set up without.
    """

    app: _DemoApp | None
    is_exposed: bool
    signalr_script: str | None


class PageHeaders:
    """Middleware that adds the pages' headers, but where a route has set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class SwaggerUiFiles(StaticFiles):
    """The files of Swagger UI that its page needs. The package holds an editor and more, 25 MB of it."""

    _needed = frozenset({"swagger-ui.css", "swagger-ui-bundle.js"})

    def __init__(self) -> None:
        super().__init__(packages=[("swagger_ui", "static")])

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        return super().lookup_path(path) if path in self._needed else ("", None)


def page_routes(apps: AppStore, host: str) -> list[BaseRoute]:
    """The pages and their assets.

    Args:
        apps: the apps served; a demo app among them fills in the pages' forms.
        host: the address listened on.
    """
    demo = next((app for app in apps.all() if app.is_demo), None)
    openapi_text = openapi_document(_EXAMPLE_APP_ID if demo is None else demo.id)
    asyncapi_text = msgspec.json.encode(asyncapi_document())
    realtime_text = realtime_page(asyncapi_document())
    headers = [Middleware(PageHeaders)]

    async def home(_: Request) -> Response:
        return RedirectResponse("/demo")

    async def icon(_: Request) -> Response:
        """Browsers ask for it where there is no page to name another, at ``/health`` say."""
        return RedirectResponse("/assets/icon.svg")

    async def demo_page(_: Request) -> Response:
        return FileResponse(_FOLDER / "html" / "demo.html")

    async def demo_app(_: Request) -> Response:
        configuration = _configuration(demo, host)
        return Response(
            msgspec.json.encode(configuration), headers={"cache-control": "no-store"}, media_type="application/json"
        )

    async def docs_page(_: Request) -> Response:
        return FileResponse(_FOLDER / "html" / "docs.html")

    async def openapi(_: Request) -> Response:
        return Response(openapi_text, media_type="application/json")

    async def realtime(_: Request) -> Response:
        return HTMLResponse(realtime_text)

    async def asyncapi(_: Request) -> Response:
        return Response(asyncapi_text, media_type="application/json")

    return [
        Route("/", home, middleware=headers),
        Route("/favicon.ico", icon, middleware=headers),
        Route("/demo", demo_page, middleware=headers),
        Route("/demo/app.json", demo_app, middleware=headers),
        Route("/docs", docs_page, middleware=headers),
        Route("/docs/openapi.json", openapi, middleware=headers),
        Route("/docs/realtime", realtime, middleware=headers),
        Route("/docs/asyncapi.json", asyncapi, middleware=headers),
        Mount("/assets/swagger-ui", SwaggerUiFiles(), middleware=headers),
        Mount("/assets", StaticFiles(directory=_FOLDER / "assets"), middleware=headers),
    ]


def _configuration(demo: App | None, host: str) -> _DemoConfiguration:
    script = f"/assets/vendor/{_SIGNALR_SCRIPT.name}" if _SIGNALR_SCRIPT.is_file() else None
    if demo is None:
        return _DemoConfiguration(None, is_exposed=False, signalr_script=script)
    key = next(iter(demo.keys.values()))
    return _DemoConfiguration(_DemoApp(demo.id, key.key, key.secret), not _is_loopback(host), script)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: where it leads, nobody here knows
        return False
