"""What the documents say is true: their links lead somewhere, their commands and code can be read
by what they are meant for, and each picture has a script that draws it.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from vst.cli import VERBS, cli
from vst.cli.options import OneOf
from vst.schedule.score import parse_score

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted(DOCS.glob("*.md"))
SCRIPTS = sorted([*(ROOT / "tools").glob("*.py"), *(ROOT / "bench").glob("*.py")])

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Each block of code as (language, text); an indented one has no language."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield match[1], match[2]
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for match in re.finditer(r"(?:^ {4}.*\n(?:\n(?= {4}))*)+", bare, re.MULTILINE):
        yield "", "".join(line[4:] or "\n" for line in match[0].splitlines(keepends=True))


def spans(page: Path) -> list[str]:
    """Code within lines of text."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each command line of ``vst``, without comments, and without what only stands
    for words: … and brackets.
    """
    lines = [line for _, text in blocks(page) for line in text.splitlines()]
    for line in [*lines, *spans(page)]:
        found = re.match(r"(?:\S+/)?vst (?!VERB)(.+)", line.strip())
        if found:
            # What comes after two blanks explains the command.
            said = re.split(r"\s{2,}", found[1])[0].split(" #")[0]
            # Of "--size N|native" the first is taken.
            yield [
                re.sub(r"\\?\|.*", "", word) for word in shlex.split(re.sub(r"[…\[\]]", "", said))
            ]


def check(words: list[str]) -> None:
    """Raise what click raises where a verb or an option is unknown, a value is missing, or a name
    stands in no table.
    """
    command: click.Command | None = cli
    context, words = click.Context(cli), list(words)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, command, words = command.resolve_command(context, words)
        assert command is not None
        context = click.Context(command, parent=context)
    assert command is not None
    if {"-h", "--help", "--version"} & set(words):
        return
    given, _, _ = command.make_parser(context).parse_args(words)
    for option in command.params:
        if option.name in given and isinstance(option.type, (OneOf, click.Choice)):
            value = str(given[option.name])
            if not value.isupper():  # NAME stands for a name
                option.type.convert(value, option, context)


def test_the_check_finds_what_is_wrong() -> None:
    check(["stylize", "a.mp4", "-s", "@ink-wash", "-o", "b.mp4"])
    for wrong in ("stylise a.mp4", "stylize a.mp4 --sise 3", "score polt", "stylize --ease"):
        with pytest.raises(click.UsageError):
            check(wrong.split())
    with pytest.raises(click.UsageError):
        check(["stylize", "a.mp4", "--picker", "midle"])


@each_page
def test_links_and_pictures_are_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@each_page
def test_commands_can_be_typed(page: Path) -> None:
    for words in commands(page):
        try:
            check(words)
        except click.UsageError as error:
            pytest.fail(f"vst {' '.join(words)}: {error.format_message()}")


def all_options() -> set[str]:
    """Every option of every verb, and of the scripts in tools/ and bench/."""
    known: set[str] = {"--help", "--version"}
    waiting: list[click.Command] = [cli]
    while waiting:
        command = waiting.pop()
        for option in command.params:
            known.update((*option.opts, *option.secondary_opts))
        if isinstance(command, click.Group):
            context = click.Context(command)
            found = [command.get_command(context, name) for name in command.list_commands(context)]
            waiting += [one for one in found if one is not None]
    for script in SCRIPTS:
        known.update(re.findall(r'"(--[a-z][a-z-]*)"', script.read_text(encoding="utf-8")))
    return known


@each_page
def test_options_that_are_named_exist(page: Path) -> None:
    named = {re.split(r"[ =]", span)[0] for span in spans(page) if span.startswith("--")}
    assert named <= all_options()


@each_page
def test_python_can_be_read_and_what_it_imports_is_there(page: Path) -> None:
    for language, text in blocks(page):
        if language != "python" and not re.match(r"(from vst\S* )?import ", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "vst":
                module = importlib.import_module(str(node.module))
                for name in node.names:
                    assert hasattr(module, name.name), f"{node.module} has no {name.name}"
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "vst"
            ):
                assert hasattr(importlib.import_module("vst"), node.attr), f"vst.{node.attr}"


def test_scores_in_the_documents_can_be_read() -> None:
    found = [t for lang, t in blocks(DOCS / "scores.md") if lang == "yaml" and "keys:" in t]
    assert found
    for text in found:
        assert parse_score(text).keys


def test_the_curve_of_the_contributors_page_passes_its_tests() -> None:
    page = ROOT / "CONTRIBUTING.md"
    function, entry, test = [text for language, text in blocks(page) if language == "python"]
    room: dict[str, Any] = {"Ease": Callable[[float], float], "linear": float}
    for text in (function, entry, test):
        exec(text, room)
    curve = room["EASES"]["late"]
    assert curve(0.0) == 0 and curve(1.0) == 1
    room["test_late_has_hardly_begun_at_half_time"]()


def names_in(script: Path) -> Iterator[re.Pattern[str]]:
    """The file names that a script writes or reads, as patterns: parts that are filled in match
    anything.
    """
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [node]
        elif isinstance(node, ast.JoinedStr):
            parts = node.values
        text = "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in parts
        )
        if re.search(r"\\\.(png|jpg)$", text):
            yield re.compile(text.rpartition("/")[2])


def test_each_picture_is_drawn_by_a_script() -> None:
    patterns = [pattern for script in SCRIPTS for pattern in names_in(script)]
    for picture in sorted((DOCS / "pictures").iterdir()):
        assert any(pattern.fullmatch(picture.name) for pattern in patterns), picture.name


def test_the_index_names_every_page() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)#\s]+)", text))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= linked


def test_every_verb_is_in_the_documents() -> None:
    named = {words[0] for page in PAGES for words in commands(page)}
    assert {verb for verbs in VERBS.values() for verb in verbs} <= named


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str, monkeypatch, capsys) -> None:
    monkeypatch.setenv("_VST_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit) as end:
        cli.main([], prog_name="vst")
    assert end.value.code == 0 and "_vst_completion" in capsys.readouterr().out


def completions(monkeypatch, capsys, line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    monkeypatch.setenv("_VST_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    with pytest.raises(SystemExit):
        cli.main([], prog_name="vst")
    return [row.partition(",")[2] for row in capsys.readouterr().out.split()]


def test_verbs_options_and_names_are_completed(monkeypatch, capsys) -> None:
    assert completions(monkeypatch, capsys, "vst sty") == ["stylize", "styles"]
    assert "--strength" in completions(monkeypatch, capsys, "vst stylize --str")
    assert completions(monkeypatch, capsys, "vst stylize --picker sc") == ["scene"]
