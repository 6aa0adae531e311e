"""The TLS certificate: whether it can be served, and whether clients will take it."""

import contextlib
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from skubber.cli.doctor.finding import Finding, failure, warning, well
from skubber.server.tls import Certificate
from skubber.settings import Settings, SettingsError

_SOON, _VERY_SOON = timedelta(days=30), timedelta(days=7)

_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - nothing is bound here


def check_certificate(settings: Settings, host: str | None = None) -> Iterator[Finding]:
    """Look at the files that the settings name.

    Args:
        settings: the settings.
        host: the name that clients use, if it is known.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        yield well("certificate", "none: the server speaks HTTP, and TLS is a proxy's")
        return
    file = Path(settings.tls_certificate)
    try:
        served = Certificate(file, Path(settings.tls_key)).context
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except (SettingsError, OSError, ValueError) as error:
        yield failure(
            "certificate",
            str(error).rstrip("."),
            "Let tls_certificate be a PEM file of the chain and tls_key one of its private key, without a password, "
            "that the server's user may read.",
        )
        return
    yield well("certificate", f"{file} fits its key")
    yield check_expiry(chain)
    yield _check_chain(served)
    yield _check_name(served, file, chain[0], host or settings.host)


def check_expiry(chain: Sequence[x509.Certificate], now: datetime | None = None) -> Finding:
    """Whether a chain is good for some time yet.

    Args:
        chain: the certificates.
        now: the time, this machine's if not given.
    """
    now = now or datetime.now(UTC)
    begin = max(each.not_valid_before_utc for each in chain)
    end = min(each.not_valid_after_utc for each in chain)
    if begin > now:
        return failure("certificate expiry", f"not valid before {begin:%Y-%m-%d %H:%M}Z", "Check this machine's clock.")
    message = f"valid until {end:%Y-%m-%d %H:%M}Z"
    advice = "Renew it and send the server SIGHUP: it reads the certificate again, and nobody is disconnected."
    if end - now < _VERY_SOON:
        return failure("certificate expiry", message, advice)
    if end - now < _SOON:
        return warning("certificate expiry", message, advice)
    return well("certificate expiry", message)


def _check_chain(served: ssl.SSLContext) -> Finding:
    """Whether a client on this machine trusts what is served."""
    client = ssl.create_default_context()
    client.check_hostname = False
    try:
        shake_hands(served, client, None)
    except ssl.SSLCertVerificationError as error:
        return warning(
            "certificate chain",
            f"this machine does not trust it: {error.verify_message}",
            "Put the intermediate certificates into the file of tls_certificate, after the server's own; if the "
            "authority is your own, see that all clients and back ends know it.",
        )
    return well("certificate chain", "leads to an authority that this machine trusts")


def _check_name(served: ssl.SSLContext, file: Path, certificate: x509.Certificate, host: str) -> Finding:
    """Whether the certificate is for the name that clients use."""
    names = ", ".join(_names(certificate)) or "none"
    if host in _ANY_ADDRESS:
        return well("certificate name", f"for {names}")
    try:
        shake_hands(served, trusting(file), host)
    except ssl.SSLCertVerificationError:
        return failure(
            "certificate name",
            f"for {names}, and not for {host}",
            f"Get a certificate that is for {host}, or have clients use a name that this one is for.",
        )
    return well("certificate name", f"for {host}")


def trusting(file: Path) -> ssl.SSLContext:
    """A client's context that trusts the certificates of a file, whoever made them, and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(file)
    return context


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str | None) -> None:
    """Let a server and a client meet in memory: what OpenSSL says is what a real client will be told.

    Raises:
        ssl.SSLCertVerificationError: the client does not take the certificate.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(3):  # more than TLS 1.2 needs, which has the longer handshake
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = extension.value
    addresses = names.get_values_for_type(x509.IPAddress)
    return [*names.get_values_for_type(x509.DNSName), *map(str, addresses)]
