"""Admin tokens."""

from datetime import UTC, datetime

import pytest

from skubber.core.errors import InvalidRequestError, NotFoundError, UnauthorizedError
from skubber.store import tables
from skubber.store.administration.rules import checked
from skubber.store.administration.tokens import NewAdminToken, Role, TokenCreation
from support.office import ACTOR, NOW, Office


async def create(office: Office, **fields: object) -> NewAdminToken:
    return await office.administration.tokens.create(ACTOR, checked(TokenCreation, {"name": "me", **fields}))


async def last_use(office: Office) -> int | None:
    (row,) = await office.rows(tables.admin_tokens)
    used_at: int | None = row["last_used_at"]
    return used_at


async def test_a_token_tells_who_it_is_and_is_not_to_be_found_in_the_database(office: Office) -> None:
    created = await create(office, role="owner")
    token = await office.administration.tokens.authenticate(created.token)
    assert (token.id, token.name, token.role) == (created.id, "me", Role.OWNER)
    assert created.token not in str(await office.rows(tables.admin_tokens))
    assert created.token not in str(await office.record())


@pytest.mark.parametrize("other", ["", "{}x", " {}", "mpa_", "\0\udcff"])
async def test_another_token_is_refused(office: Office, other: str) -> None:
    created = await create(office)
    with pytest.raises(UnauthorizedError) as error:
        await office.administration.tokens.authenticate(other.format(created.token))
    assert error.value.code == "invalid_admin_token"


async def test_a_token_ends_at_its_expiry(office: Office) -> None:
    created = await create(office, expiresAt=datetime.fromtimestamp(NOW + 10, UTC).isoformat())
    office.now = NOW + 9.9
    await office.administration.tokens.authenticate(created.token)
    office.now = NOW + 10
    with pytest.raises(UnauthorizedError):
        await office.administration.tokens.authenticate(created.token)


async def test_a_revoked_token_ends_at_once(office: Office) -> None:
    created = await create(office)
    await office.administration.tokens.revoke(ACTOR, created.id)
    with pytest.raises(UnauthorizedError):
        await office.administration.tokens.authenticate(created.token)
    assert (await office.administration.tokens.list()).tokens == []
    assert [entry.action for entry in await office.record()] == ["token.revoke", "token.create"]


async def test_its_use_is_written_down_once_a_minute_at_most(office: Office) -> None:
    created = await create(office)
    uses = []
    for office.now in (NOW, NOW + 59, NOW + 60):
        await office.administration.tokens.authenticate(created.token)
        uses.append(await last_use(office))
    assert uses == [NOW, NOW, NOW + 60]


async def test_tokens_are_listed_without_themselves(office: Office) -> None:
    created = await create(office)
    (listed,) = (await office.administration.tokens.list()).tokens
    assert (listed.id, listed.role, hasattr(listed, "token")) == (created.id, Role.READ_ONLY, False)


@pytest.mark.parametrize("token_id", ["at_nothing", "", "\0"])
async def test_a_token_that_is_not_there_cannot_be_revoked(office: Office, token_id: str) -> None:
    with pytest.raises(NotFoundError) as error:
        await office.administration.tokens.revoke(ACTOR, token_id)
    assert error.value.code == "no_such_token"


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "\0"}, {"role": "king"}, {"expiresAt": 5}, {"expiresAt": "2020-01-01T00:00:00Z"}]
)
async def test_what_makes_no_sense_is_refused(office: Office, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        await create(office, **fields)
