"""The server's certificate, seen by clients that shake hands without a network."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from e2e.support.certificate import make_certificate
from skubber.server.tls import Certificate
from skubber.settings import SettingsError


def serial_number(file: Path) -> int:
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


def client_context(*, trust: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trust)
    if trust is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None = "localhost") -> ssl.SSLObject:
    """Let a client and the server talk until they have agreed; returns the client's end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    while waiting:
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    return ends[0]


def served(certificate: Certificate, name: str | None = "localhost") -> int:
    """The serial number of the certificate that a new client is shown."""
    client = shake_hands(certificate.context, client_context(), name)
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path)


def replace_by_rsa(certificate: Path, key_file: Path) -> None:
    """Replace a certificate by one of the same names with a key of another kind."""
    key = rsa.generate_private_key(65537, 2048)
    old = x509.load_pem_x509_certificate(certificate.read_bytes())
    builder = x509.CertificateBuilder().subject_name(old.subject).issuer_name(old.issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(old.not_valid_before_utc).not_valid_after(old.not_valid_after_utc)
    new = builder.sign(key, hashes.SHA256())
    certificate.write_bytes(new.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))


def test_a_client_that_trusts_the_certificate_gets_in(files: tuple[Path, Path]) -> None:
    client = shake_hands(Certificate(*files).context, client_context(trust=files[0]))
    assert client.version() in {"TLSv1.2", "TLSv1.3"}


def test_protocols_older_than_tls_1_2_are_not_spoken(files: tuple[Path, Path]) -> None:
    assert Certificate(*files).context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_client_that_speaks_http_2_as_well_is_told_to_speak_http_1_1(files: tuple[Path, Path]) -> None:
    context = client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert shake_hands(Certificate(*files).context, context).selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("name", ["localhost", None])
def test_a_new_certificate_is_shown_after_reloading(files: tuple[Path, Path], name: str | None) -> None:
    certificate = Certificate(*files)
    old = serial_number(files[0])
    assert served(certificate, name) == old
    make_certificate(files[0].parent)
    assert served(certificate, name) == old
    certificate.reload()
    assert served(certificate, name) == serial_number(files[0]) != old


def test_a_new_certificate_may_have_another_kind_of_key(files: tuple[Path, Path]) -> None:
    certificate = Certificate(*files)
    replace_by_rsa(*files)
    certificate.reload()
    assert served(certificate) == serial_number(files[0])


@pytest.mark.parametrize("damage", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_an_unusable_file_is_refused_and_the_certificate_in_use_stays(
    files: tuple[Path, Path], damage: str, content: bytes | None
) -> None:
    certificate = Certificate(*files)
    old = serial_number(files[0])
    file = files[0].parent / damage
    file.unlink() if content is None else file.write_bytes(content)
    for load in (certificate.reload, lambda: Certificate(*files)):
        with pytest.raises(SettingsError, match=r"Cannot use the certificate .*\.pem with the key .*\.pem"):
            load()
    assert served(certificate) == old


def test_a_key_that_needs_a_password_is_refused(files: tuple[Path, Path]) -> None:
    key = serialization.load_pem_private_key(files[1].read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"secret")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(pem, pkcs8, encryption))
    with pytest.raises(SettingsError):
        Certificate(*files)


def test_a_key_of_another_certificate_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate = Certificate(*files)
    old = serial_number(files[0])
    other = tmp_path / "other"
    other.mkdir()
    files[1].write_bytes(make_certificate(other)[1].read_bytes())
    with pytest.raises(SettingsError):
        certificate.reload()
    assert served(certificate) == old
