"""Which addresses webhooks may go to. Whoever names a URL must not reach what only this machine can reach.

Sources: RFC 6890 (special-purpose addresses), RFC 4291 section 2.5.5, RFC 3056, RFC 4380, RFC 6052, RFC 8215 (IPv4
addresses inside IPv6 ones); OWASP, "Server-Side Request Forgery Prevention Cheat Sheet".
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TRANSLATED = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")

# What Python's tables, depending on its version, may hold for public.
_NEVER_PUBLIC = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"), IPv4Network("192.88.99.0/24"))


class RefusedAddressError(httpcore.ConnectError):
    """A name leads to addresses that webhooks may not go to, and to no others."""


def is_allowed(address: Address, networks: Iterable[Network] = ()) -> bool:
    """Whether webhooks may go to an address: it is public, or in one of the networks.

    An IPv6 address that leads to an IPv4 one is as good as that one.
    """
    if any(address in network for network in networks):
        return True
    inner = _inner_addresses(address)
    if inner:
        return all(is_allowed(each, networks) for each in inner)
    if address.is_multicast or any(address in network for network in _NEVER_PUBLIC):
        return False
    return address.is_global


def _inner_addresses(address: Address) -> Sequence[IPv4Address]:
    if isinstance(address, IPv4Address):
        return ()
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _TRANSLATED or address in _COMPATIBLE:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to allowed addresses only.

    It looks names up itself and connects to the very address that it has judged: a name that leads elsewhere a moment
    later is of no use.

    Args:
        networks: networks that may be connected to though they are not public, like ``10.0.0.0/8``.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = [ip_network(network) for network in networks]
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host, trying its addresses in turn.

        Raises:
            RefusedAddressError: none of its addresses may be connected to.
            httpcore.ConnectError: there is no such host, or nothing answers there.
        """
        failure: httpcore.ConnectError | None = None
        for address in await self._allowed_addresses(host, port):
            try:
                stream = await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
            else:
                return _Stream(stream)
        raise failure or httpcore.ConnectError(f"{host} has no address.")

    async def _allowed_addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"Cannot look {host} up: {error}") from error
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        allowed = [each for each in addresses if is_allowed(ip_address(each), self._networks)]
        if addresses and not allowed:
            raise RefusedAddressError(f"{host} is at {addresses[0]}, which webhooks may not go to.")
        return allowed


class _Stream(httpcore.AsyncNetworkStream):
    """A stream that is closed when its TLS handshake is cut short; httpcore would leave its socket open.

    Args:
        stream: the stream it stands for.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
