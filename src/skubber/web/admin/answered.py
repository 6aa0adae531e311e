"""How the admin API answers, whatever becomes of a request.

Source: RFC 6750, "The OAuth 2.0 Authorization Framework: Bearer Token Usage", section 3.
"""

from collections.abc import Awaitable

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from skubber.api.message import error_response
from skubber.core.errors import SkubberError, UnauthorizedError, UnavailableError
from skubber.web.errors import api_response

_log = structlog.stdlib.get_logger("skubber.admin")


async def answered(path: str, work: Awaitable[Response]) -> Response:
    """The answer to a request, or to its failure; nobody on the way keeps a copy.

    Args:
        path: the path, its variables as such, for the log.
        work: answers the request, or raises why not.
    """
    try:
        response = await work
    except SQLAlchemyError as error:
        _log.error("the database failed", path=path, reason=type(error).__name__)
        unavailable = UnavailableError("database_unavailable", "The database cannot be used now: try again later.")
        response = api_response(error_response(unavailable))
    except SkubberError as error:
        response = api_response(error_response(error))
    response.headers["cache-control"] = "no-store"
    if response.status_code == UnauthorizedError.status:
        response.headers["www-authenticate"] = 'Bearer realm="skubber"'
    return response
