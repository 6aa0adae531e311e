"""A Redis that lets in over TLS only, and whoever is on its access list."""

from pathlib import Path
from urllib.parse import quote

from e2e.support.certificate import make_certificate
from support.redis import RedisServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "scaling.md"

PASSWORD = "s3cret: with/every#thing@?"


class GuardedRedis(RedisServer):
    """With a user ``skubber`` who has the rights that the documentation asks for, and no others.

    Args:
        directory: where its certificate and its socket are.
    """

    def __init__(self, directory: Path) -> None:
        self.certificate, key = make_certificate(directory)
        self.socket = directory / "redis.sock"
        super().__init__("--unixsocket", str(self.socket), certificate=(self.certificate, key), directory=directory)
        self.rights = documented_rights()
        self.let_in(PASSWORD)

    @property
    def url(self) -> str:
        return self.url_with(PASSWORD)

    def url_with(self, password: str) -> str:
        """The URL, with a password."""
        return f"rediss://skubber:{quote(password, safe='')}@localhost:{self.port}/0?ssl_ca_certs={self.certificate}"

    def let_in(self, password: str, *but: str) -> None:
        """Let the user in with a password, to do everything but some things."""
        with self.client() as client:
            rights = [f">{password}" if right == ">password" else right for right in self.rights]
            client.execute_command("ACL", "SETUSER", "skubber", *rights, *but)


def documented_rights(user: str = "skubber", *, place: int = 0) -> list[str]:
    """An access list as it is written in the documentation.

    Args:
        user: whose.
        place: which of those of this user.
    """
    start = f"ACL SETUSER {user} "
    return [line for line in DOCUMENT.read_text().splitlines() if line.startswith(start)][place].split()[3:]
