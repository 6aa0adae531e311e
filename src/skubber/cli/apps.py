"""``skubber apps``."""

from typing import Annotated, Any

import typer

from skubber.cli.administering import (
    Desk,
    JsonOption,
    LimitOption,
    YesOption,
    administer,
    confirm,
    given,
    limits,
    show_fields,
    show_json,
    show_table,
)
from skubber.cli.common import ConfigOption, server_url
from skubber.store.administration.apps import AppCreation, AppDetails, AppEdit, AppPage, CreatedApp
from skubber.store.administration.rules import MAX_PAGE, checked

group = typer.Typer(help="Apps of the database.", no_args_is_help=True)

_OPTIONS = ("client_events", "subscription_counts", "requires_sign_in", "tls_only")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The app's id.")]
PlanOption = Annotated[str | None, typer.Option(help="Its plan.")]
ClientEvents = Annotated[bool | None, typer.Option(help="Whether clients may send client- events.")]
Counts = Annotated[bool | None, typer.Option(help="Whether subscribers are told how many they are.")]
SignIn = Annotated[bool | None, typer.Option(help="Whether clients must sign a user in.")]
TlsOnly = Annotated[bool | None, typer.Option(help="Whether plain connections are refused.")]


@group.command()
def create(
    app_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Its id; made up if not given.")] = None,
    plan: PlanOption = None,
    limit: LimitOption = None,
    client_events: ClientEvents = None,
    subscription_counts: Counts = None,
    requires_sign_in: SignIn = None,
    tls_only: TlsOnly = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make an app, and print its id, key and secret. The secret is not shown again."""

    async def act(desk: Desk) -> tuple[CreatedApp, str]:
        values = given(
            id=app_id,
            plan=plan,
            clientEvents=client_events,
            subscriptionCounts=subscription_counts,
            requiresSignIn=requires_sign_in,
            tlsOnly=tls_only,
        )
        values["limits"] = given(**limits(limit or ()))
        request = checked(AppCreation, values)
        return await desk.administration.apps.create(desk.actor, request), server_url(desk.settings)

    created, url = administer(config, act)
    if json:
        show_json(created)
        return
    show_fields([("app id", created.id), ("key", created.key.key), ("secret", created.key.secret)])
    print(f"""
curl -X POST {url}/apps/{created.id}/events \\
  -H 'X-Api-Key: {created.key.key}' \\
  -H 'X-Api-Secret: {created.key.secret}' \\
  -H 'Content-Type: application/json' \\
  -d '{{"name":"hello","channel":"my-channel","data":"{{\\"text\\":\\"Hello from curl\\"}}"}}'""")


@group.command("list")
def list_apps(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the apps, those of the configuration too."""

    async def act(desk: Desk) -> AppPage:
        page = await desk.administration.apps.list(MAX_PAGE)
        apps = page.apps
        while page.next is not None:
            page = await desk.administration.apps.list(MAX_PAGE, page.next)
            apps += page.apps
        return AppPage(apps, None)

    page = administer(config, act)
    if json:
        show_json(page)
        return
    rows = ((app.id, app.source, app.plan, app.enabled, app.limits, app.created_at) for app in page.apps)
    show_table(("ID", "SOURCE", "PLAN", "ENABLED", "LIMITS", "CREATED"), rows)


@group.command()
def show(app_id: IdArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show an app."""
    _show(administer(config, lambda desk: desk.administration.apps.show(app_id)), json)


@group.command()
def edit(
    app_id: IdArgument,
    plan: PlanOption = None,
    limit: LimitOption = None,
    enabled: Annotated[bool | None, typer.Option(help="Whether it is served.")] = None,
    client_events: ClientEvents = None,
    subscription_counts: Counts = None,
    requires_sign_in: SignIn = None,
    tls_only: TlsOnly = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change an app; what is not given stays. --limit NAME= makes a limit the plan's again."""

    async def act(desk: Desk) -> AppDetails:
        values: dict[str, Any] = given(
            plan=plan,
            enabled=enabled,
            clientEvents=client_events,
            subscriptionCounts=subscription_counts,
            requiresSignIn=requires_sign_in,
            tlsOnly=tls_only,
        )
        if limit:
            before = (await desk.administration.apps.show(app_id)).limits
            values["limits"] = given(**{**before, **limits(limit)})
        return await desk.administration.apps.edit(desk.actor, app_id, checked(AppEdit, values))

    _show(administer(config, act), json)


@group.command()
def delete(app_id: IdArgument, yes: YesOption = False, config: ConfigOption = None) -> None:
    """Delete an app with its keys and webhooks; its connections are closed."""
    confirm(f"Delete the app {app_id}, its keys and its webhooks?", yes)
    administer(config, lambda desk: desk.administration.apps.delete(desk.actor, app_id))


def _show(app: AppDetails, json: bool) -> None:
    if json:
        show_json(app)
        return
    show_fields(
        [
            ("app id", app.id),
            ("source", app.source),
            ("plan", app.plan),
            ("limits", app.limits),
            ("enabled", app.enabled),
            ("options", [name for name in _OPTIONS if getattr(app, name)]),
            ("created", app.created_at),
        ]
    )
