"""Admin tokens, made by the command line where a server runs."""

import json
import os
import subprocess
from pathlib import Path

from .server import EXECUTABLE


def admin_token(directory: Path, role: str = "owner") -> str:
    """A new admin token."""
    command = [str(EXECUTABLE), "tokens", "create", "tester", "--role", role, "--json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, check=True)
    token: str = json.loads(result.stdout)["token"]
    return token


def admin_headers(directory: Path) -> dict[str, str]:
    """An owner's bearer token, in its header."""
    return {"Authorization": f"Bearer {admin_token(directory)}"}
