"""What a back end signs for its users: channel authorizations and sign-ins.

Source: Pusher Channels documentation, "Library auth reference": private channels, presence channels, user
authentication.
"""

import msgspec
from msgspec import Raw

from skubber.codecs import signing
from skubber.codecs.json_text import is_portable_json
from skubber.core.app import ApiKey
from skubber.core.errors import InvalidRequestError, UnauthorizedError
from skubber.core.limits import Limits
from skubber.core.presence import PresenceMember


class _ChannelData(msgspec.Struct):
    user_id: str | int
    user_info: Raw = Raw(b"null")


class _UserData(msgspec.Struct):
    id: str | int
    watchlist: list[str | int] | None = None


class SignedInUser(msgspec.Struct, frozen=True):
    """Who signs in.

    Attributes:
        user_id: the user.
        watchlist: the users whose coming and going the client wants to hear of, each once.
    """

    user_id: str
    watchlist: tuple[str, ...] = ()


_decode_channel_data = msgspec.json.Decoder(_ChannelData).decode
_decode_user_data = msgspec.json.Decoder(_UserData).decode


def check_channel_signature(
    auth: str | None, key: ApiKey, socket_id: str, channel: str, channel_data: str | None
) -> None:
    """Check that a back end allows a connection on a private or presence channel.

    Args:
        auth: ``KEY:SIGNATURE``, as the client sent it.
        key: the key that must have signed: the one the client connected with.
        socket_id: the connection.
        channel: the channel.
        channel_data: who the user is, exactly as the client sent it; None on private channels.

    Raises:
        UnauthorizedError: ``invalid_signature``.
    """
    text = signing.channel_text(socket_id, channel, channel_data)
    if not _is_signed(auth, key, text):
        signed = "socket_id:channel" if channel_data is None else "socket_id:channel:channel_data"
        raise UnauthorizedError(
            "invalid_signature",
            f"Invalid signature: auth must be KEY:SIGNATURE, the HMAC SHA256 hex digest of {signed} "
            f"({socket_id}:{channel}...) under the secret of the key this client connected with.",
        )


def check_user_signature(auth: str | None, key: ApiKey, socket_id: str, user_data: str) -> None:
    """Check that a back end vouches for who a connection's user is; the arguments are those of the channel's check.

    Raises:
        UnauthorizedError: ``invalid_signature``.
    """
    if not _is_signed(auth, key, signing.user_text(socket_id, user_data)):
        raise UnauthorizedError(
            "invalid_signature",
            "Invalid signature: auth must be KEY:SIGNATURE, the HMAC SHA256 hex digest of socket_id::user::user_data "
            "under the secret of the key this client connected with.",
        )


def decode_channel_data(channel_data: str, limits: Limits) -> PresenceMember:
    """Decode the ``channel_data`` of a presence subscription: JSON with ``user_id`` and perhaps ``user_info``.

    A ``user_id`` is a string; numbers are seen and taken as strings.

    Raises:
        InvalidRequestError: ``invalid_channel_data``.
    """
    try:
        data = _decode_channel_data(channel_data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidRequestError(
            "invalid_channel_data", f'Sign channel_data like {{"user_id": "1", "user_info": {{}}}}: {error}.'
        ) from None
    user_id = _checked_user_id("invalid_channel_data", "user_id", data.user_id, limits)
    user_info = bytes(data.user_info)
    if len(user_info) > limits.presence_user_info_bytes:
        raise InvalidRequestError(
            "invalid_channel_data", f"A user_info has at most {limits.presence_user_info_bytes} bytes."
        )
    if not is_portable_json(user_info):
        raise InvalidRequestError("invalid_channel_data", "user_info must be JSON that every client can read.")
    return PresenceMember(user_id, user_info)


def decode_user_data(user_data: str, limits: Limits) -> SignedInUser:
    """Decode the ``user_data`` of a sign-in: JSON with an ``id`` and perhaps a ``watchlist`` of ids.

    Ids are strings; numbers are seen and taken as strings.

    Raises:
        InvalidRequestError: ``invalid_user_data``.
    """
    try:
        data = _decode_user_data(user_data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidRequestError("invalid_user_data", f'Sign user_data like {{"id": "1"}}: {error}.') from None
    user_id = _checked_user_id("invalid_user_data", "id", data.id, limits)
    watched = (_checked_user_id("invalid_user_data", "watched id", each, limits) for each in data.watchlist or ())
    return SignedInUser(user_id, tuple(dict.fromkeys(watched)))


def _is_signed(auth: str | None, key: ApiKey, text: bytes) -> bool:
    signer, _, signature = (auth or "").rpartition(":")
    # The signature is compared whatever the key says, so that the time taken tells nothing.
    return signing.is_signed(key, text, signature) and signer == key.key


def _checked_user_id(code: str, member: str, value: str | int, limits: Limits) -> str:
    user_id = str(value)
    if not 1 <= len(user_id) <= limits.presence_user_id_length:
        raise InvalidRequestError(code, f"A {member} has 1 to {limits.presence_user_id_length} characters.")
    return user_id
