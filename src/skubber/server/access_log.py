"""The access log: method, path and status of every request. Queries stay out: they may hold secrets and tokens."""

import structlog

_log = structlog.stdlib.get_logger("skubber.access")


def log_request(method: str, path: str, status: int) -> None:
    """Log one request.

    Args:
        method: as sent.
        path: as sent; a query behind it is dropped.
        status: the status that answers it.
    """
    _log.info("request", method=method, path=path.partition("?")[0], status=status)


class UvicornAccessLog:
    """What uvicorn writes its access log to, in place of a ``logging.Logger``."""

    def info(self, _format: str, _client: str, method: str, path: str, _version: str, status: int) -> None:
        """Log one request."""
        log_request(method, path, status)
