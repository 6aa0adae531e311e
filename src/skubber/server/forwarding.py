"""What is believed of a proxy in front of the server, where uvicorn's middleware is not asked."""

from collections.abc import Sequence

from uvicorn.middleware.proxy_headers import _TrustedHosts

_TLS = {b"https": True, b"wss": True, b"http": False, b"ws": False}


class Forwarding:
    """Decides as uvicorn's ``ProxyHeadersMiddleware`` does, for what never becomes an ASGI scope.

    Args:
        proxies: addresses and networks that are believed, as in ``FORWARDED_ALLOW_IPS``; ``*`` for everybody.
    """

    def __init__(self, proxies: list[str] | str) -> None:
        self._proxies = _TrustedHosts(proxies)

    def came_over_tls(self, peer: str | None, headers: Sequence[tuple[bytes, bytes]], *, is_tls: bool) -> bool:
        """Whether the client's own connection was over TLS.

        Args:
            peer: the address of whoever is connected; None if it has none.
            headers: the request's header fields, names in lower case.
            is_tls: whether that connection is over TLS.
        """
        if peer not in self._proxies:
            return is_tls
        # The last one is of the proxy that is next to us.
        told = next((value for name, value in reversed(headers) if name == b"x-forwarded-proto"), b"")
        return _TLS.get(told.strip(), is_tls)
