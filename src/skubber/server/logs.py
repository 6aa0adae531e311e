"""Structured logs for everything in the process, uvicorn's included. Secrets, tokens and payloads are never logged."""

import logging
import sys
from typing import Any

import structlog

from skubber.settings import Settings


def configure_logs(settings: Settings, worker: int | None = None) -> None:
    """Send every log record to standard error, as JSON lines or for a console.

    Args:
        settings: the settings.
        worker: the process's number, for each record to have, where several processes write to the same place.
    """
    is_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if worker is not None:
        # Not a context variable: threads, the database's say, have none of this one's.
        shared.append(lambda _, __, event: {**event, "worker": worker})
    # Tracebacks without the frames' variables: secrets are among them.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    renderer: list[Any] = (
        [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
        if is_json
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _drop_uvicorn_colors],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    # It tells of its plans, at every start.
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # uvicorn's access log would hold query strings, and with them keys and secrets; ours has paths only.
    logging.getLogger("uvicorn.access").handlers = []
    logging.getLogger("uvicorn.access").propagate = False


def _drop_uvicorn_colors(_: Any, __: str, event: Any) -> Any:
    event.pop("color_message", None)
    return event
