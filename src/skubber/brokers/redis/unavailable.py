"""What a broker says that cannot do what it is asked."""

from skubber.core.errors import UnavailableError


def unavailable() -> UnavailableError:
    """The error."""
    return UnavailableError("broker_unavailable", "The server cannot reach its other nodes: try again later.")
