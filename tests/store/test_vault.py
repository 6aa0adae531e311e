"""Secrets at rest."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.settings import Settings, SettingsError
from skubber.store.vault import Vault, WrongKeyError, new_encryption_key, open_vault, read_key_file, write_key_file

VAULT = Vault([new_encryption_key()])


@given(st.text())
def test_any_secret_comes_back_and_is_not_to_be_seen(secret: str) -> None:
    encrypted = VAULT.encrypt(secret)
    assert VAULT.decrypt(encrypted) == secret
    assert len(secret) < 4 or secret not in encrypted


def test_two_encryptions_of_a_secret_do_not_tell_that_it_is_the_same() -> None:
    assert VAULT.encrypt("secret") != VAULT.encrypt("secret")


@pytest.mark.parametrize("encrypted", ["", "secret", "gAAAA", pytest.param(VAULT.encrypt("secret")[:-2], id="cut off")])
def test_what_was_not_encrypted_so_is_refused(encrypted: str) -> None:
    with pytest.raises(WrongKeyError):
        VAULT.decrypt(encrypted)


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    old, new = new_encryption_key(), new_encryption_key()
    both = Vault([new, old])
    assert both.decrypt(Vault([old]).encrypt("secret")) == "secret"
    assert Vault([new]).decrypt(both.encrypt("secret")) == "secret"
    with pytest.raises(WrongKeyError):
        Vault([old]).decrypt(both.encrypt("secret"))


@pytest.mark.parametrize("key", ["", "hunter2", "a" * 43, "é" * 44])
def test_what_is_no_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError, match="new-key") as error:
        Vault([key])
    assert not key or key not in str(error.value)


class TestTheFile:
    def test_it_is_made_once_and_read_ever_after(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        keys = read_key_file(file)
        assert (len(keys), read_key_file(file)) == (1, keys)
        assert [each.name for each in tmp_path.iterdir()] == ["key"]

    def test_it_is_replaced_whole(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        write_key_file(file, ["new", "old"])
        assert (read_key_file(file), file.stat().st_mode & 0o777) == (["new", "old"], 0o600)
        assert [each.name for each in tmp_path.iterdir()] == ["key"]

    def test_one_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        read_key_file(file)
        file.chmod(0o640)
        with pytest.raises(SettingsError, match="chmod 600"):
            read_key_file(file)

    @pytest.mark.parametrize("name", ["no/such/folder/key", "."])
    def test_one_that_cannot_be_read_or_made_is_said_so(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SettingsError, match=r"Cannot read or make|Others may read"):
            read_key_file(tmp_path / name)

    def test_the_settings_key_comes_before_it(self, tmp_path: Path) -> None:
        old, new = new_encryption_key(), new_encryption_key()
        file = tmp_path / "key"
        vault = open_vault(Settings(encryption_key=f"{new}, {old}", encryption_key_file=str(file)))
        assert vault.decrypt(Vault([old]).encrypt("secret")) == "secret"
        assert not file.exists()
