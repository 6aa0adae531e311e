"""The record, the books, and a new encryption key."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert

from skubber.core.errors import InvalidRequestError, UnavailableError
from skubber.core.plans import PLANS
from skubber.settings import Settings
from skubber.store import tables
from skubber.store.administration.administration import Administration, rotate_encryption_key
from skubber.store.administration.keys import KeyCreation, KeyRotation
from skubber.store.administration.plans import PlanChange
from skubber.store.administration.webhooks import WebhookCreation
from skubber.store.open import open_database
from skubber.store.vault import Vault, WrongKeyError, new_encryption_key, read_key_file
from support.office import ACTOR, NOW, Office

TODAY = NOW // 86_400


async def test_pages_go_through_the_whole_record_the_newest_first(office: Office) -> None:
    for number in range(5):
        await office.administration.plans.put(ACTOR, f"plan{number}", PlanChange())
    seen: list[str] = []
    before: int | None = None
    while True:
        page = await office.administration.audit.list(2, before)
        seen += [entry.subject for entry in page.entries]
        before = page.next
        if before is None:
            break
    assert seen == ["plan4", "plan3", "plan2", "plan1", "plan0"]


async def test_long_names_fit_on_the_record(office: Office) -> None:
    await office.administration.plans.put("x" * 500, "pro", PlanChange())
    assert (await office.record())[0].actor == "x" * 200


class TestUsage:
    async def use(self, office: Office, app_id: str, day: int, published: int = 1) -> None:
        values = {"delivered": 20, "delivered_bytes": 300, "connections_peak": 4, "webhooks": 5}
        async with office.database.writing() as connection:
            await connection.execute(insert(tables.usage).values(app_id=app_id, day=day, published=published, **values))

    async def test_it_is_reported_by_app_and_day(self, office: Office) -> None:
        await self.use(office, "a", TODAY - 30)
        await self.use(office, "a", TODAY - 29)
        await self.use(office, "b", TODAY)
        await self.use(office, "a", TODAY, published=7)
        report = (await office.administration.usage.report()).usage
        assert [(each.app_id, each.day.isoformat()) for each in report] == [
            ("a", "2027-01-15"),
            ("b", "2027-01-15"),
            ("a", "2026-12-17"),
        ]
        first = report[0]
        assert (first.messages, first.published, first.delivered, first.delivered_bytes) == (27, 7, 20, 300)
        assert (first.connections_peak, first.webhooks) == (4, 5)

    async def test_of_one_app_in_a_range_of_days(self, office: Office) -> None:
        for day in (TODAY - 2, TODAY - 1, TODAY):
            await self.use(office, "a", day)
            await self.use(office, "b", day)
        report = await office.administration.usage.report("a", date(2027, 1, 13), date(2027, 1, 14))
        assert [each.day.day for each in report.usage] == [14, 13]
        assert (await office.administration.usage.report("a\0")).usage == []

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (date(2027, 1, 2), date(2027, 1, 1)),
            (date(2026, 1, 1), date(2027, 1, 2)),
            (date(1, 1, 1), date(9999, 12, 31)),
        ],
    )
    async def test_a_range_that_is_too_long_or_empty_is_refused(self, office: Office, first: date, last: date) -> None:
        with pytest.raises(InvalidRequestError) as error:
            await office.administration.usage.report(None, first, last)
        assert error.value.code == "invalid_range"


class TestANewEncryptionKey:
    async def fill(self, office: Office) -> None:
        created = await office.create_app(id="shop")
        await office.administration.keys.rotate(ACTOR, "shop", created.key.key, KeyRotation())
        request = WebhookCreation("https://example.com", headers={"X-Token": "t"})
        await office.administration.webhooks.create(ACTOR, "shop", request)

    async def secrets(self, office: Office) -> list[object]:
        app = await office.served("shop")
        return [key.secrets for key in app.keys.values()] + [endpoint.headers for endpoint in app.webhooks]

    async def test_every_secret_is_encrypted_with_it_alone(self, office: Office, store_settings: Settings) -> None:
        await self.fill(office)
        before = await self.secrets(office)
        (old,) = read_key_file(Path(store_settings.encryption_key_file))
        count = await rotate_encryption_key(office.administration, office.vault, store_settings, ACTOR)
        (new,) = read_key_file(Path(store_settings.encryption_key_file))
        assert (count, new != old) == (2, True)
        database, vault = await open_database(store_settings)
        assert await self.secrets(Office(database, vault)) == before
        await database.close()
        with pytest.raises(WrongKeyError):
            await self.secrets(Office(office.database, Vault([old])))
        assert (await office.record())[0].action == "secrets.rotate"

    async def test_keys_of_the_settings_are_not_written_anywhere(
        self, office: Office, store_settings: Settings
    ) -> None:
        await self.fill(office)
        before = await self.secrets(office)
        file = Path(store_settings.encryption_key_file)
        (old,) = read_key_file(file)
        new = new_encryption_key()
        both = Settings(database=store_settings.database, encryption_key=f"{new},{old}", encryption_key_file=str(file))
        vault = Vault([new, old])
        administration = Administration(office.database, vault, PLANS, lambda: NOW)
        await rotate_encryption_key(administration, vault, both, ACTOR)
        assert read_key_file(file) == [old]
        assert await self.secrets(Office(office.database, Vault([new]))) == before

    async def test_who_has_not_heard_of_it_cannot_encrypt_with_the_old_one(
        self, office: Office, store_settings: Settings
    ) -> None:
        await self.fill(office)
        elsewhere = Office(office.database, Vault(read_key_file(Path(store_settings.encryption_key_file))))
        await rotate_encryption_key(office.administration, office.vault, store_settings, ACTOR)
        with pytest.raises(UnavailableError) as error:
            await elsewhere.administration.keys.create(ACTOR, "shop", KeyCreation())
        assert error.value.code == "encryption_key_changed"

    async def test_without_the_old_key_all_stays_as_it_is(self, office: Office, store_settings: Settings) -> None:
        await self.fill(office)
        before = await office.rows(tables.keys)
        administration = Administration(office.database, Vault([new_encryption_key()]), PLANS, lambda: NOW)
        with pytest.raises(UnavailableError):
            await administration.reencrypt(ACTOR)
        assert await office.rows(tables.keys) == before
