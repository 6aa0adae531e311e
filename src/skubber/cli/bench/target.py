"""Finding the server, and getting its clients let in."""

import asyncio
import socket
import ssl

import httpx
import msgspec

from skubber.client import ClientError, is_local
from skubber.core.app import App
from skubber.load.reasons import reason
from skubber.load.tasks import Protocol, Target

_PATIENCE = 10
"""Seconds that the server has to take a connection, or to answer."""

_TOKEN_PATH = "/api/auth/signalr-token"  # noqa: S105


class _Token(msgspec.Struct):
    token: str


async def find_target(url: str, app: App, protocol: Protocol) -> Target:
    """The server at a URL, with what its clients need to be let in.

    All clients connect to the first of its addresses that takes a connection: asking for its name every time would
    measure the resolver, too. No proxy of the environment's is asked.

    Args:
        url: ``http://HOST[:PORT]`` or with ``https``; without a slash at its end.
        app: the app, with a key that may publish and connect.
        protocol: what the clients will speak.

    Raises:
        ClientError: there is none, or it does not let anybody in.
    """
    is_local(url)  # which refuses what is no URL
    parsed = httpx.URL(url)
    is_tls = parsed.scheme == "https"
    port = parsed.port or (443 if is_tls else 80)
    key = next(iter(app.keys.values()))
    return Target(
        await _address(url, parsed.host, port),
        port,
        parsed.host,
        parsed.netloc.decode(),
        parsed.path.rstrip("/"),
        is_tls,
        app.id,
        key.key,
        key.secret,
        await _token(url, key.key, key.secret) if protocol == "signalr" else "",
    )


async def _address(url: str, host: str, port: int) -> str:
    why = "it has no address"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, address in found:
            try:
                async with asyncio.timeout(_PATIENCE):
                    _, writer = await asyncio.open_connection(str(address[0]), port)
            except TimeoutError:
                why = f"no answer within {_PATIENCE} s"
            except OSError as error:
                why = reason(error)
            else:
                writer.close()
                return str(address[0])
    except (OSError, UnicodeError) as error:
        why = reason(error)
    raise ClientError(f"Cannot reach {url}: {why}.")


async def _token(url: str, key: str, secret: str) -> str:
    try:
        trusted = ssl.create_default_context()  # the certificates that the clients trust
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE, verify=trusted) as client:
            answer = await client.post(f"{url}{_TOKEN_PATH}", json={"apiKey": key, "apiSecret": secret})
        if answer.status_code != httpx.codes.OK:
            raise ClientError(f"{url} issues no access token: {answer.status_code}: {answer.text[:300]}")
        return msgspec.json.decode(answer.content, type=_Token).token
    except (httpx.HTTPError, msgspec.MsgspecError) as error:
        raise ClientError(f"{url} issues no access token: {reason(error)}.") from None
