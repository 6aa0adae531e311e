"""Opening routes to the pages of any site, as the clients of both protocols need it."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

ANY_ORIGIN = [
    Middleware(
        CORSMiddleware,
        allow_origin_regex=".*",
        allow_credentials=True,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        max_age=7200,
    )
]
"""Browsers send credentials with SignalR's and SockJS's requests, so the origin is echoed. No cookie means anything to
us."""
