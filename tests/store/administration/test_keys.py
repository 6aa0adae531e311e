"""The keys of an app: making, rotating, revoking."""

from datetime import UTC, datetime

import pytest

from skubber.core.app import Scope
from skubber.core.errors import ConflictError, InvalidRequestError, NotFoundError
from skubber.store.administration.keys import KeyCreation, KeyEdit, KeyRotation
from skubber.store.administration.rules import checked
from support.office import ACTOR, CONFIGURED, NOW, Office


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def test_an_app_has_several_good_keys_with_scopes_and_expiry(office: Office) -> None:
    first = (await office.create_app(id="shop")).key
    request = KeyCreation("reader", (Scope.READ,), at(NOW + 10))
    second = await office.administration.keys.create(ACTOR, "shop", request)
    served = await office.served("shop")
    assert served.keys[first.key].scopes == frozenset(Scope)
    assert served.keys[second.key].scopes == {Scope.READ}
    office.now = NOW + 10
    assert (await office.served("shop")).keys.keys() == {first.key}


async def test_keys_are_listed_without_secrets(office: Office) -> None:
    created = await office.create_app(id="shop", keyName="first")
    (listed,) = (await office.administration.keys.list("shop")).keys
    assert (listed.key, listed.name, listed.created_at) == (created.key.key, "first", at(NOW))
    assert not hasattr(listed, "secret")
    assert created.key.secret not in str(await office.rows())


async def test_a_rotated_key_has_two_good_secrets_for_a_while(office: Office) -> None:
    before = (await office.create_app(id="shop")).key
    after = await office.administration.keys.rotate(ACTOR, "shop", before.key, KeyRotation())
    assert after.key == before.key
    assert after.previous_secret_until == at(NOW + 86_400)
    assert (await office.served("shop")).keys[before.key].secrets == (after.secret, before.secret)
    office.now += 86_400
    assert (await office.served("shop")).keys[before.key].secrets == (after.secret,)


async def test_a_secret_can_end_at_once(office: Office) -> None:
    before = (await office.create_app(id="shop")).key
    after = await office.administration.keys.rotate(ACTOR, "shop", before.key, KeyRotation(0))
    assert (await office.served("shop")).keys[before.key].secrets == (after.secret,)


@pytest.mark.parametrize("overlap", [-1, 2_592_001, "1", 1.5, None])
async def test_an_overlap_is_seconds_up_to_thirty_days(overlap: object) -> None:
    with pytest.raises(InvalidRequestError):
        checked(KeyRotation, {"overlap": overlap})


async def test_a_revoked_key_is_good_for_nothing_and_stays_in_the_list(office: Office) -> None:
    key = (await office.create_app(id="shop")).key.key
    office.now += 5
    revoked = await office.administration.keys.revoke(ACTOR, "shop", key)
    assert revoked.revoked_at == at(NOW + 5)
    assert (await office.served("shop")).keys == {}
    office.now += 5
    assert await office.administration.keys.revoke(ACTOR, "shop", key) == revoked
    assert [entry.action for entry in await office.record()].count("key.revoke") == 1
    for change in (
        office.administration.keys.rotate(ACTOR, "shop", key, KeyRotation()),
        office.administration.keys.edit(ACTOR, "shop", key, KeyEdit(name="back")),
    ):
        with pytest.raises(ConflictError) as error:
            await change
        assert error.value.code == "key_revoked"


async def test_only_what_is_given_changes(office: Office) -> None:
    key = (await office.create_app(id="shop", keyName="first")).key.key
    edit = office.administration.keys.edit
    await edit(ACTOR, "shop", key, KeyEdit(scopes=(Scope.CONNECT, Scope.CONNECT)))
    edited = await edit(ACTOR, "shop", key, KeyEdit(expires_at=at(NOW + 1)))
    assert (edited.name, edited.scopes, edited.expires_at) == ("first", [Scope.CONNECT], at(NOW + 1))
    assert (await edit(ACTOR, "shop", key, KeyEdit(name="n", expires_at=None))).expires_at is None
    assert (await edit(ACTOR, "shop", key, KeyEdit())).name == "n"


async def test_an_expiry_is_in_the_future(office: Office) -> None:
    key = (await office.create_app(id="shop")).key.key
    for change in (
        office.administration.keys.create(ACTOR, "shop", KeyCreation(expires_at=at(NOW))),
        office.administration.keys.edit(ACTOR, "shop", key, KeyEdit(expires_at=at(NOW - 1))),
    ):
        with pytest.raises(InvalidRequestError) as error:
            await change
        assert error.value.code == "invalid_expiry"


@pytest.mark.parametrize(
    "fields", [{"scopes": []}, {"scopes": ["fly"]}, {"name": 1}, {"expiresAt": "2100-01-01"}, {"secret": "s"}]
)
async def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    for kind in (KeyCreation, KeyEdit):
        with pytest.raises(InvalidRequestError):
            checked(kind, fields)


@pytest.mark.parametrize("key", ["mps_nothing", "", "a\0b"])
async def test_a_key_that_is_not_there_is_said_so(office: Office, key: str) -> None:
    await office.create_app(id="shop")
    for call in (
        office.administration.keys.edit(ACTOR, "shop", key, KeyEdit(name="x")),
        office.administration.keys.rotate(ACTOR, "shop", key, KeyRotation()),
        office.administration.keys.revoke(ACTOR, "shop", key),
    ):
        with pytest.raises(NotFoundError) as error:
            await call
        assert error.value.code == "no_such_key"


async def test_another_apps_key_is_not_found(office: Office) -> None:
    key = (await office.create_app(id="shop")).key.key
    await office.create_app(id="other")
    with pytest.raises(NotFoundError):
        await office.administration.keys.revoke(ACTOR, "other", key)
    assert key in (await office.served("shop")).keys


async def test_keys_of_a_configured_app_are_listed_and_refuse_changes(office: Office) -> None:
    assert [each.key for each in (await office.administration.keys.list("configured")).keys] == list(CONFIGURED.keys)
    with pytest.raises(ConflictError) as error:
        await office.administration.keys.create(ACTOR, "configured", KeyCreation())
    assert error.value.code == "configured_app"


async def test_no_secret_is_on_the_record(office: Office) -> None:
    created = await office.create_app(id="shop")
    rotated = await office.administration.keys.rotate(ACTOR, "shop", created.key.key, KeyRotation(5))
    record = str(await office.record())
    assert created.key.secret not in record
    assert rotated.secret not in record
    assert (await office.record())[0].details == {"app": "shop", "overlap": 5}
