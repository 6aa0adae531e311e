"""The server's TLS certificate, replaced in place while it runs."""

import ssl
from pathlib import Path

from skubber.settings import SettingsError


class Certificate:
    """A certificate and key on disk, and the context that serves them.

    Args:
        certificate: PEM file with the chain.
        key: PEM file with the private key.

    Attributes:
        context: the context to listen with.

    Raises:
        SettingsError: the files cannot be read or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._current = self.context = self._load()
        # A context keeps one certificate for each kind of key, so the old one has to go with its whole context. The
        # callback comes into play for clients that name no server, too.
        self.context.sni_callback = self._use_current

    def reload(self) -> None:
        """Read the files again; connections made from now on are served with what they hold.

        Raises:
            SettingsError: the new files are unusable; the certificate in use stays.
        """
        self._current = self._load()

    def _use_current(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        context = _new_context()
        try:
            # The empty password keeps OpenSSL from asking for one in the terminal, and the server from waiting for it.
            context.load_cert_chain(self._certificate, self._key, password="")
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"Cannot use the certificate {self._certificate} with the key {self._key}: {error}."
            ) from None
        return context


def _new_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
