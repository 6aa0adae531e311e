"""Sessions of browsers that have signed in with an admin token."""

from datetime import UTC, datetime

import pytest

from skubber.core.errors import UnauthorizedError
from skubber.store import tables
from skubber.store.administration.rules import checked
from skubber.store.administration.sessions import SESSION_SECONDS, SESSIONS_A_TOKEN, SignIn
from skubber.store.administration.tokens import NewAdminToken, TokenCreation
from support.office import ACTOR, NOW, Office


async def create_token(office: Office, **fields: object) -> NewAdminToken:
    return await office.administration.tokens.create(ACTOR, checked(TokenCreation, {"name": "me", **fields}))


async def sign_in(office: Office, token: str) -> str:
    _, value = await office.administration.sessions.create(SignIn(token))
    return value


async def has_ended(office: Office, value: str) -> bool:
    try:
        await office.administration.sessions.authenticate(value)
    except UnauthorizedError as error:
        return error.code == "session_ended"
    return False


async def test_a_session_is_its_tokens_and_is_not_to_be_found_in_the_database(office: Office) -> None:
    token = await create_token(office, role="owner")
    holder, value = await office.administration.sessions.create(SignIn(token.token))
    assert (holder.id, holder.role) == (token.id, "owner")
    assert (await office.administration.sessions.authenticate(value)).id == token.id
    assert value not in str(await office.rows(tables.admin_sessions))
    assert value not in str(await office.record())


async def test_signing_in_is_on_the_record_and_makes_no_server_load_its_apps_anew(office: Office) -> None:
    token = await create_token(office)
    revision = await office.revision()
    await sign_in(office, token.token)
    entry = (await office.record())[0]
    assert (entry.actor, entry.action, entry.subject) == (f"token:{token.id}", "session.create", token.id)
    assert entry.details == {}
    assert await office.revision() == revision


@pytest.mark.parametrize("wrong", ["", "mpa_", "\0\udcff"])
async def test_a_wrong_token_begins_no_session(office: Office, wrong: str) -> None:
    with pytest.raises(UnauthorizedError) as error:
        await sign_in(office, wrong)
    assert error.value.code == "invalid_admin_token"
    assert await office.rows(tables.admin_sessions) == []


@pytest.mark.parametrize("other", ["", "{}x", "\0\udcff"])
async def test_another_value_is_no_session(office: Office, other: str) -> None:
    value = await sign_in(office, (await create_token(office)).token)
    assert await has_ended(office, other.format(value))
    assert not await has_ended(office, value)


async def test_a_session_ends_by_itself(office: Office) -> None:
    value = await sign_in(office, (await create_token(office)).token)
    office.now = NOW + SESSION_SECONDS - 0.1
    assert not await has_ended(office, value)
    office.now = NOW + SESSION_SECONDS
    assert await has_ended(office, value)


async def test_a_session_ends_with_its_token(office: Office) -> None:
    expires_at = datetime.fromtimestamp(NOW + 10, UTC).isoformat()
    short = await sign_in(office, (await create_token(office, expiresAt=expires_at)).token)
    revoked = await create_token(office)
    of_revoked = await sign_in(office, revoked.token)
    await office.administration.tokens.revoke(ACTOR, revoked.id)
    assert await has_ended(office, of_revoked)
    assert not await has_ended(office, short)
    office.now = NOW + 10
    assert await has_ended(office, short)


async def test_signing_out_ends_this_session_and_no_other(office: Office) -> None:
    token = (await create_token(office)).token
    here, there = await sign_in(office, token), await sign_in(office, token)
    await office.administration.sessions.end(here)
    await office.administration.sessions.end(here)
    assert await has_ended(office, here)
    assert not await has_ended(office, there)


async def test_a_token_has_so_many_sessions_and_no_more(office: Office) -> None:
    token, other = await create_token(office), await create_token(office)
    elsewhere = await sign_in(office, other.token)
    values = []
    for _ in range(SESSIONS_A_TOKEN + 2):
        office.now += 1
        values.append(await sign_in(office, token.token))
    assert [await has_ended(office, value) for value in values] == [True, True] + [False] * SESSIONS_A_TOKEN
    assert not await has_ended(office, elsewhere)


async def test_expired_sessions_are_deleted_when_somebody_signs_in(office: Office) -> None:
    await sign_in(office, (await create_token(office)).token)
    other = await create_token(office)
    office.now += SESSION_SECONDS
    await sign_in(office, other.token)
    (row,) = await office.rows(tables.admin_sessions)
    assert row["token_id"] == other.id


async def test_a_session_uses_its_token(office: Office) -> None:
    value = await sign_in(office, (await create_token(office)).token)
    office.now += 3600
    await office.administration.sessions.authenticate(value)
    (row,) = await office.rows(tables.admin_tokens)
    assert row["last_used_at"] == NOW + 3600
