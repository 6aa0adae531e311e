"""What the pages for people have from elsewhere."""

from importlib.resources import files
from pathlib import Path

from skubber import web
from skubber.cli.doctor.finding import Finding, warning, well
from skubber.web.console import BUILT

_VENDORED = Path(web.__file__).parent / "assets" / "vendor"
_RUN_MAKE = "Run `make web-assets`, which needs npm, or install a release: nothing but the page {page} needs it."


def check_assets(vendored: Path = _VENDORED, console: Path = BUILT) -> Finding:
    """Whether the console, the demo page and the API's documentation have everything they show.

    Args:
        vendored: the folder of what comes from npm.
        console: the folder of the built console.
    """
    if not (console / "index.html").is_file():
        return warning("web assets", "the console was not built", _RUN_MAKE.format(page="/console"))
    if not (vendored / "signalr.min.js").is_file():
        return warning("web assets", "the demo page lacks its SignalR client", _RUN_MAKE.format(page="/demo"))
    if not files("swagger_ui").joinpath("static", "swagger-ui-bundle.js").is_file():
        return warning("web assets", "the page /docs lacks Swagger UI", "Install the package swagger-ui-py anew.")
    return well("web assets", "all there")
