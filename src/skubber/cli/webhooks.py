"""``skubber webhooks``."""

from typing import Annotated, Any

import typer

from skubber.cli.administering import (
    Desk,
    JsonOption,
    YesOption,
    administer,
    confirm,
    given,
    show_fields,
    show_json,
    show_table,
)
from skubber.cli.common import ConfigOption
from skubber.cli.keys import AppArgument
from skubber.settings import SettingsError
from skubber.store.administration.deliveries import DeadLetterPage, Replay, Replayed
from skubber.store.administration.rules import MAX_PAGE, checked
from skubber.store.administration.webhooks import WebhookCreation, WebhookDetails, WebhookEdit, WebhookList

group = typer.Typer(help="Webhooks: URLs that are told what happens.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The webhook's id.")]
Events = Annotated[list[str] | None, typer.Option("--event", help="An event it wants; all if not given. Repeatable.")]
Prefix = Annotated[str | None, typer.Option("--prefix", help="It is told of channels whose names start so.")]
Headers = Annotated[
    list[str] | None, typer.Option("--header", metavar="NAME:VALUE", help="A header field of its requests. Repeatable.")
]
Batched = Annotated[bool | None, typer.Option(help="Whether a request may hold several events.")]
Enabled = Annotated[bool | None, typer.Option(help="Whether it is told anything.")]


@group.command()
def create(
    app_id: AppArgument,
    url: Annotated[str, typer.Argument(metavar="URL", help="http:// or https://.")],
    event: Events = None,
    prefix: Prefix = None,
    header: Headers = None,
    batched: Batched = None,
    enabled: Enabled = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a webhook."""

    async def act(desk: Desk) -> WebhookDetails:
        request = checked(WebhookCreation, _values(url, event, prefix, header, batched, enabled))
        return await desk.administration.webhooks.create(desk.actor, app_id, request)

    _show(administer(config, act), json)


@group.command("list")
def list_webhooks(app_id: AppArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List an app's webhooks."""
    _show(administer(config, lambda desk: desk.administration.webhooks.list(app_id)), json)


@group.command()
def edit(
    app_id: AppArgument,
    webhook_id: IdArgument,
    url: Annotated[str | None, typer.Option(help="http:// or https://.")] = None,
    event: Events = None,
    prefix: Prefix = None,
    header: Headers = None,
    batched: Batched = None,
    enabled: Enabled = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change a webhook; what is not given stays. Header fields that are given take the place of all it had."""

    async def act(desk: Desk) -> WebhookDetails:
        request = checked(WebhookEdit, _values(url, event, prefix, header, batched, enabled))
        return await desk.administration.webhooks.edit(desk.actor, app_id, webhook_id, request)

    _show(administer(config, act), json)


@group.command()
def delete(app_id: AppArgument, webhook_id: IdArgument, yes: YesOption = False, config: ConfigOption = None) -> None:
    """Delete a webhook."""
    confirm(f"Delete the webhook {webhook_id}?", yes)
    administer(config, lambda desk: desk.administration.webhooks.delete(desk.actor, app_id, webhook_id))


@group.command()
def status(app_id: AppArgument, webhook_id: IdArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show how delivery to a webhook stands."""
    shown = administer(config, lambda desk: desk.administration.deliveries.status(app_id, webhook_id))
    if json:
        show_json(shown)
        return
    for name, value in (
        ("waiting", shown.waiting),
        ("dead letters", shown.dead_letters),
        ("failures", shown.failures),
        ("retry at", shown.retry_at),
        ("last attempt", shown.last_attempt_at),
        ("outcome", shown.last_outcome),
    ):
        show_fields([(f"{name:<14}", value)])


@group.command("dead-letters")
def dead_letters(
    app_id: AppArgument, webhook_id: IdArgument, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """List the events that could not be delivered to a webhook, the oldest first."""

    async def act(desk: Desk) -> DeadLetterPage:
        page = await desk.administration.deliveries.list(app_id, webhook_id, MAX_PAGE)
        letters = page.dead_letters
        while page.next is not None:
            page = await desk.administration.deliveries.list(app_id, webhook_id, MAX_PAGE, page.next)
            letters += page.dead_letters
        return DeadLetterPage(letters, None)

    page = administer(config, act)
    if json:
        show_json(page)
        return
    show_table(
        ("ID", "EVENT", "CHANNEL", "HAPPENED", "ATTEMPTS", "ERROR"),
        (
            (each.id, each.event["name"], each.event["channel"], each.happened_at, each.attempts, each.error)
            for each in page.dead_letters
        ),
    )


@group.command()
def replay(
    app_id: AppArgument,
    webhook_id: IdArgument,
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Which; all if not given.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Deliver dead letters again."""

    async def act(desk: Desk) -> Replayed:
        request = checked(Replay, given(ids=ids or None))
        return await desk.administration.deliveries.replay(desk.actor, app_id, webhook_id, request)

    replayed = administer(config, act)
    if json:
        show_json(replayed)
    else:
        print(f"{replayed.count} of them will be delivered again.")


def _values(
    url: str | None,
    events: list[str] | None,
    prefix: str | None,
    headers: list[str] | None,
    batched: bool | None,
    enabled: bool | None,
) -> dict[str, Any]:
    return given(
        url=url,
        events=events or None,
        channelPrefix=prefix,
        headers=dict(map(_header, headers)) if headers else None,
        isBatched=batched,
        enabled=enabled,
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise SettingsError("Give header fields as NAME:VALUE.")
    return name.strip(), value.strip()


def _show(result: WebhookDetails | WebhookList, json: bool) -> None:
    if json:
        show_json(result)
        return
    webhooks = result.webhooks if isinstance(result, WebhookList) else [result]
    show_table(
        ("ID", "URL", "EVENTS", "PREFIX", "HEADERS", "BATCHED", "ENABLED"),
        (
            (each.id, each.url, each.events, each.channel_prefix, each.header_names, each.is_batched, each.enabled)
            for each in webhooks
        ),
    )
