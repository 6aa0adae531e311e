"""Making up keys, secrets, tokens and ids."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_key() -> str:
    """A new API key: ``mps_`` and 32 letters and digits."""
    return "mps_" + _random_text(32)


def new_secret() -> str:
    """A new API secret: 48 letters and digits."""
    return _random_text(48)


def new_admin_token() -> str:
    """A new admin token: ``mpa_`` and 48 letters and digits."""
    return "mpa_" + _random_text(48)


def new_session_value() -> str:
    """What the cookie of a new session holds: 48 letters and digits."""
    return _random_text(48)


def new_app_id() -> str:
    """A new app id: nine digits, since Pusher's Python SDK takes no others."""
    return str(secrets.randbelow(900_000_000) + 100_000_000)


def new_id(prefix: str) -> str:
    """A new id of anything else: the prefix and 16 letters and digits."""
    return prefix + _random_text(16)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
