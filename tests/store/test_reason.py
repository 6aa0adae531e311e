"""Why something failed, in a line."""

import pytest
from sqlalchemy.exc import OperationalError

from skubber.store.reason import reason


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("No route to host."), "No route to host"),
        (ValueError(), "ValueError"),
        (
            OperationalError("INSERT INTO t VALUES (?)", {"body": "a secret"}, Exception("no such table: t")),
            "(builtins.Exception) no such table: t",
        ),
    ],
)
def test_it_is_said_without_what_was_to_be_written(error: Exception, said: str) -> None:
    assert reason(error) == said
