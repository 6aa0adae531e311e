"""What ids, names, times and pages may look like."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, UnsetType

from skubber.core.errors import ConflictError, InvalidRequestError

# Control characters are good for nothing in a name, and PostgreSQL cannot keep a NUL.
Name = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)", description="For people.")]
AppId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,100}$(?!\n)",
        description="The `{appId}` of `/apps/{appId}`: letters, digits, `_`, `-`.",
    ),
]
PlanName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,60}$(?!\n)", description="Letters, digits, `_` and `-`.")]
Time = Annotated[datetime, Meta(tz=True)]

MAX_PAGE = 200
"""Most entries on a page."""

Request = TypeVar("Request")


def checked(kind: type[Request], values: Mapping[str, Any]) -> Request:
    """A request from its fields, whose names are those of its JSON.

    Raises:
        InvalidRequestError: ``invalid_body``; the message says which field, and never repeats a value.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise invalid_body(error) from None


def decoded(kind: type[Request], body: bytes) -> Request:
    """A request from JSON; no body at all stands for ``{}``.

    Raises:
        InvalidRequestError: ``invalid_body``, as above.
    """
    try:
        return msgspec.convert(_with_whole_numbers(msgspec.json.decode(body or b"{}")), kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise invalid_body(error) from None


def _with_whole_numbers(value: Any) -> Any:
    """JSON knows one kind of number, of which 900.0 is an integer; msgspec takes it for none."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_with_whole_numbers(each) for each in value]
        case dict():
            return {name: _with_whole_numbers(each) for name, each in value.items()}
    return value


def invalid_body(reason: object) -> InvalidRequestError:
    """What answers a request that cannot be understood."""
    return InvalidRequestError("invalid_body", f"{str(reason).rstrip('.')}.")


def given(request: msgspec.Struct, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The fields that a request sets, as plain values; of those named, or of all."""
    fields = msgspec.structs.asdict(request)
    return {
        name: msgspec.to_builtins(value)
        for name, value in fields.items()
        if not isinstance(value, UnsetType) and (names is None or name in names)
    }


def json_text(value: Any) -> str:
    """A value as the JSON text that tables keep; sets in a fixed order."""
    return msgspec.json.encode(value, order="deterministic").decode()


def is_storable(text: str) -> bool:
    """Whether a database could have it at all: what could not need not be looked for, and must not be."""
    return "\0" not in text and text.isprintable()


def moment(seconds: int | None) -> datetime | None:
    """A time of a table."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def day_number(day: date) -> int:
    """Days since the epoch."""
    return (day - date(1970, 1, 1)).days


def expiry(time: datetime | None, now: float) -> int | None:
    """An expiry as tables keep it.

    Raises:
        InvalidRequestError: ``invalid_expiry`` when it is over already.
    """
    if time is None:
        return None
    seconds = int(time.timestamp())
    if seconds <= now:
        raise InvalidRequestError("invalid_expiry", "expiresAt must be in the future.")
    return seconds


def configured_app(app_id: str) -> ConflictError:
    """What answers an attempt to change an app of the configuration."""
    return ConflictError("configured_app", f"The app {app_id} is set in the configuration: change it there.")
