"""The documents as a site: every link leads somewhere, and nothing comes from other sites."""

import re
import shutil
from pathlib import Path

import pytest

from support.site import ROOT, build_site

FETCHED = re.compile(
    r'<(?:script|img|iframe|source)[^>]* src="?([^"\s>]+)|<link[^>]* rel="?(?!canonical)[^>]*href="?([^"\s>]+)'
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built."""
    directory = tmp_path_factory.mktemp("site")
    result = build_site(ROOT, directory)
    assert result.returncode == 0, result.stderr
    return directory


def test_every_document_has_a_page(site: Path) -> None:
    for document in (ROOT / "docs").rglob("*.md"):
        page = document.relative_to(ROOT / "docs").with_suffix("")
        assert (site / ("" if page.name == "index" else page) / "index.html").exists(), page


@pytest.mark.parametrize(
    ("link", "complaint"),
    [("nowhere.md", "nowhere.md"), ("plans.md#nowhere", "nowhere"), ("../NOWHERE.md", "NOWHERE.md")],
)
def test_a_link_that_leads_nowhere_is_a_failure(tmp_path: Path, link: str, complaint: str) -> None:
    for name in ("docs", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "mkdocs.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("benchmarks", "examples", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    with (tmp_path / "docs" / "scaling.md").open("a", encoding="utf-8") as page:
        page.write(f"\n[a link]({link})\n")
    result = build_site(tmp_path, tmp_path / "site")
    assert result.returncode != 0
    assert complaint in result.stderr


def test_pages_name_nothing_to_fetch_from_other_sites(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    fetched = {match[1] or match[2] for page in pages for match in FETCHED.finditer(page.read_text("utf-8"))}
    assert any(address.endswith(".css") for address in fetched)
    assert any(address.endswith(".js") for address in fetched)
    assert [address for address in fetched if "//" in address] == []
    styles = "".join(file.read_text("utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?(?:https?:)?//|@import", styles) == []
