"""The web application over ASGI, with a person's apps or with a demo app."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from skubber.api.router import Api
from skubber.core.app import ApiKey, App
from skubber.store.apps import AppRegistry
from skubber.web.api_route import api_route
from skubber.web.application import web_application
from skubber.web.health import health_routes
from skubber.web.pages import page_routes
from support.apps import KEY, SECRET, make_app
from support.node import Node

REQUEST_BYTES = 1024

NewSite = Callable[..., httpx.AsyncClient]
"""Assembles an application; takes the app to serve, the address listened on, and whether it is ready."""


def demo_app() -> App:
    """An app as the server makes it up."""
    return App.with_keys("demo", [ApiKey(KEY, SECRET)], is_demo=True)


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    yield


@pytest.fixture
async def new_site() -> AsyncIterator[NewSite]:
    """Makes HTTP clients of applications."""
    async with contextlib.AsyncExitStack() as clients:

        def new(app: App, host: str = "127.0.0.1", is_ready: bool = True) -> httpx.AsyncClient:
            apps = AppRegistry([app])
            api = Api(Node().hub, apps, lambda: 0)
            routes = [api_route(api, REQUEST_BYTES), *health_routes(lambda: is_ready), *page_routes(apps, host)]
            application = web_application(routes, lifespan)
            # As uvicorn does, answer the client first and let the log have the exception.
            transport = httpx.ASGITransport(application, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://server")
            clients.push_async_callback(client.aclose)
            return client

        yield new


@pytest.fixture
def site(new_site: NewSite) -> httpx.AsyncClient:
    """An application with an app of its operator."""
    return new_site(make_app())


@pytest.fixture
def demo_site(new_site: NewSite) -> httpx.AsyncClient:
    """An application with a demo app, for this machine only."""
    return new_site(demo_app())
