"""Apps to test with."""

import dataclasses
from typing import Any

from skubber.core.app import ApiKey, App
from skubber.core.limits import Limits

KEY, SECRET = "mps_" + "k" * 32, "s" * 48
SECOND_KEY, SECOND_SECRET = "mps_" + "2" * 32, "2" * 48
OTHER_KEY, OTHER_SECRET = "mps_" + "o" * 32, "t" * 48
DISABLED_KEY, DISABLED_SECRET = "mps_" + "d" * 32, "u" * 48


def make_app(app_id: str = "4711", limits: Limits | None = None, **options: Any) -> App:
    """An app with two keys, ``KEY`` and ``SECOND_KEY``; ``options`` are its other fields."""
    keys = [ApiKey(KEY, SECRET), ApiKey(SECOND_KEY, SECOND_SECRET)]
    return App.with_keys(app_id, keys, limits=limits or Limits(), **options)


def described(app: App) -> dict[str, Any]:
    """All that an app is, to compare it by."""
    description = dataclasses.asdict(app)
    del description["meter"]
    return description


def other_app() -> App:
    """Somebody else's app."""
    return App.with_keys("other", [ApiKey(OTHER_KEY, OTHER_SECRET)])


def disabled_app() -> App:
    """An app that was switched off."""
    return App.with_keys("disabled", [ApiKey(DISABLED_KEY, DISABLED_SECRET)], enabled=False)
