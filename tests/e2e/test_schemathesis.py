"""Schemathesis over the whole OpenAPI document: every operation, with data that fits its schema and data that does not.

No answer may be one the document does not have, nothing that fits may be refused as malformed, nothing that does not
fit may be taken, and nothing may be an error of the server's.
"""

import subprocess
import sys
from pathlib import Path

from .support.admin import admin_token
from .support.server import KEY, SECRET, NewServer, Server

CONFIGURATION = Path(__file__).parent / "support" / "schemathesis.toml"
EXAMPLES = 25


def check(server: Server, directory: Path, *flags: str) -> None:
    """Run Schemathesis on some of the document."""
    result = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            f"--config-file={CONFIGURATION}",
            "run",
            f"{server.url}/docs/openapi.json",
            f"--url={server.url}",
            *flags,
            "--phases=examples,coverage,fuzzing",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--generation-database=none",
            "--continue-on-failure",
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "failure" not in result.stdout


def test_the_server_keeps_what_its_document_promises(new_server: NewServer, tmp_path: Path) -> None:
    check(
        new_server("--set", "metrics_token=sixteen-or-more-characters"),
        tmp_path,
        "--exclude-path-regex=^/api/admin",
        f"--header=X-Api-Key:{KEY}",
        f"--header=X-Api-Secret:{SECRET}",
    )


def test_the_admin_api_keeps_what_its_document_promises(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server(working_directory=tmp_path)
    # Streams have no end. As for the checks that send wrong tokens: soon they would have every further request
    # answered with 429.
    check(
        server,
        tmp_path,
        "--include-path-regex=^/api/admin",
        "--exclude-operation-id=watchLive",
        "--exclude-operation-id=watchApp",
        f"--header=Authorization:Bearer {admin_token(tmp_path)}",
        "--exclude-checks=ignored_auth,missing_required_header",
    )
