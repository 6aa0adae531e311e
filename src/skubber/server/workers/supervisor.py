"""The parent of the workers: it starts them, replaces those that die, and ends when they have.

uvicorn's own (``uvicorn.supervisors.Multiprocess``) does not fit: it hands its workers a pickled configuration, and
ours holds protocol factories around a hub; they share one listening socket (see ``addresses``); they outlive a parent
that is killed; one that dies is replaced without a pause, one that fails to start takes all others with it; and SIGHUP
replaces them all, where ours is to read the certificate again.
"""

import asyncio
import signal
import time
from collections.abc import Iterable

import structlog

from skubber.core.app import App
from skubber.server.run import build_server
from skubber.server.stop_signals import StopSignals
from skubber.server.workers.addresses import Address, addresses_of, reserve
from skubber.server.workers.assignment import Assignment
from skubber.server.workers.process import WorkerProcess
from skubber.server.workers.restarts import Restarts
from skubber.settings import Settings
from skubber.webhooks.pause import pause

MOST_FAILED_STARTS = 3
"""After so many in a row, where no other worker serves, starting is given up."""

_log = structlog.stdlib.get_logger("skubber.workers")


def serve_by_workers(settings: Settings, apps: Iterable[App]) -> int:
    """Serve with ``settings.workers`` processes until a signal ends it.

    SIGTERM and SIGINT have the workers send their clients to reconnect and end; a second one kills them. SIGHUP has
    them read the certificate again.

    Args:
        settings: the settings. What is made once, in the database say, has been made.
        apps: the apps that the settings name, or the demo app.

    Returns:
        The exit status: 0; 1 where workers could not be started; beyond 128 where a signal has killed them.

    Raises:
        SettingsError: the certificate or the broker's URL cannot be used, or the port is taken.
        ValueError: two apps share an id or a key.
    """
    apps = list(apps)
    # A mistake in the settings is told once, and not by every worker.
    build_server(settings, apps)
    keys = [key for app in apps if app.is_demo for key in app.keys.values()]
    demo_key = (keys[0].key, keys[0].secret) if keys else None
    reserved = reserve(settings.host, settings.port)
    try:
        supervisor = Supervisor(settings, addresses_of(reserved), demo_key)
        _log.info("serving", host=settings.host, port=reserved[0].getsockname()[1], workers=settings.workers)
        return asyncio.run(supervisor.run())
    finally:
        for each in reserved:
            each.close()


class Supervisor:
    """Keeps workers running.

    Args:
        settings: the settings; so many workers as they say.
        addresses: where the workers listen.
        demo_key: key and secret of the demo app, if there is one.
    """

    def __init__(self, settings: Settings, addresses: tuple[Address, ...], demo_key: tuple[str, str] | None) -> None:
        self._settings = settings
        self._addresses = addresses
        self._demo_key = demo_key
        self._workers: set[WorkerProcess] = set()
        self._serving: set[WorkerProcess] = set()
        self._is_stopping = asyncio.Event()
        self._stop_signals = StopSignals()
        self._reloads = 0
        self._exit_status = 0

    async def run(self) -> int:
        """Start the workers; returns the exit status when all have ended."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._signalled, each)
        if self._settings.tls_certificate:
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        async with asyncio.TaskGroup() as places:
            for number in range(1, self._settings.workers + 1):
                places.create_task(self._keep(number))
        return self._exit_status

    def _signalled(self, number: signal.Signals) -> None:
        if not self._stop_signals.is_second():
            self._stop()
            return
        self._exit_status = 128 + number
        for worker in self._workers:
            worker.kill()

    def _stop(self) -> None:
        self._is_stopping.set()
        for worker in self._workers:
            worker.stop()

    def _reload(self) -> None:
        self._reloads += 1
        for worker in self._serving:
            worker.reload()

    async def _keep(self, number: int) -> None:
        """Have one worker of a number, until the end."""
        assignment = Assignment(number, self._addresses, self._settings, self._demo_key)
        restarts = Restarts()
        while not self._is_stopping.is_set():
            served = await self._run_worker(assignment)
            wait = restarts.died(served)
            if restarts.failed_starts >= MOST_FAILED_STARTS and not self._serving:
                self._give_up()
            await pause(self._is_stopping, wait)

    async def _run_worker(self, assignment: Assignment) -> float | None:
        """Start a worker and wait for its end; returns how many seconds it has served, None if it never did."""
        reloads, since = self._reloads, None
        try:
            worker = await WorkerProcess.start(assignment)
        except OSError as error:  # no more processes are to be had, or no memory, for now
            _log.error("a worker cannot be started", number=assignment.number, reason=error.strerror)
            return None
        self._workers.add(worker)
        _log.info("worker started", number=assignment.number, process=worker.pid)
        if self._is_stopping.is_set():
            worker.stop()
        if await worker.serves():
            since = time.monotonic()
            self._serving.add(worker)
            if reloads != self._reloads:  # while it was starting, and nobody can say which certificate it has read
                worker.reload()
        status = await worker.ended()
        self._serving.discard(worker)
        self._workers.discard(worker)
        report = _log.info if self._is_stopping.is_set() else _log.error
        report("worker ended", number=assignment.number, process=worker.pid, status=status)
        return None if since is None else time.monotonic() - since

    def _give_up(self) -> None:
        if not self._is_stopping.is_set():
            _log.critical("giving up: workers end before they serve, and their messages above say why")
            self._exit_status = 1
            self._stop()
