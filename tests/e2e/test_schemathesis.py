"""Schemathesis over the whole OpenAPI document: every operation, with data that fits its schema and data that does not.

No answer may be one the document does not have, nothing that fits may be refused as malformed, nothing that does not
fit may be taken, and nothing may be an error of the server's.
"""

import subprocess
import sys
from pathlib import Path

from .support.server import KEY, SECRET, NewServer

CONFIGURATION = Path(__file__).parent / "support" / "schemathesis.toml"
EXAMPLES = 25


def test_the_server_keeps_what_its_document_promises(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server()
    result = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            f"--config-file={CONFIGURATION}",
            "run",
            f"{server.url}/docs/openapi.json",
            f"--url={server.url}",
            f"--header=X-Api-Key:{KEY}",
            f"--header=X-Api-Secret:{SECRET}",
            "--phases=examples,coverage,fuzzing",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--generation-database=none",
            "--continue-on-failure",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "failure" not in result.stdout
