"""``skubber secrets``."""

import typer

from skubber.cli.administering import Desk, administer
from skubber.cli.common import ConfigOption
from skubber.store.administration.administration import rotate_encryption_key
from skubber.store.vault import new_encryption_key

group = typer.Typer(help="What secrets in the database are encrypted with.", no_args_is_help=True)


@group.command("new-key")
def new_key() -> None:
    """Make up an encryption key, and print it."""
    print(new_encryption_key())


@group.command()
def rotate(config: ConfigOption = None) -> None:
    """Encrypt every secret with a new key: one for the key file, or the first one of encryption_key."""

    async def act(desk: Desk) -> int:
        return await rotate_encryption_key(desk.administration, desk.vault, desk.settings, desk.actor)

    count = administer(config, act)
    print(f"Encrypted {count} secrets with the new key.")
