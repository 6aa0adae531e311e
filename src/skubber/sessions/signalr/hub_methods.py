"""The signatures of the methods that SignalR clients call.

Source: the hub contract; targets are matched without regard to case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from skubber.core.errors import InvalidRequestError

_decode = msgspec.json.decode


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a method.

    Attributes:
        name: as the documents spell it.
        types: of the parameters.
        required: how many must be there.
        text: how the documents write the parameters.
    """

    name: str
    types: tuple[Any, ...]
    required: int
    text: str

    def bind(self, arguments: Sequence[Raw]) -> list[Any]:
        """Decode the arguments; those left out at the end are None.

        Raises:
            InvalidRequestError: ``invalid_arguments``.
        """
        if not self.required <= len(arguments) <= len(self.types):
            raise self._invalid(f"{len(arguments)} arguments were given")
        try:
            values = [_decode(raw, type=kind) for raw, kind in zip(arguments, self.types, strict=False)]
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise self._invalid(str(error)) from None
        return values + [None] * (len(self.types) - len(values))

    def _invalid(self, reason: str) -> InvalidRequestError:
        return InvalidRequestError("invalid_arguments", f"Call {self.name}({self.text}): {reason}.")


SUBSCRIBE = Signature("Subscribe", (str, str | None, str | None), 1, "channel, auth?, channelData?")
STREAM_EVENTS = Signature("StreamEvents", (str, str | None, str | None), 1, "channel, auth?, channelData?")
UNSUBSCRIBE = Signature("Unsubscribe", (str,), 1, "channel")
TRIGGER = Signature("Trigger", (str, str, Raw), 3, "channel, event, data")
SIGN_IN = Signature("SignIn", (str, str), 2, "auth, userData")
