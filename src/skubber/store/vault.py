"""Secrets at rest: encrypted with a key that is not in the database.

Source: the Fernet specification (AES-128-CBC with HMAC-SHA256), by way of the ``cryptography`` package.
"""

import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from skubber.settings import Settings, SettingsError


class WrongKeyError(SettingsError):
    """Something in the database was encrypted with another key than those at hand."""


class Vault:
    """Encrypts and decrypts. What is new is encrypted with the first key; any of the keys decrypts.

    Args:
        keys: at least one, each as ``new_encryption_key`` makes them.

    Raises:
        SettingsError: one of them is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except (ValueError, UnicodeError):
            raise SettingsError(
                "An encryption key is 32 bytes in URL-safe base64: make one with `skubber secrets new-key`."
            ) from None

    def become(self, other: "Vault") -> None:
        """Take over another vault's keys: they have been changed."""
        self._fernet = other._fernet  # noqa: SLF001 - one of its own kind

    def encrypt(self, secret: str) -> str:
        """A secret as it may be kept."""
        return self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """A secret as it was.

        Raises:
            WrongKeyError: it was encrypted with another key.
        """
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise WrongKeyError(
                "The database was encrypted with another key: set encryption_key, or encryption_key_file, to that one."
            ) from None


def new_encryption_key() -> str:
    """A new key, as text."""
    return Fernet.generate_key().decode()


def open_vault(settings: Settings) -> Vault:
    """The vault with the keys that the settings name; the file with them is made if it is to be there and is not.

    Raises:
        SettingsError: there is no key to be had, or others may read the file.
    """
    if settings.encryption_key:
        return Vault(settings.encryption_key.replace(",", " ").split())
    return Vault(read_key_file(Path(settings.encryption_key_file)))


def read_key_file(file: Path) -> list[str]:
    """The keys in a file, the newest first; the file is made if it is not there.

    Raises:
        SettingsError: it cannot be read or made, or others may read it.
    """
    try:
        if not file.exists():
            _make(file)
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(f"Others may read {file}, which holds the encryption key: chmod 600 {file}.")
        return file.read_text("utf-8").split()
    except OSError as error:
        raise SettingsError(f"Cannot read or make {file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not a file of encryption keys.") from None


def write_key_file(file: Path, keys: Sequence[str]) -> None:
    """Replace the keys in a file, all at once."""
    new = _written_beside(file, keys)
    new.replace(file)


def _make(file: Path) -> None:
    new = _written_beside(file, [new_encryption_key()])
    try:
        os.link(new, file)  # of two servers that start together one wins, and both take its key
    except FileExistsError:
        pass
    finally:
        new.unlink()


def _written_beside(file: Path, keys: Sequence[str]) -> Path:
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write("\n".join(keys) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return new
