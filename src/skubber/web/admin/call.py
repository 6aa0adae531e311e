"""One call of the admin API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from skubber.core.app import App
from skubber.core.errors import InvalidRequestError
from skubber.store.administration.administration import Administration
from skubber.store.administration.ledger import no_such_app
from skubber.store.administration.rules import MAX_PAGE, Request, decoded
from skubber.store.administration.tokens import AdminToken
from skubber.web.admin.services import AdminServices

_DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class AdminCall:
    """A request of somebody who may make it.

    Attributes:
        administration: what does it.
        services: what this server does for it.
        token: whose request it is.
        path: the path's variables.
        query: the query's parameters, each one that the endpoint takes.
        body: the body, JSON if there is any.
    """

    administration: Administration
    services: AdminServices
    token: AdminToken
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def actor(self) -> str:
        """Who it is, for the record."""
        return f"token:{self.token.id}"

    @property
    def app(self) -> App:
        """The app of the path, as this server serves it.

        Raises:
            NotFoundError: ``no_such_app``.
        """
        app = self.services.apps.find(self.path["appId"])
        if app is None:
            raise no_such_app()
        return app

    @property
    def limit(self) -> int:
        """Most entries on the page that is asked for; raises as ``number`` does."""
        return self.number("limit", 1, MAX_PAGE) or _DEFAULT_PAGE

    def request(self, kind: type[Request]) -> Request:
        """The body; raises as ``rules.decoded`` does."""
        return decoded(kind, self.body)

    def number(self, name: str, least: int, most: int) -> int | None:
        """A parameter that is a number; None when it is not there.

        Raises:
            InvalidRequestError: ``invalid_query``.
        """
        text = self.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise InvalidRequestError("invalid_query", f"{name} is a number from {least} to {most}.")
        return int(text)

    def day(self, name: str) -> date | None:
        """A parameter that is a date; None when it is not there.

        Raises:
            InvalidRequestError: ``invalid_query``.
        """
        text = self.query.get(name)
        try:
            return None if text is None else date.fromisoformat(text)
        except ValueError:
            raise InvalidRequestError("invalid_query", f"{name} is a date like 2026-01-31.") from None
