"""Keys, and the demo app that is made up when no app is configured."""

import secrets
import string

from skubber.core.app import ApiKey, App

_ALPHABET = string.ascii_letters + string.digits

DEMO_APP_ID = "demo"


def new_key() -> str:
    """A new API key: ``mps_`` and 32 letters and digits."""
    return "mps_" + _random_text(32)


def new_secret() -> str:
    """A new API secret: 48 letters and digits."""
    return _random_text(48)


def demo_app() -> App:
    """An app for trying things out, with a new key each time."""
    return App.with_keys(DEMO_APP_ID, [ApiKey(new_key(), new_secret())], is_demo=True)


def banner(app: App, url: str) -> str:
    """What a newcomer is shown: the demo app's key and secret, and what to paste where."""
    key = next(iter(app.keys.values()))
    return f"""
  Skubber is starting with a demo app, made up just now:

    app id  {app.id}
    key     {key.key}
    secret  {key.secret}

  1. Open {url}/demo in a browser.
  2. Publish an event to it:

curl -X POST {url}/apps/{app.id}/events \\
  -H 'X-Api-Key: {key.key}' \\
  -H 'X-Api-Secret: {key.secret}' \\
  -H 'Content-Type: application/json' \\
  -d '{{"name":"hello","channel":"my-channel","data":"{{\\"text\\":\\"Hello from curl\\"}}"}}'

  API documentation: {url}/docs
"""


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
