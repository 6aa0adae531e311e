"""Who a SignalR client is: its access token, and the user it is or says it is.

Source: the product's API contract, "Client connections"; ASP.NET Core SignalR, "Authentication and authorization".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from skubber.codecs import access_token
from skubber.codecs.access_token import AccessToken, AccessTokenError
from skubber.core.errors import ForbiddenError, InvalidRequestError, UnauthorizedError
from skubber.store.apps import AppStore

_BEARER = b"bearer "


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated client.

    Attributes:
        token: its access token.
        user_id: its user: the token's, else the one it says it is, else None.
    """

    token: AccessToken
    user_id: str | None

    @property
    def is_proven(self) -> bool:
        """Whether the back end vouches for the user. A self-asserted one proves nothing."""
        return self.user_id is not None and self.token.grants.user_id == self.user_id

    def is_user(self, app_id: str, user_id: str | None) -> bool:
        """Whether it is that user of that app, whose requests all may use one connection."""
        return (self.token.app.id, self.user_id) == (app_id, user_id)


@dataclass(frozen=True, slots=True)
class SignalRRequest:
    """A request to the hub, of whichever transport.

    Attributes:
        parameters: the query's parameters, decoded; the first of each name counts.
        headers: names in lower case.
        is_tls: whether it came over TLS.
    """

    parameters: dict[str, str]
    headers: Sequence[tuple[bytes, bytes]]
    is_tls: bool

    @classmethod
    def of(cls, query: bytes, headers: Sequence[tuple[bytes, bytes]], *, is_tls: bool) -> "SignalRRequest":
        """Read a request's query, given as sent."""
        pairs = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")
        return cls(dict(reversed(pairs)), headers, is_tls)

    @property
    def access_token(self) -> str | None:
        """The token: of the Authorization header, else of the query."""
        for name, value in self.headers:
            if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
                return value[len(_BEARER) :].strip().decode("latin-1")
        return self.parameters.get("access_token")


def authenticate(request: SignalRRequest, apps: AppStore, now: float, grace: int = 0) -> Principal:
    """Find out who sent a request.

    Args:
        request: the request.
        apps: where apps are looked up.
        now: seconds since the epoch.
        grace: seconds for which a token is still good once it has expired.

    Raises:
        UnauthorizedError: ``missing_access_token`` or ``invalid_access_token``.
        ForbiddenError: ``app_disabled``, ``tls_required`` or ``user_mismatch``.
        InvalidRequestError: ``invalid_user_id``.
    """
    token = _token(request, apps, now, grace)
    app, pinned = token.app, token.grants.user_id
    if not app.enabled:
        raise ForbiddenError("app_disabled", "This app is disabled.")
    if app.tls_only and not request.is_tls:
        raise ForbiddenError("tls_required", "The app takes TLS connections only: use https://.")
    claimed = request.parameters.get("userId") or None
    if claimed is not None and len(claimed) > app.limits.presence_user_id_length:
        raise InvalidRequestError(
            "invalid_user_id", f"User ids have 1 to {app.limits.presence_user_id_length} characters."
        )
    if pinned is not None and claimed not in {None, pinned}:
        raise ForbiddenError("user_mismatch", "The access token was issued to another userId than the URL names.")
    return Principal(token, pinned or claimed)


def _token(request: SignalRRequest, apps: AppStore, now: float, grace: int) -> AccessToken:
    text = request.access_token
    if not text:
        raise UnauthorizedError(
            "missing_access_token",
            "Add access_token to the URL, or send an Authorization: Bearer header; "
            "POST /api/auth/signalr-token issues tokens.",
        )
    try:
        return access_token.read(text, apps.find_by_key, now, grace)
    except AccessTokenError as error:
        raise UnauthorizedError("invalid_access_token", str(error)) from None
