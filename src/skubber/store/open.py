"""Opening the store that the settings name."""

from skubber.settings import Settings
from skubber.store.database import Database
from skubber.store.stored_apps import check_vault
from skubber.store.vault import Vault, open_vault


async def open_database(settings: Settings) -> tuple[Database, Vault]:
    """Open the database, its tables made or brought up to date, and what its secrets are encrypted with.

    Raises:
        SettingsError: it cannot be used, or is encrypted with another key; the message says what to do.
    """
    database = Database(settings.database)
    try:
        await database.upgrade()
        vault = open_vault(settings)
        async with database.writing() as connection:
            await check_vault(connection, vault)
    except BaseException:
        await database.close()
        raise
    return database, vault
