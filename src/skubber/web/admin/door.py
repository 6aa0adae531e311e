"""The door of the admin API: who may come in, by a bearer token or by the cookie of a session.

Sources: RFC 6750, "The OAuth 2.0 Authorization Framework: Bearer Token Usage", section 2.1; OWASP, "Cross-Site Request
Forgery Prevention Cheat Sheet", custom request headers.
"""

import math
from collections.abc import Callable

from starlette.requests import Request

from skubber.core.errors import ForbiddenError, NotFoundError, RateLimitedError, UnauthorizedError
from skubber.core.token_bucket import TokenBuckets
from skubber.store.administration.administration import Administration
from skubber.store.administration.sessions import SignIn
from skubber.store.administration.tokens import AdminToken

SESSION_COOKIE = "skubber_session"
"""The cookie of a session."""

CONSOLE_HEADER = "x-skubber-console"
"""Its value is ``1``. A page of another origin cannot send it: it would need a CORS preflight to be answered."""

# Wrong tokens that one address may send at once, and how fast it may send more.
_GUESSES, _GUESSES_PER_SECOND = 10, 0.2


class Door:
    """Lets in whoever has a good token or a session, and tells whoever guesses to slow down.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._guesses = TokenBuckets(_GUESSES, _GUESSES_PER_SECOND)

    async def let_in(self, request: Request, administration: Administration) -> AdminToken:
        """Whose request it is. With an Authorization header the cookie counts for nothing.

        Raises:
            ForbiddenError: ``console_header_missing``.
            RateLimitedError: ``too_many_attempts``.
            UnauthorizedError: ``invalid_admin_token`` or ``session_ended``.
        """
        authorization = request.headers.get("authorization")
        session = request.cookies.get(SESSION_COOKIE)
        if authorization is None and session is not None:
            see_console_header(request)
            # Not counted as a guess: pages that are still open when their session ends send it many times.
            return await administration.sessions.authenticate(session)
        scheme, _, token = (authorization or "").partition(" ")
        try:
            return await administration.tokens.authenticate(token.strip() if scheme.lower() == "bearer" else "")
        except UnauthorizedError:
            self._count_guess(request)
            raise

    async def sign_in(
        self, request: Request, sign_in: SignIn, administration: Administration
    ) -> tuple[AdminToken, str]:
        """Begin a session; returns as ``SessionAdministration.create`` does.

        Raises:
            RateLimitedError: ``too_many_attempts``.
            UnauthorizedError: ``invalid_admin_token``.
        """
        try:
            return await administration.sessions.create(sign_in)
        except UnauthorizedError:
            self._count_guess(request)
            raise

    def _count_guess(self, request: Request) -> None:
        # Good tokens are let in all the same: nobody can lock out an operator behind the same proxy.
        address, now = request.client.host if request.client else "", self._clock()
        wait = math.ceil(self._guesses.wait(address, now))
        if wait > 0:
            raise RateLimitedError(
                "too_many_attempts", f"Too many wrong tokens came from here: try again in {wait} s.", wait
            )
        self._guesses.take(address, now)


def see_database(administration: Administration | None) -> Administration:
    """See that there is something to administer.

    Raises:
        NotFoundError: ``no_database``.
    """
    if administration is None:
        raise NotFoundError("no_database", "There is nothing to administer: this server has no database.")
    return administration


def see_console_header(request: Request) -> None:
    """See that a request is the console's own.

    Raises:
        ForbiddenError: ``console_header_missing``.
    """
    if request.headers.get(CONSOLE_HEADER) != "1":
        raise ForbiddenError(
            "console_header_missing", "With a session send the header X-Skubber-Console: 1, as the console does."
        )
