"""The admin API over ASGI, with a database of each kind."""

from collections.abc import AsyncIterator

import httpx
import pytest

from skubber.core.app import ApiKey, App
from skubber.store.administration.rules import checked
from skubber.store.administration.tokens import TokenCreation
from skubber.store.apps import AppRegistry
from skubber.web.admin.event_stream import EventStreams
from skubber.web.admin.routes import admin_routes
from skubber.web.admin.services import AdminServices
from skubber.web.admin.stats import Stats, take_stats
from skubber.web.application import web_application
from skubber.webhooks.client import WebhookClient
from skubber.webhooks.trial import Trial, try_endpoint
from support.node import Node
from support.office import ACTOR, Office
from web.conftest import lifespan


class AdminSite:
    """The admin API, and clients of it.

    Attributes:
        office: the administration behind it.
        node: the node that ``/stats`` tells of, with one app: ``live``.
        owner: has an owner's token.
        reader: has a read-only token.
        stranger: has none.
    """

    def __init__(self, office: Office) -> None:
        self.office = office
        self.node = Node()
        self.live = App.with_keys("live", [ApiKey("live-key", "secret")])
        self._webhook_client = WebhookClient(["127.0.0.0/8"], 1)
        self.owner: httpx.AsyncClient
        self.reader: httpx.AsyncClient
        self.stranger = self.visitor({})

    async def open(self) -> None:
        """Make the tokens."""
        self.owner, self.reader = [
            self.visitor({"Authorization": f"Bearer {await self.token(role)}"}) for role in ("owner", "read_only")
        ]

    async def token(self, role: str) -> str:
        """A new token."""
        request = checked(TokenCreation, {"name": role, "role": role})
        return (await self.office.administration.tokens.create(ACTOR, request)).token

    async def close(self) -> None:
        for client in (self.owner, self.reader, self.stranger):
            await client.aclose()
        await self._webhook_client.close()

    def visitor(self, headers: dict[str, str], url: str = "http://server/api/admin") -> httpx.AsyncClient:
        """A client that sends these headers with everything."""
        if not hasattr(self, "_application"):
            services = AdminServices(self._take_stats, self._test_webhook)
            routes = admin_routes(lambda: self.office.administration, services, lambda: self.office.now, EventStreams())
            self._application = web_application(routes, lifespan)
        transport = httpx.ASGITransport(self._application)
        return httpx.AsyncClient(transport=transport, base_url=url, headers=headers)

    async def _test_webhook(self, app_id: str, endpoint_id: str) -> Trial | None:
        app = await self.office.served(app_id)
        endpoint = next((each for each in app.webhooks if each.id == endpoint_id), None)
        return None if endpoint is None else await try_endpoint(app, endpoint, self._webhook_client, self.office.now)

    async def _take_stats(self) -> Stats:
        return await take_stats(AppRegistry([self.live]), self.node.hub, self.office.now)


@pytest.fixture
async def admin(office: Office) -> AsyncIterator[AdminSite]:
    """The admin API of an empty database."""
    site = AdminSite(office)
    await site.open()
    yield site
    await site.close()
