"""The broker that several servers have in common."""

from collections.abc import AsyncIterator

from redis.exceptions import RedisError, ResponseError

from skubber.brokers.redis.advice import advice
from skubber.brokers.redis.inspection import Inspection, inspect, try_rights
from skubber.cli.doctor.clock import compare_clocks
from skubber.cli.doctor.finding import Finding, failure, warning, well
from skubber.core.errors import UnavailableError
from skubber.settings import Settings

_PATIENCE = 5
"""Seconds that Redis has for its answers."""

_SLOW = 0.02
"""Seconds until an answer from which on clients notice: a subscription takes several."""


async def check_broker(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the broker that the settings name."""
    if not settings.broker:
        yield well("broker", "none: this server is the only one")
        return
    try:
        inspection = await inspect(settings.broker, _PATIENCE)
    except (TypeError, ValueError) as error:  # it does not repeat what may be a password
        yield failure("broker", f"its URL is none: {error}", "Mend the setting broker: docs/scaling.md has examples.")
        return
    except (RedisError, OSError) as error:
        yield _unreachable(error)
        return
    yield well("broker", f"Redis {inspection.version}, or what stands for it, can be reached")
    yield await _check_rights(settings)
    yield check_configuration(inspection)
    yield check_round_trip(inspection)
    yield compare_clocks("broker clock", "Redis", inspection.clock_difference)


def _unreachable(error: Exception) -> Finding:
    if isinstance(error, ResponseError) and "unknown command" in str(error):
        # It does not know HELLO, which the first version has that will do.
        return failure("broker", "Redis 5 or older", "Update it: 6 is the first version that will do.")
    message = str(error).rstrip(".") or f"no answer within {_PATIENCE} s"
    what_to_do = advice(error) or "see that it runs and can be reached from here, and that the setting broker is right"
    return failure("broker", f"cannot be used: {message}", _sentence(what_to_do))


async def _check_rights(settings: Settings) -> Finding:
    check = "broker rights"
    try:
        await try_rights(settings.broker, _PATIENCE)
    except (RedisError, OSError, UnavailableError) as error:
        cause = error.__cause__ or error
        what_to_do = advice(cause) if isinstance(cause, Exception) else None
        return failure(
            check,
            str(cause).rstrip(".") or f"no answer within {_PATIENCE} s",
            _sentence(what_to_do or "see what the log of Redis says"),
        )
    return well(check, "its user may do everything that a server does")


def check_configuration(inspection: Inspection) -> Finding:
    """Whether Redis keeps what it is given, and connections open."""
    check = "broker configuration"
    if inspection.policy is None or inspection.idle_timeout is None:
        return warning(
            check,
            "this user may not see it",
            "Have somebody look who may, with `redis-cli CONFIG GET`: maxmemory-policy must be noeviction, timeout 0.",
        )
    if inspection.policy != "noeviction":
        message = f"maxmemory-policy is {inspection.policy}"
        what_to_do = "Set `maxmemory-policy noeviction`: with keys gone, counts and rosters are wrong."
        return failure(check, message, what_to_do) if inspection.memory else warning(check, message, what_to_do)
    if inspection.idle_timeout:
        return warning(
            check,
            f"timeout is {inspection.idle_timeout} s",
            "Set `timeout 0`: a server whose connection is closed is away from the others until it is back.",
        )
    return well(check, "it evicts nothing and closes no idle connections")


def check_round_trip(inspection: Inspection) -> Finding:
    """Whether Redis is quick enough."""
    message = f"{inspection.round_trip * 1000:.1f} ms until an answer"
    if inspection.round_trip > _SLOW:
        return warning(
            "broker round trip",
            message,
            "Have Redis nearer to the servers, or find out what keeps it busy: SLOWLOG GET.",
        )
    return well("broker round trip", message)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
