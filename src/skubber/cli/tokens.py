"""``skubber tokens``."""

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
from skubber.store.administration.rules import checked
from skubber.store.administration.tokens import TokenCreation

group = typer.Typer(help="Admin tokens, for the admin API.", no_args_is_help=True)


@group.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, for people.")],
    role: Annotated[str, typer.Option(help="owner: everything; read_only: only look.")] = "read_only",
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Days it is good for.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make an admin token, and print it. It is not shown again."""
    values = given(name=name, role=role, expiresAt=expiry(days))
    created = administer(
        config, lambda desk: desk.administration.tokens.create(desk.actor, checked(TokenCreation, values))
    )
    if json:
        show_json(created)
        return
    show_fields([("id", created.id), ("role", created.role), ("token", created.token)])


@group.command("list")
def list_tokens(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the admin tokens."""
    result = administer(config, lambda desk: desk.administration.tokens.list())
    if json:
        show_json(result)
        return
    show_table(
        ("ID", "NAME", "ROLE", "CREATED", "LAST USED", "EXPIRES"),
        (
            (token.id, token.name, token.role, token.created_at, token.last_used_at, token.expires_at)
            for token in result.tokens
        ),
    )


@group.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id.")],
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """End an admin token for good."""
    confirm(f"Revoke the admin token {token_id}?", yes)
    administer(config, lambda desk: desk.administration.tokens.revoke(desk.actor, token_id))
