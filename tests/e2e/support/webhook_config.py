"""A configuration file with an app that has webhooks."""

import json
from pathlib import Path
from typing import Any

from .server import APP_ID, KEY, SECRET


def webhook_config(directory: Path, *hooks: dict[str, Any], counts: bool = False, **settings: Any) -> str:
    """Write a configuration; returns its path.

    Args:
        directory: where to.
        hooks: the app's ``[[apps.webhooks]]``.
        counts: whether it counts subscriptions.
        settings: settings of the server, in place of those that are good for a test.
    """
    server = {"webhook_allowed_networks": ["127.0.0.0/8"], "webhook_timeout": 1, **settings}
    keys = f"[{{key = {_toml(KEY)}, secret = {_toml(SECRET)}}}]"
    lines = [
        *_assignments(server),
        "[[apps]]",
        f"id = {_toml(APP_ID)}",
        f"keys = {keys}",
        f"subscription_counts = {_toml(counts)}",
    ]
    for hook in hooks:
        lines += ["[[apps.webhooks]]", *_assignments(hook)]
    file = directory / "skubber.toml"
    file.write_text("\n".join(lines))
    return str(file)


def _assignments(values: dict[str, Any]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in values.items()]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(name)} = {_toml(each)}" for name, each in value.items()) + "}"
    return json.dumps(value)  # of strings, numbers, booleans and lists both languages have the same idea
