"""The demo app that is made up when no app is configured."""

from skubber.core.app import ApiKey, App
from skubber.store.credentials import new_key, new_secret

DEMO_APP_ID = "demo"


def demo_app(key: ApiKey | None = None) -> App:
    """An app for trying things out, with a new key each time unless one is given."""
    return App.with_keys(DEMO_APP_ID, [key or ApiKey(new_key(), new_secret())], is_demo=True)


def banner(app: App, url: str, console: str = "") -> str:
    """What a newcomer is shown: the demo app's key and secret, and what to paste where.

    Args:
        app: the demo app.
        url: where the server is.
        console: what there is to say of the console; see ``console_lines``.
    """
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
{console}"""


def console_lines(url: str, token: str | None) -> str:
    """What a newcomer is shown of the console.

    Args:
        url: where the server is.
        token: an owner's token that was made just now; None: there are tokens already.
    """
    if token is None:
        return f"  Console: {url}/console. For a token to sign in: skubber tokens create NAME --role owner\n"
    return f"""
  Console: {url}/console. Sign in with this owner's token:

    token   {token}

  It is shown this once. To make others: skubber tokens create NAME --role owner
"""
