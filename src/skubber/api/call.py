"""An authenticated call, as the endpoints see it."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from skubber.api.message import ApiRequest
from skubber.api.schema import ChannelAttributes
from skubber.core.app import App
from skubber.core.broker import Occupancy
from skubber.core.errors import InvalidRequestError
from skubber.core.hub import Hub

Body = TypeVar("Body")

ATTRIBUTES = frozenset({"user_count", "subscription_count"})

_DATA_HINT = " The data of an event is a string: encode an object as JSON first."


class Call(msgspec.Struct, frozen=True):
    """One authenticated request.

    Attributes:
        app: the app it is about.
        hub: the hub.
        request: the request itself.
        arguments: the variable segments of the path after the app id, decoded.
        now: seconds since the epoch.
        trace: where the request belongs in a trace, if it is traced; see ``RequestTrace.parent``.
    """

    app: App
    hub: Hub
    request: ApiRequest
    arguments: Sequence[str]
    now: float
    trace: str | None = None

    def body(self, decoder: msgspec.json.Decoder[Body]) -> Body:
        """Decode the JSON body; where there is none, the query's parameters stand for it (Pusher allows both).

        Raises:
            InvalidRequestError: ``invalid_body``.
        """
        body = self.request.body
        if not body:
            return self._convert(decoder.type)
        try:
            if not body.isascii():
                body.decode()  # the decoder looks for bad UTF-8 only in the fields it keeps
            return decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _invalid_body("The JSON body is", error) from None

    def text(self) -> str:
        """The body as text.

        Raises:
            InvalidRequestError: ``invalid_body`` when it is not UTF-8.
        """
        try:
            return self.request.body.decode()
        except UnicodeDecodeError:
            raise InvalidRequestError("invalid_body", "The body must be UTF-8.") from None

    def _convert(self, body_type: type[Body]) -> Body:
        try:
            return msgspec.convert(self._parameters_as_body(), body_type, strict=False)
        except msgspec.ValidationError as error:
            raise _invalid_body("There is no body, and the query in its place is", error) from None

    def _parameters_as_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for key, value in self.request.parameters():
            if key.endswith("[]"):
                body.setdefault(key[:-2], []).append(value)
            else:
                body.setdefault(key, value)
        return body


def _invalid_body(subject: str, error: Exception) -> InvalidRequestError:
    hint = _DATA_HINT if str(error).endswith(".data`") else ""
    return InvalidRequestError("invalid_body", f"{subject} not what this call takes: {error}.{hint}")


def parse_info(info: str | None, allowed: frozenset[str] = ATTRIBUTES) -> frozenset[str]:
    """Split an ``info`` parameter.

    Args:
        info: names separated by commas.
        allowed: those that may be asked for here.

    Raises:
        InvalidRequestError: ``invalid_info`` when it names another.
    """
    if not info:
        return frozenset()
    names = frozenset(name.strip() for name in info.split(","))
    if unknown := names - allowed:
        raise InvalidRequestError(
            "invalid_info",
            f"info may name {', '.join(sorted(allowed))} here, not {', '.join(sorted(unknown))[:200]!r}.",
        )
    return names


def attributes(occupancy: Occupancy, info: frozenset[str]) -> ChannelAttributes:
    """What was asked for of a channel. ``user_count`` is left out where a channel has no users to count."""
    result = ChannelAttributes()
    if "user_count" in info and occupancy.users is not None:
        result.user_count = occupancy.users
    if "subscription_count" in info:
        result.subscription_count = occupancy.subscriptions
    return result
