"""The server's TLS certificate, replaced in place while it runs."""

import ssl
from pathlib import Path

from skubber.settings import SettingsError


class Certificate:
    """A certificate and key on disk, and the context that serves them.

    Args:
        certificate: PEM file with the chain.
        key: PEM file with the private key.

    Raises:
        SettingsError: the files cannot be read or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self.context = self._load(_new_context())

    def reload(self) -> None:
        """Read the files again; connections made from now on are served with what they hold.

        Raises:
            SettingsError: the new files are unusable; the certificate in use stays.
        """
        self._load(_new_context())
        self._load(self.context)

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        try:
            context.load_cert_chain(self._certificate, self._key)
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
