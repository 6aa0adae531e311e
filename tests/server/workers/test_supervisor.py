"""A parent whose workers cannot start, in the test's own process."""

import signal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from skubber.server.workers.addresses import addresses_of, reserve
from skubber.server.workers.supervisor import MOST_FAILED_STARTS, Supervisor, serve_by_workers
from skubber.settings import Settings, SettingsError
from support.apps import make_app


async def test_it_gives_up_when_workers_end_again_and_again_before_they_serve(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(workers=2, broker="redis://127.0.0.1:1/0", database=str(tmp_path / "nowhere" / "skubber.db"))
    (reserved,) = reserve("127.0.0.1", 0)
    before = signal.getsignal(signal.SIGTERM)
    with reserved, capture_logs() as logs:
        assert await Supervisor(settings, addresses_of([reserved]), ("key", "secret")).run() == 1
    signal.signal(signal.SIGTERM, before)
    started = [entry for entry in logs if entry["event"] == "worker started"]
    assert MOST_FAILED_STARTS <= len(started) <= 2 * MOST_FAILED_STARTS
    assert [entry["event"].partition(":")[0] for entry in logs if entry["log_level"] == "critical"] == ["giving up"]
    assert "Cannot use the database" in capfd.readouterr().err


def test_a_mistake_in_the_settings_is_found_before_a_worker_is_started() -> None:
    settings = Settings(workers=2, broker="redis://127.0.0.1:1/0?no_such_option=1", port=0)
    with capture_logs() as logs, pytest.raises(SettingsError):
        serve_by_workers(settings, [make_app()])
    assert logs == []
