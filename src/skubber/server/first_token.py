"""A newcomer's first admin token: with it the console can be seen without setting anything up."""

import time

from skubber.settings import Settings
from skubber.store.administration.administration import Administration
from skubber.store.administration.tokens import Role, TokenCreation
from skubber.store.open import open_database

FIRST_TOKEN_NAME = "first start"  # noqa: S105


async def first_token(settings: Settings, actor: str) -> str | None:
    """Make an owner's token if there is none at all; call it in one process, before the server or its workers start.

    Args:
        settings: the settings; they name a database.
        actor: who starts the server, for the record.

    Returns:
        The token, to be shown this once; None: the database has tokens already.

    Raises:
        SettingsError: the database cannot be used.
    """
    database, vault = await open_database(settings)
    try:
        administration = Administration(database, vault, settings.all_plans(), time.time)
        made = await administration.tokens.create_first(actor, TokenCreation(FIRST_TOKEN_NAME, Role.OWNER))
        return None if made is None else made.token
    finally:
        await database.close()
