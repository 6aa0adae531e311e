"""What to do when Redis does not want this node."""

import ssl

from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

_ADVICE: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (AuthenticationError, AuthenticationWrongNumberOfArgsError),
        "check user and password in the setting broker; special characters are percent-encoded there",
    ),
    ((ReadOnlyError,), "this Redis is a replica: let the setting broker name the primary, or the Sentinels"),
    ((OutOfMemoryError,), "give Redis more memory"),
    ((ssl.SSLError,), "check the certificate of Redis, and ssl_ca_certs in the setting broker; without TLS: redis://"),
)

_FORBIDDEN_IN_SCRIPT = ("The user executing the script can't", "ACL failure in script")


def is_forbidden(error: BaseException) -> bool:
    """Whether an access list of Redis is why it does not do something.

    What a script may not do is answered without the code that tells so to a client.
    """
    return isinstance(error, NoPermissionError) or (
        isinstance(error, ResponseError) and any(sign in str(error) for sign in _FORBIDDEN_IN_SCRIPT)
    )


def advice(error: BaseException) -> str | None:
    """What whoever runs the server can do about an error; None when that is to wait.

    Args:
        error: why the broker could not be reached.
    """
    if is_forbidden(error):
        return "give the broker's user the access list of docs/scaling.md"
    for cause in (error, error.__cause__, error.__context__):
        for kinds, what_to_do in _ADVICE:
            if isinstance(cause, kinds):
                return what_to_do
    return None
