"""The certificate that a server shows, over real sockets."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.certificate import make_certificate
from skubber.cli.doctor.finding import Finding, Status
from skubber.cli.doctor.served_certificate import check_served_certificate


class TlsServer:
    """Shakes hands with whoever comes, and hangs up."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            plain, _ = self._listener.accept()
            with plain:
                try:
                    with self._context.wrap_socket(plain, server_side=True) as connection:
                        if connection.recv(1) == b"!":
                            return
                except OSError:  # it does not take the certificate
                    continue

    def stop(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port)) as plain, context.wrap_socket(plain) as connection:
            connection.sendall(b"!")
        self._thread.join()
        self._listener.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[TlsServer]:
    server = TlsServer(*make_certificate(tmp_path))
    yield server
    server.stop()


def findings(url: str) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_served_certificate(url)}


def test_a_certificate_that_this_machine_does_not_know_fails(served: TlsServer) -> None:
    found = findings(f"https://localhost:{served.port}")
    assert found["served certificate"].status is Status.FAILED
    assert "localhost" in found["served certificate"].message
    assert "served expiry" in found


def test_a_certificate_is_good_for_the_name_it_is_for(
    served: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert findings(f"https://localhost:{served.port}")["served certificate"].status is Status.OK


def test_how_long_it_is_good_yet_is_told_with_what_to_do(served: TlsServer) -> None:
    expiry = findings(f"https://localhost:{served.port}")["served expiry"]
    assert expiry.message.startswith("valid until ")
    assert (expiry.status is Status.OK) == (expiry.advice == "")


@pytest.mark.parametrize("url", ["http://localhost:1", "https://localhost:1"])
def test_where_there_is_no_tls_or_nobody_nothing_is_found(url: str) -> None:
    assert findings(url) == {}
