"""The webhooks of an app: URLs of its back end that are told what happens on its channels."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.errors import NotFoundError
from skubber.core.webhook import WebhookEndpoint, WebhookEventName
from skubber.settings import ChannelPrefix, HeaderName, HeaderValue, HttpUrl
from skubber.store import tables
from skubber.store.administration.ledger import Ledger
from skubber.store.administration.rules import Time, given, is_storable, json_text, moment
from skubber.store.credentials import new_id
from skubber.store.deliveries import forget_endpoint
from skubber.store.vault import Vault

_decode_events = msgspec.json.Decoder(list[WebhookEventName]).decode
_decode_headers = msgspec.json.Decoder(dict[str, str]).decode

_Url = Annotated[HttpUrl, Meta(description="`http://` or `https://`; not a private address.")]
_Events = Annotated[tuple[WebhookEventName, ...], Meta(min_length=1, description="The events it wants.")]
_Prefix = Annotated[ChannelPrefix, Meta(description="It is told of channels whose names start so.")]
_Headers = Annotated[
    dict[HeaderName, HeaderValue],
    Meta(max_length=20, description="Header fields of its requests. The values are never shown again."),
]
_IsBatched = Annotated[bool, Meta(description="Whether a request may hold several events.")]


class WebhookCreation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """A webhook to be made."""

    url: _Url
    events: _Events = tuple(WebhookEventName)
    channel_prefix: _Prefix = ""
    headers: _Headers = {}
    is_batched: _IsBatched = True
    enabled: bool = True


class WebhookEdit(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """What is to be different about a webhook; the rest stays. ``headers`` takes the place of all that it had."""

    url: _Url | UnsetType = UNSET
    events: _Events | UnsetType = UNSET
    channel_prefix: _Prefix | UnsetType = UNSET
    headers: _Headers | UnsetType = UNSET
    is_batched: _IsBatched | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class WebhookDetails(msgspec.Struct, rename="camel", kw_only=True):
    """A webhook, without the values of its header fields."""

    id: str
    app_id: str
    url: str
    events: list[WebhookEventName]
    channel_prefix: str
    header_names: list[str]
    is_batched: bool
    enabled: bool
    created_at: Time | None


class WebhookList(msgspec.Struct, rename="camel"):
    """All webhooks of an app, the oldest first."""

    webhooks: list[WebhookDetails]


class WebhookAdministration:
    """Operations on webhooks.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def create(self, actor: str, app_id: str, request: WebhookCreation) -> WebhookDetails:
        """Make a webhook.

        Raises:
            NotFoundError: ``no_such_app``.
            ConflictError: ``configured_app``.
        """
        webhook_id = new_id("wh_")
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            await change.connection.execute(
                insert(tables.webhooks).values(
                    id=webhook_id, app_id=app_id, created_at=change.now, **self._values(request)
                )
            )
            await change.record("webhook.create", webhook_id, {"app": app_id, **_details_of(request)})
            return await self._show(change.connection, app_id, webhook_id)

    async def list(self, app_id: str) -> WebhookList:
        """All webhooks of an app.

        Raises:
            NotFoundError: ``no_such_app``.
        """
        configured = self._ledger.configured.get(app_id)
        if configured is not None:
            return WebhookList([_configured(app_id, endpoint) for endpoint in configured.webhooks])
        webhooks = tables.webhooks
        async with self._ledger.database.reading() as connection:
            await self._ledger.see_app(connection, app_id)
            rows = await connection.execute(
                select(webhooks).where(webhooks.c.app_id == app_id).order_by(webhooks.c.created_at, webhooks.c.id)
            )
            return WebhookList([_details(row, self._ledger.vault) for row in rows])

    async def edit(self, actor: str, app_id: str, webhook_id: str, request: WebhookEdit) -> WebhookDetails:
        """Change a webhook.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
            ConflictError: ``configured_app``.
        """
        webhooks = tables.webhooks
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            await self._show(change.connection, app_id, webhook_id)
            if values := self._values(request):
                await change.connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(values))
            await change.record("webhook.edit", webhook_id, {"app": app_id, **_details_of(request)})
            return await self._show(change.connection, app_id, webhook_id)

    async def delete(self, actor: str, app_id: str, webhook_id: str) -> None:
        """Delete a webhook, with all that waits for it.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
            ConflictError: ``configured_app``.
        """
        webhooks = tables.webhooks
        async with self._ledger.changing(actor) as change:
            await self._ledger.see_app(change.connection, app_id)
            await self._show(change.connection, app_id, webhook_id)
            await change.connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))
            await forget_endpoint(change.connection, webhook_id)
            await change.record("webhook.delete", webhook_id, {"app": app_id})

    def _values(self, request: WebhookCreation | WebhookEdit) -> dict[str, Any]:
        """The columns that a request sets."""
        values = given(request)
        if "events" in values:
            values["events"] = json_text(sorted(set(values["events"])))
        if "headers" in values:
            values["headers"] = self._ledger.vault.encrypt(json_text(values["headers"]))
        return values

    async def _show(self, connection: AsyncConnection, app_id: str, webhook_id: str) -> WebhookDetails:
        webhooks = tables.webhooks
        row = None
        if is_storable(webhook_id):
            statement = select(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.app_id == app_id)
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            raise NotFoundError("no_such_webhook", "This app has no such webhook.")
        return _details(row, self._ledger.vault)


def _details_of(request: WebhookCreation | WebhookEdit) -> dict[str, Any]:
    """What of a request goes on the record. A URL's credentials, path and query may be secret, as header values are."""
    details = given(request)
    if "url" in details:
        url = urlsplit(details["url"])
        details["url"] = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    if "headers" in details:
        details["headers"] = sorted(details["headers"])
    return details


def _details(row: Row[Any], vault: Vault) -> WebhookDetails:
    return WebhookDetails(
        id=row.id,
        app_id=row.app_id,
        url=row.url,
        events=_decode_events(row.events),
        channel_prefix=row.channel_prefix,
        header_names=sorted(_decode_headers(vault.decrypt(row.headers))),
        is_batched=row.is_batched,
        enabled=row.enabled,
        created_at=moment(row.created_at),
    )


def _configured(app_id: str, endpoint: WebhookEndpoint) -> WebhookDetails:
    return WebhookDetails(
        id=endpoint.id,
        app_id=app_id,
        url=endpoint.url,
        events=sorted(endpoint.events),
        channel_prefix=endpoint.channel_prefix,
        header_names=sorted(name for name, _ in endpoint.headers),
        is_batched=endpoint.is_batched,
        enabled=endpoint.enabled,
        created_at=None,
    )
