"""Opening the traces that the settings ask for. OpenTelemetry itself is imported no earlier than that."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from skubber.settings import Settings, SettingsError

if TYPE_CHECKING:
    from skubber.tracing.tracing import Tracing

_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_log = structlog.stdlib.get_logger("skubber.tracing")


def open_tracing(
    settings: Settings, defer: Callable[[Callable[[], None]], object], environment: Mapping[str, str] = os.environ
) -> "Tracing | None":
    """Begin to trace, if it is asked for.

    Args:
        settings: the settings.
        defer: schedules a call for the end of the running event-loop iteration (``loop.call_soon``).
        environment: the SDK's own variables, ``OTEL_*``.

    Returns:
        None when nobody wants traces: the setting names no endpoint, and neither does a variable.

    Raises:
        SettingsError: the extra is not installed, or a variable is not what it should be.
    """
    is_named = any(environment.get(name) for name in _ENDPOINT_VARIABLES)
    if not (settings.traces_endpoint or is_named) or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from skubber.tracing.tracing import Tracing
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        if settings.traces_endpoint:
            raise SettingsError(
                "Traces need OpenTelemetry: install skubber[opentelemetry], or leave traces_endpoint empty."
            ) from None
        # The variables are often there for everything on a machine: no reason not to start.
        _log.warning("no traces, though the environment names an endpoint: install skubber[opentelemetry]")
        return None
    try:
        return Tracing(settings, defer)
    except ValueError as error:
        raise SettingsError(f"Traces cannot be sent: an OTEL_* variable is wrong: {error}.") from None
