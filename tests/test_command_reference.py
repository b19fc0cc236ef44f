"""The help of the command line in its groups, and the reference that is generated from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields

import click
import pytest

from tests.conftest import CommandResult
from tools.write_command_reference import PAGE, format_reference, update
from vst.cli.errors import spell_as_options
from vst.cli.help import COMMON, GROUPS, OPTION_GROUPS, describe_option, find_group
from vst.cli.stylize import command as stylize
from vst.engines.options import collect_option_fields
from vst.job import Job

Run = Callable[..., CommandResult]


def flags_in(text: str) -> set[str]:
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.MULTILINE))


def test_the_page_has_the_present_reference() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert update(page) == page, "run python tools/write_command_reference.py"


def test_the_reference_has_every_option_of_stylize() -> None:
    text = format_reference()
    with click.Context(stylize) as context:
        records = [describe_option(param, context) for param in stylize.params]
    for flags, _ in filter(None, records):
        assert "`" + flags.replace("|", "\\|") + "`" in text


def test_help_shows_the_common_options_in_groups(run: Run) -> None:
    done = run("stylize", "--help")
    assert done.code == 0
    headings = [line[:-1] for line in done.out.splitlines() if line[:-1] in GROUPS]
    assert headings == ["Styles", "Look", "Output"]
    shown = flags_in(done.out)
    assert 14 <= len(shown) <= 18
    assert {"--style", "--output", "--engine", "--mask", "--help-all"} <= shown
    assert not {"--steps", "--max-pixels", "--backbone"} & shown


def test_help_all_shows_every_option(run: Run) -> None:
    shown = flags_in(run("stylize", "--help-all").out)
    with click.Context(stylize) as context:
        options = [p for p in stylize.params if isinstance(p, click.Option)]
        visible = [p for p in options if p.get_help_record(context) is not None]
    assert all(shown & set(param.opts) for param in visible)
    assert {"--steps", "--max-pixels", "--patience"} <= shown


@pytest.mark.parametrize("words", [("--engine", "gatys", "--help"), ("--help", "--engine=gatys")])
def test_help_with_an_engine_shows_its_own_options_only(run: Run, words: tuple[str, ...]) -> None:
    own = {n for n, engines in collect_option_fields().items() if "gatys" in engines}
    shown = flags_in(run("stylize", *words).out)
    assert {f"--{name.replace('_', '-')}" for name in own} == shown


def test_engines_lists_all_and_the_options_of_one(run: Run) -> None:
    listed = run("engines")
    assert [line.split()[0] for line in listed.out.splitlines()] == [
        "embedded", "fast", "gatys", "magenta", "tint",
    ]  # fmt: skip
    assert "--steps" in run("engines", "gatys").out
    assert "no options" in run("engines", "tint").out
    assert run("engines", "gatis").code == 2


def test_every_field_of_a_job_has_a_group() -> None:
    listed = {name for names in OPTION_GROUPS.values() for name in names}
    for part in fields(Job):
        if part.name not in ("content", "styles", "output"):
            assert part.metadata["group"] in GROUPS, part.name
            assert find_group(part.name) == part.metadata["group"]
    assert set(COMMON) <= listed | {part.name for part in fields(Job)}


def test_earlier_spellings_work_and_stay_out_of_the_help(run: Run, media: object) -> None:
    text = run("stylize", "--help-all").out
    assert "--stabilize" in text and "--colors" in text and "--optimizer" in text
    assert not re.search("--(stabilise|colours|mask-ground|optimiser)", text)
    done = run("stylize", f"{media}/clip.mp4", "-s", f"{media}/red.png", "-o", "o.mp4", "--engine",
               "tint", "--stabilise", "flow", "--colours", "content", "--mask-ground", "none",
               "--dry-run", "--json")  # fmt: skip
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("strength 1.5 is out of range. Give 0 to 1",
         "--strength 1.5 is out of range. Give 0 to 1"),
        ("output 'a.mp4' exists; overwrite=True replaces it",
         "--output 'a.mp4' exists; --overwrite replaces it"),
        ("size 'big'; allowed is a number", "--size 'big'; allowed is a number"),
        ("needs 9 MB; raise max_memory", "needs 9 MB; raise --max-memory"),
        ("audio=False drops it", "--no-audio drops it"),
        ("start of the film", "start of the film"),
        ("'my_mask_edge.png' is missing", "'my_mask_edge.png' is missing"),
    ],
)  # fmt: skip
def test_errors_spell_fields_as_options(text: str, spelled: str) -> None:
    assert spell_as_options(text) == spelled


def test_an_error_of_the_library_names_the_option(run: Run, media: object) -> None:
    done = run("stylize", f"{media}/clip.mp4", "-s", f"{media}/red.png", "-o", "o.mp4",
               "--strength", "1.5")  # fmt: skip
    assert done.err == "vst: --strength 1.5 is out of range. Give 0 to 1\n"
