"""What a workload works with: servers with load on them, and measuring in turns."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.harness.build import BENCHMARKS, build_load_generator, build_send_loop
from benchmarks.harness.certificate import write_certificate
from benchmarks.harness.credentials import BENCHMARK_APP, Credentials
from benchmarks.harness.load import Done, LoadGenerator
from benchmarks.harness.machine import Cores
from benchmarks.harness.process import Process
from benchmarks.harness.row import Comparison
from benchmarks.harness.server import ServerProcess, free_port

# Higher limits than the defaults, for the workloads that are about more members or more client events.
_CONFIGURATION = """
[[apps]]
id = "{app.app_id}"
keys = [{{ key = "{app.key}", secret = "{app.secret}" }}]

[apps.limits]
presence_members = 100000
client_events_per_second = 1000000
"""

Answer = TypeVar("Answer", bound=Done)


@dataclass(frozen=True)
class ForeignServer:
    """A server the benchmark has not started, to be measured in place of ours.

    Attributes:
        url: ``http://host:port``.
        app: an app of the server's.
        pid: its process on this machine; without it there is no processor time or memory to report.
    """

    url: str
    app: Credentials
    pid: int | None


@dataclass(frozen=True)
class Subject:
    """A server with a load generator on it.

    Attributes:
        load: the load generator.
        process: the server's process, if it is known.
    """

    load: LoadGenerator
    process: Process | None

    def cpu_seconds_of(self, action: Callable[[], Answer]) -> tuple[Answer, float | None]:
        """Do something; returns its result and the processor time that the server spent meanwhile, if known."""
        if self.process is None:
            return action(), None
        before = self.process.cpu_seconds()
        answer = action()
        return answer, self.process.cpu_seconds() - before

    def per_core_second(self, count: int, action: Callable[[], Answer]) -> float:
        """How many of the ``count`` things an action does the server does in one second of one core.

        A server whose process is not known is taken to have used one core all the time.
        """
        answer, cpu_seconds = self.cpu_seconds_of(action)
        return count / (answer.seconds if cpu_seconds is None else cpu_seconds)

    def wait_until_idle(self) -> None:
        """Wait until the server has digested what was sent to it."""
        if self.process is not None:
            self.process.wait_until_idle()


class Bench:
    """One run of the benchmark.

    Args:
        directory: for logs and configuration.
        rounds: how often each figure is measured.
        is_quick: whether only to see that everything works, with a tenth of the load.
        foreign: the server to measure in place of ours.
    """

    def __init__(self, directory: Path, rounds: int, is_quick: bool, foreign: ForeignServer | None) -> None:
        self.rounds = rounds
        self._directory = directory
        self._is_quick = is_quick
        self._foreign = foreign
        self._cores = Cores.choose()
        self._generator = build_load_generator()
        self._servers = 0

    def sized(self, count: int) -> int:
        """A count of clients or the like, or a tenth of it in a quick run."""
        return max(1, count // 10) if self._is_quick else count

    @property
    def is_foreign(self) -> bool:
        """Whether the server is not ours: it may lack what is not Pusher's, and there is one of it only."""
        return self._foreign is not None

    @contextlib.contextmanager
    def server(self, *, is_tls: bool = False, **settings: int | str) -> Iterator[Subject]:
        """The server to measure, with settings of ours, and over TLS if wanted; a foreign one stays as it is."""
        if self._foreign is not None:
            process = None if self._foreign.pid is None else Process(self._foreign.pid)
            with self._load(self._foreign.url, self._foreign.app) as load:
                yield Subject(load, process)
                load.close()
            return
        configuration = self._directory / "skubber.toml"
        configuration.write_text(_CONFIGURATION.format(app=BENCHMARK_APP))
        executable = Path(sys.executable).parent / "skubber"
        flags: list[str | Path] = [f"--set={name}={value}" for name, value in settings.items()]
        if is_tls:
            certificate, key = self._certificate
            flags += ["--tls-certificate", certificate, "--tls-key", key]
        with self._child(executable, "serve", "--config", configuration, *flags, "--port", is_tls=is_tls) as child:
            yield child

    @contextlib.contextmanager
    def send_loop(self, *, is_tls: bool = False) -> Iterator[Subject]:
        """The bare send() loop in C, or SSL_write() loop."""
        executable = build_send_loop()
        certificate = self._certificate if is_tls else ()
        with self._child(executable, *certificate, is_tls=is_tls) as child:
            yield child

    @contextlib.contextmanager
    def http_echo(self) -> Iterator[Subject]:
        """The bare HTTP parser with a fixed answer."""
        script = BENCHMARKS / "baselines" / "http_echo.py"
        with self._child(sys.executable, script) as child:
            yield child

    def compare(
        self,
        measure: Callable[[], float | None],
        baseline: Callable[[], float | None] | None = None,
        rounds: int | None = None,
    ) -> Comparison:
        """Measure something, in turns with its baseline if it has one.

        A first round is thrown away: it opens connections and warms caches.

        Args:
            measure: measures once; None when that is not possible.
            baseline: measures the baseline once.
            rounds: how often at most, when less than usual.
        """
        measured: list[float] = []
        compared: list[float] = []
        for number in range(min(self.rounds, rounds or self.rounds) + 1):
            figure = measure()
            other = baseline() if baseline else None
            if number > 0 and figure is not None:
                measured.append(figure)
            if number > 0 and other is not None:
                compared.append(other)
        return Comparison(measured, compared if measured else ())

    @functools.cached_property
    def _certificate(self) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        return write_certificate(self._directory)

    @contextlib.contextmanager
    def _child(self, *command: str | Path, is_tls: bool = False) -> Iterator[Subject]:
        """A server started by a command whose last word is to be the port."""
        self._servers += 1
        port = str(free_port())
        url = f"{'https' if is_tls else 'http'}://127.0.0.1:{port}"
        log = self._directory / f"server{self._servers}.log"
        with (
            ServerProcess((*command, port), url, self._cores.server, log) as server,
            self._load(server.url, BENCHMARK_APP) as load,
        ):
            yield Subject(load, server.process)

    def _load(self, url: str, app: Credentials) -> LoadGenerator:
        return LoadGenerator(self._generator, url, app, self._cores.load)
