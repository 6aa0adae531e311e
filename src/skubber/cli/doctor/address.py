"""The address that the server is to have, and who answers there."""

import ssl
from collections.abc import Iterator

import httpx

from skubber.cli.common import server_url
from skubber.cli.doctor.clock import check_date
from skubber.cli.doctor.finding import Finding, failure, warning, well
from skubber.client import ClientError, is_local
from skubber.server.workers.addresses import reserve
from skubber.settings import Settings, SettingsError

_PATIENCE = 10
"""Seconds that a server has to answer."""

_TITLE = "Skubber HTTP API"


def check_port(settings: Settings) -> Finding:
    """Whether the server can listen where it is to; otherwise who does."""
    place = f"{settings.host}, port {settings.port}"
    try:
        for each in reserve(settings.host, settings.port):
            each.close()
    except SettingsError as error:
        url = server_url(settings)
        if settings.port and _is_skubber(url):
            return warning(
                "port", f"a Skubber answers at {url} already", f"Look at that one: skubber doctor --url {url}."
            )
        return failure(
            "port", str(error).rstrip("."), "End what listens there, or set host and port to what this user may have."
        )
    return well("port", f"{place} is free")


def check_server(url: str) -> Iterator[Finding]:
    """Whether a running server takes clients, and what time it is there.

    Args:
        url: the server's, without a trailing slash.
    """
    try:
        answer = httpx.get(
            f"{url}/ready", timeout=_PATIENCE, verify=ssl.create_default_context(), trust_env=not is_local(url)
        )
    except (httpx.HTTPError, httpx.InvalidURL, ClientError, ImportError, ValueError) as error:
        yield failure(
            "server",
            f"{url} cannot be reached: {str(error).rstrip('.') or type(error).__name__}",
            "See that it runs, that its name leads there, and that no firewall is between; where a certificate is not "
            "trusted, see that the chain is whole.",
        )
        return
    yield _check_ready(url, answer)
    yield check_date(answer.headers.get("date"))


def _check_ready(url: str, answer: httpx.Response) -> Finding:
    if answer.status_code == httpx.codes.OK:
        return well("server", f"{url} takes clients")
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return failure(
            "server",
            f"{url} takes no clients at the moment",
            "It starts, stops, or cannot reach the broker: its log says which.",
        )
    return failure(
        "server",
        f"{url}/ready answered {answer.status_code}",
        "Give the URL of a Skubber, and see that what is in front of it passes everything on.",
    )


def _is_skubber(url: str) -> bool:
    """Whether a server on this machine is one. Its certificate may be for any name: nothing secret is sent."""
    try:
        answer = httpx.get(f"{url}/docs/openapi.json", timeout=_PATIENCE, verify=False, trust_env=False)  # noqa: S501
        return bool(answer.json()["info"]["title"] == _TITLE)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError):
        return False
