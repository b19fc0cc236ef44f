"""The documents are correct: their links lead somewhere, their commands and code parse, the
functions and files that they name exist, and a script draws each picture.
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
    """Yield each code block as (language, text); an indented one has no language."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield match[1], match[2]
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for match in re.finditer(r"(?:^ {4}.*\n(?:\n(?= {4}))*)+", bare, re.MULTILINE):
        yield "", "".join(line[4:] or "\n" for line in match[0].splitlines(keepends=True))


def spans(page: Path) -> list[str]:
    """The inline code of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each ``vst`` command line, without comments, brackets and … ."""
    lines = [line for _, text in blocks(page) for line in text.splitlines()]
    for line in [*lines, *spans(page)]:
        found = re.match(r"(?:\S+/)?vst (?!VERB)(.+)", line.strip())
        if found and "[OPTIONS]" not in line:  # the usage lines of the generated reference
            # Text after two blanks explains the command.
            line = re.split(r"\s{2,}", found[1])[0].split(" #")[0]
            # Of "--size N|native" take the first.
            yield [
                re.sub(r"\\?\|.*", "", word) for word in shlex.split(re.sub(r"[…\[\]]", "", line))
            ]


def check(words: list[str]) -> None:
    """Raise click's error if a verb, an option or a name is unknown, or a value is missing."""
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
            if not value.isupper():  # NAME is a placeholder
                option.type.convert(value, option, context)


def test_the_check_refuses_wrong_command_lines() -> None:
    check(["stylize", "a.mp4", "-s", "@ink-wash", "-o", "b.mp4"])
    for wrong in ("stylise a.mp4", "stylize a.mp4 --sise 3", "score polt", "stylize --ease"):
        with pytest.raises(click.UsageError):
            check(wrong.split())
    with pytest.raises(click.UsageError):
        check(["stylize", "a.mp4", "--picker", "midle"])


@each_page
def test_link_and_picture_targets_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@each_page
def test_commands_parse(page: Path) -> None:
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
def test_named_options_exist(page: Path) -> None:
    named = {re.split(r"[ =,]", span)[0] for span in spans(page) if span.startswith("--")}
    assert named <= all_options()


@each_page
def test_python_parses_and_its_imports_exist(page: Path) -> None:
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


def test_scores_in_the_documents_parse() -> None:
    found = [t for lang, t in blocks(DOCS / "scores.md") if lang == "yaml" and "keys:" in t]
    assert found
    for text in found:
        assert parse_score(text).keys


def test_the_example_curve_of_contributing_passes_its_tests() -> None:
    page = ROOT / "CONTRIBUTING.md"
    function, entry, test = [text for language, text in blocks(page) if language == "python"]
    names: dict[str, Any] = {"Ease": Callable[[float], float], "linear": float}
    for text in (function, entry, test):
        exec(text, names)
    curve = names["EASES"]["late"]
    assert curve(0.0) == 0 and curve(1.0) == 1
    names["test_late_reaches_one_sixteenth_at_half_time"]()


def pictures_named_in(script: Path) -> Iterator[re.Pattern[str]]:
    """Yield the picture names in a script's strings as patterns; filled-in parts match anything."""
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


def test_a_script_draws_each_picture() -> None:
    patterns = [pattern for script in SCRIPTS for pattern in pictures_named_in(script)]
    for picture in sorted((DOCS / "pictures").iterdir()):
        assert any(pattern.fullmatch(picture.name) for pattern in patterns), picture.name


def named_object(name: str) -> object:
    """The module, class or function with a dotted name; raises where it does not exist."""
    module, rest = name, []
    while True:
        try:
            found: object = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
    for attribute in rest:
        found = getattr(found, attribute)
    return found


JOURNEYS = re.findall(
    r"^### (A .+)\n((?:.|\n)*?)(?=^##)",
    (DOCS / "architecture.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize(("title", "text"), JOURNEYS, ids=[title for title, _ in JOURNEYS])
def test_each_step_of_a_journey_names_an_existing_function(title: str, text: str) -> None:
    steps = re.findall(r"^\d+\. `(vst[\w.]+)`", text, re.MULTILINE)
    assert 3 <= len(steps) <= 10 and len(steps) == len(re.findall(r"^\d+\. ", text, re.MULTILINE))
    assert all(callable(named_object(step)) for step in steps)


def test_the_architecture_page_has_both_journeys_and_ten_tasks() -> None:
    assert [title for title, _ in JOURNEYS] == ["A content frame", "A style"]
    table = (DOCS / "architecture.md").read_text("utf-8").partition("## Where to change what")[2]
    assert len(re.findall(r"^\| \w", table, re.MULTILINE)) == 11  # ten tasks and the header


@each_page
def test_named_files_of_the_repository_exist(page: Path) -> None:
    folders = "vst|tests|tools|bench|docs|notebooks"
    for span in spans(page):
        if re.fullmatch(rf"(?:{folders})/[\w./-]+\.\w+", span):
            assert (ROOT / span).exists(), span


def test_the_index_links_to_every_page() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)#\s]+)", text))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= linked


def test_every_verb_is_in_the_documents() -> None:
    named = {words[0] for page in PAGES for words in commands(page)}
    assert {verb for verbs in VERBS.values() for verb in verbs} <= named


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_completion_script(shell: str, monkeypatch, capsys) -> None:
    monkeypatch.setenv("_VST_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit) as end:
        cli.main([], prog_name="vst")
    assert end.value.code == 0 and "_vst_completion" in capsys.readouterr().out


def completions(monkeypatch, capsys, line: str) -> list[str]:
    """The completions that bash gets for the last word of a line."""
    words = line.split(" ")
    monkeypatch.setenv("_VST_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    with pytest.raises(SystemExit):
        cli.main([], prog_name="vst")
    return [row.partition(",")[2] for row in capsys.readouterr().out.split()]


def test_verbs_options_and_names_complete(monkeypatch, capsys) -> None:
    assert completions(monkeypatch, capsys, "vst sty") == ["stylize", "styles"]
    assert "--strength" in completions(monkeypatch, capsys, "vst stylize --str")
    assert completions(monkeypatch, capsys, "vst stylize --picker sc") == ["scene"]
