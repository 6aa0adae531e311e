"""Hooks of mkdocs: documents that are not in docs/ are on the site as well, and links between them work in both places.

In the repository a link leads from file to file, ``../CHANGELOG.md`` say. On the site what is not in docs/ is below
``project/``.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

BESIDE_THE_DOCUMENTS = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/results/latest.svg",
    "deploy/caddy/Caddyfile",
    "deploy/compose.yaml",
    "deploy/grafana/skubber.json",
    "deploy/haproxy/haproxy.cfg",
    "deploy/nginx/skubber.conf",
    "deploy/prometheus/prometheus.yml",
    "deploy/prometheus/skubber.rules.yml",
    "examples/README.md",
    "examples/csharp/Program.cs",
    "examples/java/src/main/java/Listen.java",
    "examples/javascript/listen.mjs",
    "examples/python/listen.py",
)

# The pages that the server serves have the same.
ICON = "src/skubber/web/assets/icon.svg"

_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")


def on_files(files: Files, config: "MkDocsConfig") -> Files:
    """Put what is beside the documents onto the site."""
    for name in BESIDE_THE_DOCUMENTS:
        files.append(File.generated(config, _on_site(name), abs_src_path=str(ROOT / name)))
    files.append(File.generated(config, "assets/icon.svg", abs_src_path=str(ROOT / ICON)))
    return files


def on_page_markdown(markdown: str, page: "Page", **_: object) -> str:
    """Let a page's links lead to where on the site the files are that they lead to in the repository."""
    here = page.file.src_uri

    def moved(match: re.Match[str]) -> str:
        target = os.path.normpath(Path(_in_repository(here)).parent / match[1])
        return os.path.relpath(_on_site(target), Path(here).parent)

    return _LINK.sub(moved, markdown)


def _on_site(name: str) -> str:
    """Where a file of the repository is on the site."""
    return name.removeprefix("docs/") if name.startswith("docs/") else f"project/{name}"


def _in_repository(name: str) -> str:
    """Where a file of the site is in the repository."""
    return name.removeprefix("project/") if name.startswith("project/") else f"docs/{name}"
