"""A newcomer's first admin token."""

from skubber.server.first_token import FIRST_TOKEN_NAME, first_token
from skubber.settings import Settings
from skubber.store.administration.rules import checked
from skubber.store.administration.tokens import TokenCreation
from support.office import ACTOR, Office


async def test_an_empty_database_gets_an_owners_token_once(store_settings: Settings, office: Office) -> None:
    token = await first_token(store_settings, ACTOR)
    assert token is not None
    holder = await office.administration.tokens.authenticate(token)
    assert (holder.name, holder.role, holder.expires_at) == (FIRST_TOKEN_NAME, "owner", None)
    entry = (await office.record())[0]
    assert (entry.actor, entry.action) == (ACTOR, "token.create")
    assert await first_token(store_settings, ACTOR) is None
    assert len((await office.administration.tokens.list()).tokens) == 1


async def test_where_there_is_a_token_none_is_made(store_settings: Settings, office: Office) -> None:
    await office.administration.tokens.create(ACTOR, checked(TokenCreation, {"name": "mine"}))
    assert await first_token(store_settings, ACTOR) is None
