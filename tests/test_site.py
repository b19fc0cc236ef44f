"""The documents as a site: every linked page, picture and heading exists."""

from __future__ import annotations

import importlib.util
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("markdown_it", reason="needs the Python package markdown-it-py")


class Reader(HTMLParser):
    """Collects the addresses and the anchors of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.addresses.append(value)
            if name == "id" and value:
                self.names.add(value)


def load_tool() -> Any:
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "tools" / "build_site.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["build_site"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    load_tool().build(folder)
    return folder


def find_dead_links(site: Path) -> list[str]:
    """The addresses of the site that lead nowhere within it."""
    dead = []
    for page in site.rglob("*.html"):
        for address in Reader(page).addresses:
            parts = urlsplit(address)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file() or site.resolve() not in target.parents:
                dead.append(f"{page.relative_to(site)}: {address}")
            elif parts.fragment and parts.fragment not in Reader(target).names:
                dead.append(f"{page.relative_to(site)}: {address}: no such heading")
    return dead


def test_every_document_is_a_page(site: Path) -> None:
    names = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert names <= {path.stem for path in (site / "docs").glob("*.html")}
    assert (site / "index.html").is_file()


def test_every_link_and_picture_exists(site: Path) -> None:
    assert find_dead_links(site) == []


def test_dead_links_are_detected(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html">b</a><img src="../up.png">', encoding="utf-8"
    )
    assert len(find_dead_links(tmp_path)) == 2


def test_pages_load_nothing_from_other_sites(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text and 'src="http' not in text


def test_a_site_replaces_an_older_one_and_no_other_folder(site: Path) -> None:
    load_tool().build(site)
    with pytest.raises(SystemExit):
        load_tool().build(ROOT / "tests")
