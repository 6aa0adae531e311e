"""Clocks: signed requests are good for ten minutes."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from skubber.cli.doctor.finding import Finding, failure, warning, well

_MOST, _TOLERABLE = 600, 30
"""Seconds by which clocks may differ: until signatures are refused, and until it is time to mend them."""


def compare_clocks(check: str, whose: str, difference: float) -> Finding:
    """What a difference between two clocks means.

    Args:
        check: what the check is called.
        whose: whose clock this machine's was compared with.
        difference: by how many seconds that one is ahead.
    """
    way = "ahead of" if difference > 0 else "behind"
    message = f"{whose} is {abs(difference):.1f} s {way} this machine"
    advice = f"Synchronize the clocks of {whose} and of this machine, with chrony say."
    if abs(difference) >= _MOST:
        return failure(check, message, f"Signed requests are refused, as they are good for ten minutes. {advice}")
    if abs(difference) >= _TOLERABLE:
        return warning(check, message, advice)
    return well(check, message)


def check_date(date: str | None) -> Finding:
    """Compare this machine's clock with the running server's, by the ``Date`` of an answer that has just come.

    Args:
        date: the header; None where the answer had none, as behind some proxies.
    """
    try:
        then = parsedate_to_datetime(date or "")
    except ValueError:
        return warning(
            "clock", "the server's answer has no date", "Compare the clocks yourself, or let the proxy pass it."
        )
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return compare_clocks("clock", "the server", (then - datetime.fromtimestamp(time.time(), UTC)).total_seconds())
