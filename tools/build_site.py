"""Build the documents into a small site that is read without a server: README, docs/ and what they
link to.

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
"""What a link begins with that leads out of the repository, or stays on its page."""
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
    """A document: its place in the repository, its title, and its parsed text."""

    path: Path
    title: str
    tokens: Sequence[Token]

    @property
    def target(self) -> Path:
        """Where it lies in the site; the README is what a visitor sees first."""
        return target_of(self.path)


def target_of(path: Path) -> Path:
    """Where a file of the repository lies in the site, relative to it."""
    if path == Path("README.md"):
        return Path("index.html")
    if (ROOT / path).is_dir():
        return path / "index.html"
    return path.with_suffix(".html") if path.suffix == ".md" else path


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def read_page(path: Path) -> Page:
    """Read a document, given relative to the repository."""
    tokens = parser().parse((ROOT / path).read_text(encoding="utf-8"))
    heading = next(i for i, token in enumerate(tokens) if token.type == "heading_open")
    return Page(path, tokens[heading + 1].content.partition(":")[0], tokens)


def pages() -> list[Page]:
    """Every document, in the order in which the index names them."""
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    named = [f"docs/{name}" for name in re.findall(r"\]\(([a-z-]+\.md)\)", index)]
    return [read_page(Path(path)) for path in (*FIRST, *dict.fromkeys(named), *LAST)]


def anchor(text: str) -> str:
    """The name of a heading in links, as hosts of repositories make it."""
    bare = re.sub(r"[`*_\[\]()]", "", text).lower()
    return re.sub(r"[^\w\- ]", "", bare).strip().replace(" ", "-")


def inline(tokens: Sequence[Token]) -> Iterator[Token]:
    """All tokens, those within lines too."""
    for token in tokens:
        yield token
        yield from inline(token.children or ())


def relative(target: Path, page: Path) -> str:
    """The address of a file of the site, seen from a page of it."""
    up = "../" * len(page.parent.parts)
    return up + target.as_posix()


def render(page: Page, linked: set[Path]) -> str:
    """A document as HTML; ``linked`` takes up the files of the repository that it leads to."""
    for number, token in enumerate(page.tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(page.tokens[number + 1].content))
    for token in inline(page.tokens):
        name = {"link_open": "href", "image": "src"}.get(token.type)
        address = str(token.attrGet(name)) if name else ""
        if not name or ELSEWHERE.match(address):
            continue
        place, hash_, heading = address.partition("#")
        path = (ROOT / page.path.parent / unquote(place)).resolve().relative_to(ROOT)
        linked.add(path)
        token.attrSet(name, relative(target_of(path), page.target) + hash_ + heading)
    text = parser().renderer.render(list(page.tokens), parser().options, {})
    return text.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def framed(page: Path, title: str, body: str, everything: Sequence[Page]) -> str:
    """A whole page, with the list of all pages beside it and the ways to the next ones below."""
    links = []
    for one in everything:
        here = ' aria-current="page"' if one.target == page else ""
        links.append(f'<a href="{relative(one.target, page)}"{here}>{html.escape(short(one))}</a>')
    place = next((i for i, one in enumerate(everything) if one.target == page), None)
    turns = ["<span></span>", "<span></span>"]
    for side, step, sign in ((0, -1, "← {}"), (1, 1, "{} →")):
        if place is not None and 0 <= place + step < len(everything):
            one = everything[place + step]
            text = sign.format(html.escape(short(one)))
            turns[side] = f'<a href="{relative(one.target, page)}">{text}</a>'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title>"
        f'<link rel="stylesheet" href="{relative(Path("site.css"), page)}">'
        f'<div class="site"><nav aria-label="Documents"><b>vst</b>{"".join(links)}</nav>'
        f'<main>{body}<div class="turn">{"".join(turns)}</div></main></div></html>\n'
    )


def short(page: Page) -> str:
    """A page's name in the list."""
    return "Start" if page.path == Path("README.md") else page.title


def listing(folder: Path) -> str:
    """A folder that a document leads to, as a list of its files."""
    files = sorted(path.name for path in (ROOT / folder).iterdir() if is_shown(path))
    rows = "".join(f'<li><a href="{html.escape(n)}">{html.escape(n)}</a></li>' for n in files)
    return f"<h1>{html.escape(str(folder))}</h1><ul>{rows}</ul>"


def is_shown(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def build(folder: Path) -> list[Path]:
    """Build the site into ``folder``, which is made anew; returns its pages."""
    everything = pages()
    if folder.exists() and not (folder / "site.css").exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} holds other files; name an empty folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "site.css").write_text(STYLE, encoding="utf-8")
    linked: set[Path] = set()
    written = []
    for page in everything:
        written.append(write(folder, page.target, page.title, render(page, linked), everything))
    known = {page.path for page in everything}
    for path in sorted(linked - known):
        if (ROOT / path).is_dir():
            written.append(write(folder, target_of(path), str(path), listing(path), everything))
            for file in filter(is_shown, (ROOT / path).iterdir()):
                shutil.copy2(file, folder / path / file.name)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / target_of(path))
    return written


def write(folder: Path, target: Path, title: str, body: str, everything: Sequence[Page]) -> Path:
    (folder / target).parent.mkdir(parents=True, exist_ok=True)
    (folder / target).write_text(framed(target, title, body, everything), encoding="utf-8")
    return folder / target


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out" / "site"
    print(f"{len(build(place))} pages: open {place / 'index.html'}")
