"""Build the documents (README, docs/ and what they link to) into a small site that needs no server.

python tools/build_site.py [FOLDER]         (default: out/site)
"""

from __future__ import annotations

import html
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
FIRST = ("README.md", "docs/index.md")
LAST = ("CONTRIBUTING.md", "CHANGELOG.md")
ELSEWHERE = re.compile(r"[a-z]+:|#")
"""Matches links out of the repository or within their page."""
STYLE = """
:root{color-scheme:light;--paper:#faf8f3;--card:#fffefb;--ink:#262422;--faint:#6f6a62;
--line:#e2dcd0;--accent:#b8431f;--soft:#f1ece1;
--serif:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",Georgia,serif}
@media(prefers-color-scheme:dark){:root{color-scheme:dark;--paper:#18191c;--card:#1f2125;
--ink:#ecebe6;--faint:#a09e98;--line:#363940;--accent:#e88159;--soft:#292b31}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.site{display:grid;grid-template-columns:250px minmax(0,1fr);max-width:1180px;margin:0 auto}
nav{padding:32px 20px;border-right:1px solid var(--line);font-size:14.5px}
nav b{font:700 24px/1 var(--serif);display:block;margin:0 0 18px 10px}
nav a{display:block;padding:5px 10px;border-radius:8px;color:var(--faint);text-decoration:none}
nav a:hover{color:var(--ink)}nav a[aria-current]{background:var(--soft);color:var(--ink);
font-weight:600}
main{padding:32px 44px 80px;min-width:0}
h1{font:700 34px/1.2 var(--serif);margin:8px 0 24px}h2{font:600 24px/1.3 var(--serif);
margin:44px 0 12px}h3{font:600 18px/1.3 var(--serif);margin:28px 0 8px}
a{color:var(--accent)}img{max-width:100%;border-radius:12px;display:block;margin:20px 0;
border:1px solid var(--line)}
code{font:.88em/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;background:var(--soft);
border-radius:5px;padding:1px 5px}
pre{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 20px;
overflow-x:auto}pre code{background:none;padding:0}
.wide{overflow-x:auto;margin:18px 0}table{border-collapse:collapse;font-size:15px}
td,th{padding:7px 12px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th:empty{display:none}.turn{display:flex;justify-content:space-between;gap:20px;margin-top:56px;
border-top:1px solid var(--line);padding-top:18px}
@media(max-width:820px){.site{grid-template-columns:minmax(0,1fr)}main{padding:20px 16px 60px}
nav{border:0;border-bottom:1px solid var(--line);padding:16px 10px;display:flex;overflow-x:auto;
white-space:nowrap;align-items:center}nav b{margin:0 12px 0 0}}
"""


@dataclass(frozen=True)
class Page:
    """A document: its path in the repository, its title, and its parsed text."""

    path: Path
    title: str
    tokens: Sequence[Token]

    @property
    def target(self) -> Path:
        """Its path in the site; the README is the start page."""
        return site_path(self.path)


def site_path(path: Path) -> Path:
    """The path of a repository's file in the site."""
    if path == Path("README.md"):
        return Path("index.html")
    if (ROOT / path).is_dir():
        return path / "index.html"
    return path.with_suffix(".html") if path.suffix == ".md" else path


def make_parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def read_page(path: Path) -> Page:
    """Read a document, given relative to the repository."""
    tokens = make_parser().parse((ROOT / path).read_text(encoding="utf-8"))
    heading = next(i for i, token in enumerate(tokens) if token.type == "heading_open")
    return Page(path, tokens[heading + 1].content.partition(":")[0], tokens)


def read_pages() -> list[Page]:
    """Read every document, in the order of the index."""
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    named = [f"docs/{name}" for name in re.findall(r"\]\(([a-z-]+\.md)\)", index)]
    return [read_page(Path(path)) for path in (*FIRST, *dict.fromkeys(named), *LAST)]


def heading_anchor(text: str) -> str:
    """The anchor of a heading, as repository hosts derive it."""
    bare = re.sub(r"[`*_\[\]()]", "", text).lower()
    return re.sub(r"[^\w\- ]", "", bare).strip().replace(" ", "-")


def walk_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield all tokens, nested ones too."""
    for token in tokens:
        yield token
        yield from walk_tokens(token.children or ())


def relative_address(target: Path, page: Path) -> str:
    """The address of a site's file relative to one of its pages."""
    up = "../" * len(page.parent.parts)
    return up + target.as_posix()


def render_page(page: Page, linked: set[Path]) -> str:
    """Render a document as HTML; add the repository's files that it links to to ``linked``."""
    for number, token in enumerate(page.tokens):
        if token.type == "heading_open":
            token.attrSet("id", heading_anchor(page.tokens[number + 1].content))
    for token in walk_tokens(page.tokens):
        name = {"link_open": "href", "image": "src"}.get(token.type)
        address = str(token.attrGet(name)) if name else ""
        if not name or ELSEWHERE.match(address):
            continue
        place, hash_, heading = address.partition("#")
        path = (ROOT / page.path.parent / unquote(place)).resolve().relative_to(ROOT)
        linked.add(path)
        token.attrSet(name, relative_address(site_path(path), page.target) + hash_ + heading)
    text = make_parser().renderer.render(list(page.tokens), make_parser().options, {})
    return text.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def frame_page(page: Path, title: str, body: str, everything: Sequence[Page]) -> str:
    """Wrap a page's body with the list of all pages and the links to the next and previous one."""
    links = []
    for one in everything:
        here = ' aria-current="page"' if one.target == page else ""
        links.append(
            f'<a href="{relative_address(one.target, page)}"{here}>'
            f"{html.escape(short_title(one))}</a>"
        )
    place = next((i for i, one in enumerate(everything) if one.target == page), None)
    turns = ["<span></span>", "<span></span>"]
    for side, step, sign in ((0, -1, "← {}"), (1, 1, "{} →")):
        if place is not None and 0 <= place + step < len(everything):
            one = everything[place + step]
            text = sign.format(html.escape(short_title(one)))
            turns[side] = f'<a href="{relative_address(one.target, page)}">{text}</a>'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title>"
        f'<link rel="stylesheet" href="{relative_address(Path("site.css"), page)}">'
        f'<div class="site"><nav aria-label="Documents"><b>vst</b>{"".join(links)}</nav>'
        f'<main>{body}<div class="turn">{"".join(turns)}</div></main></div></html>\n'
    )


def short_title(page: Page) -> str:
    """A page's name in the navigation."""
    return "Start" if page.path == Path("README.md") else page.title


def render_listing(folder: Path) -> str:
    """Render a linked folder as a list of its files."""
    files = sorted(path.name for path in (ROOT / folder).iterdir() if is_listed(path))
    rows = "".join(f'<li><a href="{html.escape(n)}">{html.escape(n)}</a></li>' for n in files)
    return f"<h1>{html.escape(str(folder))}</h1><ul>{rows}</ul>"


def is_listed(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def build(folder: Path) -> list[Path]:
    """Build the site into ``folder``, replacing an earlier one; return its pages."""
    everything = read_pages()
    if folder.exists() and not (folder / "site.css").exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} holds other files; name an empty folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "site.css").write_text(STYLE, encoding="utf-8")
    linked: set[Path] = set()
    written = []
    for page in everything:
        written.append(
            write_page(folder, page.target, page.title, render_page(page, linked), everything)
        )
    known = {page.path for page in everything}
    for path in sorted(linked - known):
        if (ROOT / path).is_dir():
            written.append(
                write_page(folder, site_path(path), str(path), render_listing(path), everything)
            )
            for file in filter(is_listed, (ROOT / path).iterdir()):
                shutil.copy2(file, folder / path / file.name)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / site_path(path))
    return written


def write_page(
    folder: Path, target: Path, title: str, body: str, everything: Sequence[Page]
) -> Path:
    (folder / target).parent.mkdir(parents=True, exist_ok=True)
    (folder / target).write_text(frame_page(target, title, body, everything), encoding="utf-8")
    return folder / target


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out" / "site"
    print(f"{len(build(place))} pages: open {place / 'index.html'}")
