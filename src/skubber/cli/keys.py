"""``skubber keys``."""

from typing import Annotated

import typer

from skubber.cli.administering import (
    JsonOption,
    YesOption,
    administer,
    confirm,
    expiry,
    given,
    show_fields,
    show_json,
    show_table,
)
from skubber.cli.common import ConfigOption
from skubber.store.administration.keys import KeyCreation, KeyRotation, NewKey
from skubber.store.administration.rules import checked
from skubber.store.credentials import new_key, new_secret

group = typer.Typer(help="API keys.", no_args_is_help=True)

AppArgument = Annotated[str, typer.Argument(metavar="APP", help="The app's id.")]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key.")]


@group.command("new")
def new() -> None:
    """Make up an API key and its secret, and print them as configuration."""
    print(f'key = "{new_key()}"\nsecret = "{new_secret()}"')


@group.command()
def create(
    app_id: AppArgument,
    name: Annotated[str | None, typer.Option(help="Its name, for people.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="publish, read, admin or connect: what it is good for; everything if not given. Repeatable."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Days it is good for.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key, and print it with its secret, which is not shown again."""
    values = given(name=name, scopes=scope or None, expiresAt=expiry(days))
    created = administer(
        config, lambda desk: desk.administration.keys.create(desk.actor, app_id, checked(KeyCreation, values))
    )
    _show_new(created, json)


@group.command("list")
def list_keys(app_id: AppArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List an app's keys."""
    result = administer(config, lambda desk: desk.administration.keys.list(app_id))
    if json:
        show_json(result)
        return
    show_table(
        ("KEY", "NAME", "SCOPES", "CREATED", "LAST USED", "EXPIRES", "REVOKED"),
        (
            (key.key, key.name, key.scopes, key.created_at, key.last_used_at, key.expires_at, key.revoked_at)
            for key in result.keys
        ),
    )


@group.command()
def rotate(
    app_id: AppArgument,
    key: KeyArgument,
    overlap: Annotated[int | None, typer.Option(help="Seconds the old secret stays good; a day if not given.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Give a key a new secret, and print it. Connections stay."""
    values = given(overlap=overlap)
    rotated = administer(
        config, lambda desk: desk.administration.keys.rotate(desk.actor, app_id, key, checked(KeyRotation, values))
    )
    _show_new(rotated, json)


@group.command()
def revoke(app_id: AppArgument, key: KeyArgument, yes: YesOption = False, config: ConfigOption = None) -> None:
    """End a key for good; its connections are closed."""
    confirm(f"Revoke the key {key} and close its connections?", yes)
    administer(config, lambda desk: desk.administration.keys.revoke(desk.actor, app_id, key))


def _show_new(key: NewKey, json: bool) -> None:
    if json:
        show_json(key)
        return
    show_fields([("app id", key.app_id), ("key", key.key), ("secret", key.secret)])
