"""nginx, Caddy and HAProxy, each run with the configuration under ``deploy/``."""

import contextlib
import os
import re
import shutil
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from e2e.support.server import Server
from support.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVERS = ("skubber-1:5187", "skubber-2:5187")
"""How the configurations call the servers."""


class Front(ABC):
    """A front: the shipped configuration with ports, certificate and addresses replaced.

    Args:
        directory: an empty one, for all it writes.
        certificate: PEM files of a certificate for 127.0.0.1, and of its key.
        ports: the servers', as many as the configuration names.

    Attributes:
        port: where it listens, with TLS.
        certificate: the first of the PEM files.
    """

    program: str
    shipped: Path
    is_tls = True

    def __init__(self, directory: Path, certificate: tuple[Path, Path], ports: Sequence[int]) -> None:
        self.port = free_port()
        self.certificate, self._key = certificate
        self._directory = directory
        self._configuration = directory / self.shipped.name
        replacements = dict(zip(SERVERS, (f"127.0.0.1:{port}" for port in ports), strict=True))
        self._configuration.write_text(replace(self.shipped.read_text(), {**replacements, **self._replacements()}))
        self._log = directory / "front.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"wss://127.0.0.1:{self.port}"

    def check(self) -> subprocess.CompletedProcess[str]:
        """Have the program itself read its configuration; what it said of it."""
        return subprocess.run(
            [self._executable(), *self._check_flags()],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self._environment(),
        )

    def start(self) -> None:
        """Start it, and wait until it passes requests on."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._executable(), *self._run_flags()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
            )
        trusted = ssl.create_default_context(cafile=self.certificate)
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/ready", verify=trusted).status_code == 200:
                    return
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()

    @classmethod
    def find(cls) -> str | None:
        """The program: Debian keeps some where only root looks."""
        return shutil.which(cls.program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")

    def _executable(self) -> str:
        found = self.find()
        assert found is not None
        return found

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self._directory)}

    @abstractmethod
    def _replacements(self) -> dict[str, str]: ...

    @abstractmethod
    def _check_flags(self) -> list[str]: ...

    @abstractmethod
    def _run_flags(self) -> list[str]: ...


class Nginx(Front):
    """nginx, around a main file as distributions have it."""

    program = "nginx"
    shipped = DEPLOY / "nginx" / "skubber.conf"

    def __init__(self, directory: Path, certificate: tuple[Path, Path], ports: Sequence[int]) -> None:
        super().__init__(directory, certificate, ports)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
        self._main = directory / "nginx.conf"
        self._main.write_text(
            f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {directory}/nginx.pid; error_log stderr;"
            "events { worker_connections 1024; }"
            f"http {{ access_log off; {paths} include {self._configuration}; }}"
        )

    def _replacements(self) -> dict[str, str]:
        return {
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "/etc/skubber/fullchain.pem": str(self.certificate),
            "/etc/skubber/privkey.pem": str(self._key),
        }

    def _check_flags(self) -> list[str]:
        return ["-t", *self._run_flags()]

    def _run_flags(self) -> list[str]:
        return ["-e", "stderr", "-p", str(self._directory), "-c", str(self._main)]


class Caddy(Front):
    """Caddy, with a certificate of the tests' instead of one it fetches."""

    program = "caddy"
    shipped = DEPLOY / "caddy" / "Caddyfile"

    def __init__(self, directory: Path, certificate: tuple[Path, Path], ports: Sequence[int]) -> None:
        super().__init__(directory, certificate, ports)
        self._administration = free_port()

    def _replacements(self) -> dict[str, str]:
        site = "{$SKUBBER_SITE:push.example.com} {"
        return {
            "grace_period 10s": "grace_period 10s\n\tauto_https disable_redirects",
            site: f"{site}\n\ttls {self.certificate} {self._key}",
            **({"\thealth_uri": "\tbuffer_requests\n\thealth_uri"} if self._is_old() else {}),
        }

    def _is_old(self) -> bool:
        version = subprocess.run([self._executable(), "version"], capture_output=True, text=True, check=True).stdout
        return re.match(r"v?2\.6\.[0-2]\b", version) is not None

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            "SKUBBER_SITE": self.url,
            "CADDY_ADMIN": f"127.0.0.1:{self._administration}",
        }

    def _check_flags(self) -> list[str]:
        return ["validate", "--adapter", "caddyfile", "--config", str(self._configuration)]

    def _run_flags(self) -> list[str]:
        return ["run", "--adapter", "caddyfile", "--config", str(self._configuration)]


class HAProxy(Front):
    """HAProxy, for fewer clients than in earnest, as not everybody may open so many files."""

    program = "haproxy"
    shipped = DEPLOY / "haproxy" / "haproxy.cfg"

    def _replacements(self) -> dict[str, str]:
        both = self._directory / "haproxy.pem"
        both.write_text(self.certificate.read_text() + self._key.read_text())
        replacements = {
            "bind :443 ": f"bind 127.0.0.1:{self.port} ",
            "/etc/skubber/haproxy.pem": str(both),
            "maxconn 100000": "maxconn 400",
        }
        if os.geteuid() != 0:
            replacements["user haproxy\n    group haproxy\n"] = "\n"
        return replacements

    def _check_flags(self) -> list[str]:
        return ["-c", *self._run_flags()]

    def _run_flags(self) -> list[str]:
        return ["-db", "-f", str(self._configuration)]


@dataclass
class Site:
    """A front, and the two servers behind it."""

    front: Front
    servers: tuple[Server, Server]


FRONTS: list[type[Front]] = [Nginx, Caddy, HAProxy]


def replace(text: str, replacements: dict[str, str]) -> str:
    """Replace each of some texts, all of which must be there."""
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    return text
