"""Every command line of README.md and of docs/ that can be pasted is run on real clips, and so is
the example of each verb's help: a page cannot show what does not work. The commands of a page run
in its order: `-k scores.md` plays one page.
"""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from tests.conftest import CommandResult
from tests.test_documents import DOCS, ROOT, blocks
from tests.test_first_hour import COMMANDS
from vst.core.types import Picture

Run = Callable[..., CommandResult]
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
PLACEHOLDERS = re.compile(r"\b(CONTENT|STYLE|OUT|FILE|SHEET|NAME|DIR|VERB|MODEL)\b|[…\[\]]|OPTIONS")
NOT_PLAYED = {
    r"vst live 0": "needs a camera; tests/test_live.py plays files and pipes",
    r"vst demo": "tests/test_main_job.py plays it, and looks at what it leaves",
    r"vst models pull": "downloads",
    r"vst export web": "needs the built page; tests/test_export_site.py writes a site",
    r"--mask person": "a model that is downloaded first",
    r"--painted": "needs frames painted by hand; tests/test_painted_keys.py paints some",
    r"vst train (?:embedded|painter)": "hours, and a teacher's files",
    r"--data MPI-Sintel": "a data set of gigabytes",
    r"--host 0.0.0.0": "opens the page to the network",
    r"s3://": "needs a bucket; tests/test_object_jobs.py plays a server of one",
    r"192\.168|--cluster auto": "other machines",
    r"vst resume": "needs a run that was stopped; tests/test_interrupts.py stops and resumes",
    r"vgg16|--protocol --json": "a network that is downloaded first",
}
"""Pattern of a line -> why it is not run."""
ALONE = ("vst app", "vst doctor", "vst models")
"""What neither reads nor writes a page's files is run on the first page that has the same line."""
SERVERS = ("vst app", "vst study rate")
SHORTENED = {
    r"--minutes \S+": "--minutes 0.05",
    r"(vst train (?:fast|temporal) (?!.*--minutes).*)": r"\1 --minutes 0.05",
    r"(vst train (?:fast|temporal) (?!.*--resume).*)": r"\1 --side 64 --width 8 --blocks 1",
    r"--at 2,5\.4": "--at 0.2,0.4",
    r"--at 0,2\.5": "--at 0,0.4",
    r"--steps [\d,]+": "--steps 1,2",
    r"(vst study video .*)": r"\1 --steps 1 --seconds 0.15 --size 64 --only start",
    r"(vst study backbones .*)--steps [\d,]+": r"\1--steps 2",
    r"(vst study (?:backbones|optimizers) .*)": r"\1 --size 64",
    r"(.*--engine gatys.*)": r"\1 --steps 2 --size 96",
    r"(vst study sweep .*--option engine=gatys.*)": r"\1 --option steps=2",
    r"(vst study sweep .*=[^,]+,[^,]+),\S+": r"\1",
    r"(vst study sweep .*--train .*)": r"\1 --minutes 0.02 --size 64 --vary side=64 --vary width=8",
}
"""What takes minutes or hours or a longer clip, and what is run instead."""
OUTPUTS = ("-o", "--output", "--out", "--report")
CLIPS = {"film": "bigbuckbunny", "dog": "cockatoo"}
"""Name of a clip in the documents -> the real clip that stands for it; the others are `bikes`."""
SECONDS = 0.6
"""Length of the clips: a command is played to its end, not a film."""
SCORE = "styles: {ink: '@ink-wash'}\nkeys: [{at: 0, style: ink}]\n"
REGIONS = """labels: parts
regions: {sky: {label: 80, styles: ["@ink-wash"]}, sea: {label: 200, styles: ["@indigo-waves"]}}
"""
BATCH = 'contents: holiday.mp4\nstyles: ["@ink-wash"]\noutput: out/{content}-{style}.mp4\n'


def list_lines(page: Path) -> list[str]:
    """List the commands of a page in order, without what explains them."""
    text = page.read_text(encoding="utf-8").partition("## Reference")[0]
    found = []
    for _, block in blocks(page):
        for line in block.splitlines():
            words = re.split(r"\s{2,}#?|\s#", line.strip())[0]
            if words.startswith("vst ") and words in text and not PLACEHOLDERS.search(words):
                found.append(words)
    return found


def is_played(line: str) -> bool:
    """Whether a command is run: see `NOT_PLAYED`."""
    return not any(re.search(pattern, line) for pattern in NOT_PLAYED)


def list_examples() -> list[str]:
    """List the examples of all verbs' help."""
    helps = (command.help or "" for command in COMMANDS.values())
    found = [line for text in helps for line in re.findall(r"Example: (vst .+)", text)]
    return list(dict.fromkeys(found))


def list_played() -> dict[str, list[str]]:
    """List what is run, page -> lines; of `ALONE` each line once."""
    every = {page.name: list_lines(page) for page in PAGES} | {"help": list_examples()}
    known: set[str] = set()
    found = {}
    for page, lines in every.items():
        played = [line for line in lines if is_played(line) and line not in known]
        known |= {line for line in played if line.startswith(ALONE)}
        if played:
            found[page] = played
    return found


PLAYED = list_played()


def test_nearly_all_commands_of_the_documents_are_played() -> None:
    every = [line for page in PAGES for line in list_lines(page)]
    assert len(every) >= 80
    assert sum(map(is_played, every)) >= 0.75 * len(every)
    assert {"README.md", "command-line.md", "scores.md", "methods.md"} <= set(PLAYED)


def cut_clip(source: Path, target: Path) -> None:
    """Copy the first `SECONDS` of a clip, without painting or encoding anything anew."""
    import av

    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = read.streams.video[0]
        copy = written.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is not None and packet.pts * stream.time_base <= SECONDS:
                packet.stream = copy
                written.mux(packet)


class Supplies:
    """Puts the files that a command reads into the working folder, where they are missing."""

    def __init__(self, shared: Path) -> None:
        self.shared = shared

    def bring(self, words: list[str]) -> None:
        """Bring what the words of a command name, except its outputs."""
        for before, word in zip(["", *words], words):
            path = Path(word)
            if before not in OUTPUTS and not path.exists() and not path.is_absolute():
                self._make(path)

    def _make(self, path: Path) -> None:
        if path.suffix in (".mp4", ".mov"):
            cut_clip(self.shared / "video" / f"{CLIPS.get(path.stem, 'bikes')}.mp4", path)
        elif path.suffix in (".jpg", ".png"):
            self._save_picture(path)
        elif path.name == "jobs.yaml":
            self._make(Path("holiday.mp4"))
            path.write_text(BATCH, encoding="utf-8")
        elif path.name == "score.yaml":
            path.write_text(SCORE, encoding="utf-8")
        elif path.name == "judge":
            path.symlink_to(self.shared / "judge")
        elif path.name in ("photographs", "films", "shot"):
            path.mkdir()
            for number in range(4):
                self._save_picture(path / f"{number}.png", 0.1 * number)
            if path.name == "films":
                cut_clip(self.shared / "video" / "cockatoo.mp4", path / "cockatoo.mp4")
        elif path.name == "regions.yaml":
            self._save_labels(Path("parts"))
            path.write_text(REGIONS, encoding="utf-8")
        elif path.name == "labels":
            self._save_labels(path)
        elif "#" in path.name:
            self._save_light(path.parent / path.name.replace("####", "1001"))
        elif path.suffix == ".keras" and Path("wave/style.keras").exists():
            path.parent.mkdir(exist_ok=True)
            shutil.copy("wave/style.keras", path)

    def _save_labels(self, path: Path) -> None:
        path.mkdir()
        labels = np.zeros((90, 160), np.uint8)
        labels[:, :50], labels[:, 50:100] = 80, 200
        cv2.imwrite(str(path / "0.png"), labels)

    def _save_light(self, path: Path) -> None:
        from vst.imaging.exr_file import write_exr

        path.parent.mkdir(exist_ok=True)
        self._save_picture(Path("light.png"))
        write_exr(path, cv2.imread("light.png"))
        shutil.copy(path, path.with_name(path.name.replace("1001", "1002")))

    def _save_picture(self, path: Path, time: float = 0.5) -> None:
        from vst.plotting import save_picture
        from vst.video.sources import open_source

        with open_source(str(self.shared / "video" / "bigbuckbunny.mp4")) as source:
            picture: Picture = source.at(time)
        save_picture(path, picture)


def list_outputs(words: list[str]) -> Iterator[Path]:
    """Yield the files and folders that a command writes, as far as its options name them."""
    for before, word in itertools.pairwise(words):
        if before in OUTPUTS and word != "-":
            yield Path(word)
    if words[0] == "export":
        yield Path(next(word for word in words[2:] if not word.startswith("-")))


def remove(path: Path) -> None:
    """Remove what an earlier command wrote under the same name."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def shorten(line: str) -> list[str]:
    """Return the words after ``vst``, with less of what takes minutes."""
    for pattern, replacement in SHORTENED.items():
        line = re.sub(pattern, replacement, line)
    return shlex.split(line)[1:]


def serve(words: list[str]) -> None:
    """Start a server, fetch its page, and end it as Ctrl-C does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if "--port" in words:
        del words[words.index("--port") :][:2]
    more = ["--no-open"] if words[0] == "study" else []
    command = [sys.executable, "-m", "vst", *words, "--port", str(port), *more]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        address = None
        while address is None:
            line = process.stdout.readline()
            assert line, "the server ended without naming its address"
            address = re.search(r"http://\S+", line)
        with urllib.request.urlopen(address[0], timeout=60) as answer:
            assert answer.status == 200 and b"<html" in answer.read().lower()
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    finally:
        process.kill()
    assert "Traceback" not in rest


@pytest.fixture(scope="module")
def enter(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make the folder of a page; its commands share it, because one reads what another wrote."""
    made: dict[str, Path] = {}

    def enter_folder(page: str) -> Path:
        if page not in made:
            made[page] = tmp_path_factory.mktemp(page.partition(".")[0])
        return made[page]

    return enter_folder


@pytest.mark.huge
@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "line"),
    [
        pytest.param(page, line, id=f"{page}: {line}")
        for page, lines in PLAYED.items()
        for line in lines
    ],
)
def test_a_command_of_a_page_works_on_real_clips(
    run: Run,
    shared: Path,
    enter: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    line: str,
) -> None:
    """It exits with 0, and leaves the outputs that it names."""
    folder = enter(page)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VST_HOME", str(folder / "home"))
    words = shorten(line)
    outputs = [*list_outputs(words)]
    for output in outputs if words[0] != "study" else ():  # studies share a folder
        remove(output)
    Supplies(shared).bring(words[1:])
    if line.startswith(SERVERS):
        serve(words)
        return
    done = run(*words)
    assert done.code == 0, done.err
    assert "unexpected" not in done.err and "Traceback" not in done.err
    if "--dry-run" not in words:
        assert [one for one in outputs if not one.exists()] == []


def test_the_help_of_each_verb_has_an_example() -> None:
    assert len(list_examples()) >= len(COMMANDS) - 6  # groups repeat the example of a subcommand
    assert isinstance(COMMANDS["stylize"], click.Command)
