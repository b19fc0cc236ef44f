"""A newcomer's first hour: each mistake, with its exit code, its one line, and no file left; and
the help. `test_played_commands.py` plays the commands of the documents.
"""

from __future__ import annotations

import errno
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from tests.conftest import CommandResult, make_clip
from vst.cli import FIRST, VERBS, cli
from vst.cli.errors import describe_system_error
from vst.cli.exit_codes import EXIT_CODES, WRONG_USE

Run = Callable[..., CommandResult]
ROOT = Path(__file__).parent.parent
MISTAKES = {
    "stylize": {
        "a picture as content": ("photo.png -s @ink-wash -o out.mp4", "is a picture"),
        "a content that is missing": ("no.mp4 -s @ink-wash -o out.mp4", "does not exist"),
        "a content that is an empty folder": ("empty -s @ink-wash -o out.mp4", "no pictures"),
        "a content with sound only": ("sound.wav -s @ink-wash -o out.mp4", "only sound"),
        "a content that is text": ("notes.mp4 -s @ink-wash -o out.mp4", "is text"),
        "a content that is an empty file": ("zero.mp4 -s @ink-wash -o out.mp4", "is empty"),
        "a web address as content": (
            "https://example.org/a.mp4 -s @ink-wash -o out.mp4", "Download it",
        ),
        "a style without a name": ("clip.mp4 -s '' -o out.mp4", "names nothing"),
        "an output without a name": ("clip.mp4 -s @ink-wash -o ' '", "has no name"),
        "no style": ("clip.mp4 -o out.mp4", "no style"),
        "a style that is missing": ("clip.mp4 -s no.png -o out.mp4", "neither a file"),
        "an unknown built-in style": ("clip.mp4 -s @ink-wsh -o out.mp4", "ink-wash"),
        "a style that is an empty folder": ("clip.mp4 -s empty -o out.mp4", "no pictures"),
        "a style that is SVG": ("clip.mp4 -s art.svg -o out.mp4", "SVG drawing"),
        "a style that is JPEG XL": ("clip.mp4 -s art.jxl -o out.mp4", "JPEG XL picture"),
        "a style with sound only": ("clip.mp4 -s sound.wav -o out.mp4", "only sound"),
        "a background without a mask": (
            "clip.mp4 -s @ink-wash --mask-background @ink-wash -o out.mp4", "without a mask",
        ),
        "a mask's edge without a mask": (
            "clip.mp4 -s @ink-wash --mask-edge crisp -o out.mp4", "--mask-edge",
        ),
        "a mask that is missing": (
            "clip.mp4 -s @ink-wash --mask no.png -o out.mp4", "does not exist",
        ),
        "a lookup table that is empty": (
            "clip.mp4 -s @ink-wash --lut empty.cube -o out.mp4", "three-dimensional",
        ),
        "a score's style that is SVG": ("clip.mp4 --score svg.yaml -o out.mp4", "styles: art"),
        "a score's style with sound only": (
            "clip.mp4 --score sound.yaml -o out.mp4", "only sound",
        ),
        "an output without suffix": ("clip.mp4 -s @ink-wash -o out", "has no suffix"),
        "an output of another kind": ("clip.mp4 -s @ink-wash -o out.docx", "suffix"),
        "an output folder that is missing": ("clip.mp4 -s @ink-wash -o no/out.mp4", "mkdir -p no"),
        "an output that exists": ("clip.mp4 -s @ink-wash -o photo.mp4", "--overwrite"),
        "an output that is the content": ("clip.mp4 -s @ink-wash -o clip.mp4", "also an input"),
        "a model of another engine": (
            "clip.mp4 -s @ink-wash --model net.keras -o out.mp4", "--engine fast",
        ),
        "a model that is missing": (
            "clip.mp4 -s @ink-wash --model no -o out.mp4", "does not exist",
        ),
        "a folder that is not a model": (
            "clip.mp4 -s @ink-wash --model empty -o out.mp4", "weights.json",
        ),
        "a model for an engine without": (
            "clip.mp4 -s @ink-wash --engine tint --model empty -o out.mp4", "has no model",
        ),
        "an unknown engine": ("clip.mp4 -s @ink-wash --engine magneta -o out.mp4", "magenta"),
        "a number out of range": ("clip.mp4 -s @ink-wash --strength 2 -o out.mp4", "--strength"),
        "a number that is none": (
            "clip.mp4 -s @ink-wash --strength nan -o out.mp4", "--strength nan",
        ),
        "a word for a number": (
            "clip.mp4 -s @ink-wash --strength full -o out.mp4", "is not a number. Give one",
        ),
        "times for a picker without": (
            "clip.mp4 -s clip.mp4 --at 0.1 --picker scene -o out.mp4", "--picker 'manual'",
        ),
        "an unknown option": ("clip.mp4 -s @ink-wash --strenght 1 -o out.mp4", "--strength"),
    },
    "preview": {
        "a picture as content": ("photo.png -s @ink-wash -o out.png", "is a picture"),
        "an output that is not a picture": ("clip.mp4 -s @ink-wash -o out.mp4", "not a picture"),
        "an output folder that is missing": ("clip.mp4 -s @ink-wash -o no/out.png", "mkdir -p no"),
        "a style that is SVG": ("clip.mp4 -s art.svg -o out.png", "SVG drawing"),
        "a background without a mask": (
            "clip.mp4 -s @ink-wash --mask-background @ink-wash -o out.png", "without a mask",
        ),
    },
    "image": {
        "a time of a picture": ("photo.png -s @ink-wash --at 1 -o out.png", "is a picture"),
        "a time after the end": ("clip.mp4 -s @ink-wash --at 99 -o out.png", "--at 99"),
        "a content that is an empty folder": ("empty -s @ink-wash -o out.png", "no pictures"),
        "a content that is SVG": ("art.svg -s @ink-wash -o out.png", "SVG drawing"),
        "an output without suffix": ("photo.png -s @ink-wash -o out", "not a picture"),
        "an output folder that is missing": ("photo.png -s @ink-wash -o no/o.png", "mkdir -p no"),
        "a model of another engine": (
            "photo.png -s @ink-wash --model net.keras -o out.png", "--engine fast",
        ),
    },
    "grid": {
        "a content that is missing": ("photo.png no.png -s @ink-wash -o out.png", "does not exist"),
        "an output folder that is missing": ("photo.png -s @ink-wash -o no/o.png", "mkdir -p no"),
        "a style with sound only": ("photo.png -s sound.wav -o out.png", "only sound"),
    },
    "keyframes": {
        "a picture": ("photo.png -o out.png", "is a picture"),
        "a built-in style": ("@ink-wash -o out.png", "not a video"),
        "a file with sound only": ("sound.wav -o out.png", "only sound"),
        "an empty folder": ("empty -o out.png", "no pictures"),
        "an output without a name": ("clip.mp4 -o ''", "has no name"),
        "an output folder that is missing": ("clip.mp4 -o no/out.png", "mkdir -p no"),
    },
    "frames": {
        "a content that is missing": ("no.mp4 --at 0 -o keys", "does not exist"),
        "a time after the end": ("clip.mp4 --at 99 -o keys", "after the end"),
        "no times": ("clip.mp4 -o keys", "--at"),
        "an output without a name": ("clip.mp4 --at 0 -o ''", "has no name"),
        "an output folder that is missing": ("clip.mp4 --at 0 -o no/keys", "mkdir -p no"),
    },
    "lut": {
        "a content that is missing": ("no.mp4 -s @ink-wash -o look.cube", "does not exist"),
        "a style that is SVG": ("clip.mp4 -s art.svg -o look.cube", "SVG drawing"),
        "no style": ("clip.mp4 -o look.cube", "no style"),
        "an output that is not a table": ("clip.mp4 -s @ink-wash -o look.png", ".cube"),
        "an output folder that is missing": ("clip.mp4 -s @ink-wash -o no/l.cube", "mkdir -p no"),
    },
    "score": {
        "a score that is missing": ("check no.yaml", "does not exist"),
        "a picture as content": ("init photo.png -s @ink-wash -o out.yaml", "is a picture"),
        "a number out of range": (
            "init clip.mp4 -s @ink-wash --keyframes 0 -o out.yaml", "--keyframes 0",
        ),
        "an output that is not a score": ("init clip.mp4 -s @ink-wash -o out.txt", ".yaml"),
        "an output folder that is missing": (
            "init clip.mp4 -s @ink-wash -o no/out.yaml", "mkdir -p no",
        ),
    },
    "styles": {
        "a style that is missing": ("add mine no.png", "neither a file"),
        "a style with sound only": ("add mine sound.wav", "only sound"),
        "a style that is an embedding": ("add mine @ink-wash", "is an embedding"),
        "an unknown style": ("remove nothing", "nothing"),
    },
    "evaluate": {
        "a film of one frame": ("photo.png --content clip.mp4", "is a picture"),
        "a folder of one frame": ("one --content clip.mp4", "one frame"),
        "a content that is missing": ("clip.mp4 --content no.mp4", "does not exist"),
        "a report that is not a page": ("clip.mp4 --content clip.mp4 --report r.png", ".html"),
        "a report folder that is missing": (
            "clip.mp4 --content clip.mp4 --report no/out.html", "mkdir -p no",
        ),
        "an unknown measure": ("clip.mp4 --content clip.mp4 --measure wrap", "warp"),
        "a job that is not there": ("clip.mp4 --content clip.mp4 --job", "--style"),
        "a judge that is a picture": (
            "clip.mp4 --content clip.mp4 --judge photo.png", "holds no weights",
        ),
    },
    "compare": {
        "one video": ("clip.mp4 -o out.mp4", "two or more"),
        "a picture": ("clip.mp4 photo.png -o out.mp4", "is a picture"),
        "an output without suffix": ("clip.mp4 clip.mp4 -o out", "has no suffix"),
        "an output folder that is missing": ("clip.mp4 clip.mp4 -o no/out.mp4", "mkdir -p no"),
    },
    "study": {
        "a picture as content": ("video photo.png -s @ink-wash --out study", "is a picture"),
        "a style that is missing": ("video clip.mp4 -s no.png --out study", "neither a file"),
        "the content as its own style": (
            "sweep photo.png -s none --vary strength=0.3,1 --out study", "is the content itself",
        ),
        "a value out of range": (
            "sweep photo.png -s @ink-wash --vary strength=2,3 --out study", "is out of range",
        ),
        "a start after the end": (
            "video clip.mp4 -s @ink-wash --start 99 --out study", "Give an earlier one",
        ),
    },
    "batch": {"a file that is missing": ("no.yaml", "does not exist")},
    "resume": {"an output that nothing began": ("out.mp4", "resume")},
    "show": {
        "an output that is missing": ("no.mp4", "does not exist"),
        "a video that vst has not made": ("clip.mp4", "carries no job"),
        "a picture": ("photo.png", "pictures carry no job"),
    },
    "engines": {"an unknown engine": ("gatis", "gatys")},
    "models": {"an unknown model": ("pull magneta", "magenta")},
    "train": {
        "pictures that are missing": ("fast --style a.png --pictures no --out t", "no"),
        "a folder without a training": ("fast --resume empty", "no training.json"),
    },
    "doctor": {"an unknown option": ("--ofline", "--offline")},
    "demo": {"an output that is a file": ("-o photo.png", "photo.png")},
    "export": {
        "an unknown precision": ("onnx --precision float7 out", "float32"),
        "a model that is not one": ("onnx out --model net.keras", "style.keras"),
    },
    "live": {
        "a style that is missing": ("clip.mp4 -s gone.png -o -", "gone.png"),
        "no style": ("clip.mp4 -o -", "-s"),
        "an address that is not one": (
            "clip.mp4 -s @ink-wash -o - --osc 9000", "Give such as osc://127.0.0.1:8000",
        ),
        "an address of another machine": (
            "clip.mp4 -s @ink-wash -o - --osc osc://192.0.2.1:9000", "cannot be listened on",
        ),
        "a page without a port": (
            "clip.mp4 -s @ink-wash -o http://127.0.0.1", "Give such as http://127.0.0.1:8000",
        ),
        "a second output that exists": (
            "clip.mp4 -s @ink-wash -o - -o photo.mp4", "--overwrite",
        ),
    },
    "app": {"a port out of range": ("--port 0", "--port")},
}  # fmt: skip
"""Verb -> mistake -> the words after the verb, and what the line has to say."""


def list_mistakes() -> list[tuple[str, str, str]]:
    """List the mistakes: the verb, the words after it, and what the line has to say."""
    return [
        (verb, words, expected)
        for verb, mistakes in MISTAKES.items()
        for words, expected in mistakes.values()
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of each kind that is given by mistake."""
    import wave

    import numpy as np

    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("mistakes")
    make_clip(folder / "clip.mp4", frames=6)
    make_clip(folder / "photo.mp4", frames=2)
    save_picture(folder / "photo.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    (folder / "empty").mkdir()
    (folder / "empty.cube").touch()
    (folder / "zero.mp4").touch()
    (folder / "notes.mp4").write_text("Notes on the film\n", encoding="utf-8")
    (folder / "one").mkdir()
    shutil.copy(folder / "photo.png", folder / "one" / "0001.png")
    (folder / "art.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    (folder / "art.jxl").write_bytes(b"\xff\x0a" + b"\0" * 60)
    (folder / "net.keras").write_bytes(b"PK")
    for name, style in (("svg", "art.svg"), ("sound", "sound.wav")):
        text = f"styles: {{art: {style}}}\nkeys: [{{at: 0, style: art}}]\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * 8000)
    return folder


@pytest.mark.parametrize(
    ("verb", "words", "expected"),
    list_mistakes(),
    ids=[f"{verb}: {name}" for verb, mistakes in MISTAKES.items() for name in mistakes],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    run: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch, verb: str, words: str, expected: str
) -> None:
    """No engine is opened before the mistake is found."""
    monkeypatch.chdir(prepared)
    monkeypatch.setenv("VST_HOME", str(prepared / "home"))
    monkeypatch.setattr("vst.pipeline.parts.ENGINES", {})
    before = sorted(prepared.rglob("*"))
    done = run(verb, *shlex.split(words))
    assert done.code == WRONG_USE, done.err
    assert len(done.err.splitlines()) == 1, done.err
    assert done.out == ""
    assert expected in done.err
    assert re.match(r"vst[\w -]*: .{20,}", done.err)
    assert sorted(prepared.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        "stylize clip.mp4 -s @ink-wash -o out.mp4",
        "image photo.png -s @ink-wash -o out.png",
        "evaluate clip.mp4 --content clip.mp4 --report out.html",
        "compare clip.mp4 clip.mp4 -o out.mp4",
    ],
)
def test_a_folder_that_permits_no_files_is_found_first(
    run: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(prepared)
    monkeypatch.setattr("vst.pipeline.parts.ENGINES", {})
    monkeypatch.setattr("vst.pipeline.checks.os.access", lambda path, mode: False)  # as if not root
    done = run(*words.split())
    assert done.code == WRONG_USE and len(done.err.splitlines()) == 1
    assert "permits no new files" in done.err


def test_a_full_standard_output_is_named() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert describe_system_error(full).startswith("the output cannot be written: No space left")
    assert describe_system_error(ValueError("No space left")) == ""


def test_every_verb_has_a_mistake_in_the_table() -> None:
    assert set(MISTAKES) == {verb for verbs in VERBS.values() for verb in verbs}


def test_the_page_lists_the_exit_codes() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for code, text in EXIT_CODES.items():
        assert f"| {code} | {text} |" in page


def walk_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command and subcommand with its words."""
    with click.Context(cli, info_name="vst") as root:
        for verb in cli.list_commands(root):
            command = cli.get_command(root, verb)
            assert command is not None
            yield verb, command
            if isinstance(command, click.Group):
                for name in command.list_commands(root):
                    sub = command.get_command(root, name)
                    if sub is not None and not sub.hidden:
                        yield f"{verb} {name}", sub


COMMANDS = dict(walk_commands())


@pytest.mark.parametrize("words", COMMANDS)
def test_help_fits_a_screen_and_shows_one_example_that_parses(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run(*words.split(), "--help")
    lines = done.out.splitlines()
    assert done.code == 0 and len(lines) <= 23  # of 24: one is the prompt
    assert max(map(len, lines)) <= 80
    examples = [line.split("Example: ")[1] for line in lines if "Example: " in line]
    assert len(examples) == 1
    parse_example(examples[0], tmp_path, monkeypatch)


def test_the_first_screen_explains_the_first_steps_and_names_every_verb(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("--help").out.splitlines()
    assert len(lines) <= 25 and max(map(len, lines)) <= 80
    verbs = {verb for verbs in VERBS.values() for verb in verbs}
    assert verbs <= set(re.findall(r"[a-z]+", " ".join(lines)))
    assert [line.split()[0] for line in lines[lines.index("First steps:") + 1 :][:6]] == list(FIRST)


def test_help_all_explains_every_verb(run: Run) -> None:
    out = run("--help-all").out
    for verbs in VERBS.values():
        for verb, (_, about) in verbs.items():
            assert re.search(rf"^  {verb} +{re.escape(about)}$", out, re.MULTILINE)


def parse_example(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse a command line as click would before it runs the command; files need not exist."""
    monkeypatch.chdir(folder)
    words = shlex.split(line)
    assert words[0] == "vst"
    name = " ".join(words[1:3]) if " ".join(words[1:3]) in COMMANDS else words[1]
    command, rest = COMMANDS[name], words[1 + len(name.split()) :]
    for param in command.params:
        if isinstance(param.type, click.Path):
            monkeypatch.setattr(param.type, "exists", False)
    with command.make_context(name, rest) as context:
        assert context.command is command
