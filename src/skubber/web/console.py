"""The console at ``/console``: a page that lives on the admin API, built from ``console/`` by ``make web-assets``."""

from pathlib import Path

import structlog
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from skubber.web.pages import PageHeaders

BUILT = Path(__file__).parent / "assets" / "console"
"""Where the built console is, if it was built."""

_MISSING = (Path(__file__).parent / "html" / "console_missing.html").read_text()

# The names of built files change with what is in them.
_FOREVER = "public, max-age=31536000, immutable"

_log = structlog.stdlib.get_logger("skubber.server")


class _BuiltFiles(StaticFiles):
    """The built scripts and styles, compressed when they were built, for whoever can take that.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._folder = folder
        self._compressed = {file.stem for file in folder.glob("*.gz")}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code != 200:
            return response
        headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
        if path in self._compressed and _takes_gzip(scope):
            headers["content-encoding"] = "gzip"
            return FileResponse(
                self._folder / f"{path}.gz", headers=headers, media_type=response.headers["content-type"]
            )
        response.headers.update(headers)
        return response


def console_routes(built: Path = BUILT) -> list[BaseRoute]:
    """The console's page, under every address that it has, and its files. Says so in the log where it was not built.

    Args:
        built: where it is.
    """
    headers = [Middleware(PageHeaders)]
    is_built = (built / "index.html").is_file()
    if not is_built:
        _log.warning("the console was not built: run `make web-assets` where npm is")

    async def page(_: Request) -> Response:
        return FileResponse(built / "index.html") if is_built else HTMLResponse(_MISSING, 503)

    pages = [Route(path, page, middleware=headers) for path in ("/console", "/console/{rest:path}")]
    if not is_built:
        return [*pages]
    return [*pages, Mount("/assets/console/assets", _BuiltFiles(built / "assets"), middleware=headers)]


def _takes_gzip(scope: Scope) -> bool:
    encodings = Request(scope).headers.get("accept-encoding", "").split(",")
    return any(encoding.partition(";")[0].strip() == "gzip" for encoding in encodings)
