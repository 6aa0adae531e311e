"""The certificate that clients are shown by a running server, or by what stands in front of it."""

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from skubber.cli.doctor.certificate import check_expiry
from skubber.cli.doctor.finding import Finding, failure, well

_PATIENCE = 10
"""Seconds for a connection and its handshake."""


def check_served_certificate(url: str) -> Iterator[Finding]:
    """Whether clients take it, and for how long yet. Nothing is found where there is no TLS, or nobody answers.

    Args:
        url: the server's.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return
    address = parts.hostname, parts.port or 443
    untrusting = ssl.create_default_context()
    untrusting.check_hostname = False
    untrusting.verify_mode = ssl.CERT_NONE
    try:
        served = x509.load_der_x509_certificate(_shown(address, untrusting))
    except (OSError, ValueError):
        return  # the server is looked at anyway, and that tells
    yield _check_trust(address)
    expiry = check_expiry([served])
    advice = "Renew it where TLS ends: at the server, or at the proxy in front of it." if expiry.advice else ""
    yield msgspec.structs.replace(expiry, check="served expiry", advice=advice)


def _check_trust(address: tuple[str, int]) -> Finding:
    try:
        _shown(address, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return failure(
            "served certificate",
            f"this machine does not take it for {address[0]}: {error.verify_message.rstrip('.')}",
            "Have what ends TLS serve the whole chain of a certificate for this name; if the authority is your own, "
            "see that all clients and back ends know it.",
        )
    except OSError as error:
        return failure("served certificate", f"the handshake failed: {error}", "Try again; see the server's log.")
    return well("served certificate", f"good for {address[0]}")


def _shown(address: tuple[str, int], client: ssl.SSLContext) -> bytes:
    """The certificate that a client is shown, once it has taken it; DER."""
    with (
        socket.create_connection(address, _PATIENCE) as plain,
        client.wrap_socket(plain, server_hostname=address[0]) as connection,
    ):
        return connection.getpeercert(binary_form=True) or b""
