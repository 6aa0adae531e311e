"""What the pages have from elsewhere."""

from pathlib import Path

from skubber.cli.doctor.assets import check_assets
from skubber.cli.doctor.finding import Status


def test_without_the_signalr_client_the_demo_page_is_less(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    finding = check_assets(tmp_path, tmp_path)
    assert finding.status is Status.WARNING
    assert "make web-assets" in finding.advice
    (tmp_path / "signalr.min.js").touch()
    assert check_assets(tmp_path, tmp_path).status is Status.OK


def test_a_console_that_was_not_built_is_told(tmp_path: Path) -> None:
    (tmp_path / "signalr.min.js").touch()
    finding = check_assets(tmp_path, tmp_path)
    assert finding.status is Status.WARNING
    assert "/console" in finding.advice
