"""Certificates that cannot be served, or that clients will not take."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from e2e.support.certificate import make_certificate
from skubber.cli.doctor.certificate import check_certificate, check_expiry
from skubber.cli.doctor.finding import Finding, Status
from skubber.settings import Settings

CHECKS = {"certificate", "certificate expiry", "certificate chain", "certificate name"}


def findings(certificate: Path, key: Path, host: str = "localhost") -> dict[str, Finding]:
    settings = Settings(host=host, tls_certificate=str(certificate), tls_key=str(key))
    return {finding.check: finding for finding in check_certificate(settings)}


def test_without_a_certificate_there_is_nothing_to_look_at() -> None:
    assert [finding.status for finding in check_certificate(Settings())] == [Status.OK]


@pytest.mark.parametrize("missing", ["certificate.pem", "key.pem"])
def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path, missing: str) -> None:
    certificate, key = make_certificate(tmp_path)
    (tmp_path / missing).unlink()
    assert [(each.check, each.status) for each in findings(certificate, key).values()] == [
        ("certificate", Status.FAILED)
    ]


def test_a_key_of_another_certificate_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    certificate, _ = make_certificate(tmp_path)
    _, key = make_certificate(tmp_path / "other")
    assert findings(certificate, key)["certificate"].status is Status.FAILED


def test_a_certificate_that_signs_itself_is_not_trusted_unless_this_machine_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    found = findings(certificate, key)
    assert set(found) == CHECKS
    assert found["certificate chain"].status is Status.WARNING
    assert "intermediate" in found["certificate chain"].advice
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert findings(certificate, key)["certificate chain"].status is Status.OK


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", Status.OK),
        ("127.0.0.1", Status.OK),
        ("0.0.0.0", Status.OK),
        ("push.example.com", Status.FAILED),
        ("127.0.0.2", Status.FAILED),
    ],
)
def test_the_certificate_is_for_the_name_that_clients_use(tmp_path: Path, host: str, status: Status) -> None:
    finding = findings(*make_certificate(tmp_path), host)["certificate name"]
    assert finding.status is status
    assert (host if status is Status.OK and host != "0.0.0.0" else "for localhost, 127.0.0.1") in finding.message


@pytest.mark.parametrize(
    ("days", "status"),
    [(-60, Status.OK), (-20, Status.WARNING), (-1, Status.FAILED), (3, Status.FAILED), (-100, Status.FAILED)],
)
def test_a_certificate_is_renewed_in_time(tmp_path: Path, days: int, status: Status) -> None:
    file, _ = make_certificate(tmp_path, lifetime=timedelta(days=90))
    chain = x509.load_pem_x509_certificates(file.read_bytes())
    now = datetime.now(UTC)
    assert check_expiry(chain, now + timedelta(days=90 + days)).status is status


def test_a_certificate_that_ends_within_a_week_fails_the_whole_look(tmp_path: Path) -> None:
    files = make_certificate(tmp_path, lifetime=timedelta(days=2))
    assert findings(*files)["certificate expiry"].status is Status.FAILED
