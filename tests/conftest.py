"""Fixtures of all tests: small pictures and clips, made once, and the command line run in this
process. Also the hooks that count injected faults.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from tests.fault_tally import TALLY, FaultCounts
from tests.page_server import address, chromium, clips, page  # noqa: F401
from tests.site_page import visitor, web, web_address, web_site  # noqa: F401
from vst import cli as commands

# A busy machine is not a failure: no test has a time limit of its own.
ROOT = Path(__file__).parent.parent
_began = time.time()
settings.register_profile("vst", deadline=None)
settings.load_profile("vst")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-reliability",
        action="store_true",
        help="write the tables of faults and bad input into docs/reliability.md and the README",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let tests send Ctrl-C although the suite itself runs in the background: a shell starts
    background jobs with SIGINT ignored, and every process they start would inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        # The workers of pytest-xdist share the cores: one thread each for TensorFlow's operations.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes: one of them at the end would leave the other workers
    of pytest-xdist idle.
    """
    rank: dict[Path, int] = {}
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        own = 0 if "huge" in marks else 1 if "slow" in marks else 2
        rank[item.path] = min(rank.get(item.path, own), own)
    items.sort(key=lambda item: rank[item.path])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Count the tests marked ``fault``, each of which injects one."""
    outcome: Any = yield
    report, marker = outcome.get_result(), item.get_closest_marker("fault")
    if marker is not None and report.when == "call" and not report.skipped:
        row = TALLY.row(marker.args[0])
        row.injected += 1
        row.survived += report.passed


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist sends its counts to the process that prints the tables."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tally"] = TALLY.as_dict()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Add the counts of a worker that has finished; one that crashed has none."""
    TALLY.add(getattr(node, "workeroutput", {}).get("tally", {}))


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> FaultCounts:
    """The row of the table for the fault that the test injects."""
    marker = request.node.get_closest_marker("fault")
    assert marker is not None
    return TALLY.row(marker.args[0])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the tables of injected faults and of bad input, and write them into the documents."""
    lines = TALLY.format_tables()
    if lines:
        terminalreporter.section("reliability")
        for line in lines:
            terminalreporter.write_line(line)
    if TALLY.faults and TALLY.inputs and config.getoption("--write-reliability"):
        TALLY.write_documents(ROOT, describe_run(terminalreporter, time.time() - _began))


def describe_run(reporter: Any, seconds: float) -> str:
    """Describe a run of tests in a sentence."""
    counts = {name: len(reporter.stats.get(name, [])) for name in ("passed", "failed", "skipped")}
    shown = ", ".join(f"{count:,} tests {name}" for name, count in counts.items() if count)
    return f"{shown}, in {seconds / 60:.0f} minutes on {os.cpu_count()} cores."


@dataclass
class CommandResult:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., CommandResult]:
    """Run ``vst`` with the given arguments, in this process."""

    def call(*words: object) -> CommandResult:
        capfd.readouterr()
        with (
            pytest.MonkeyPatch.context() as patch,
            pytest.raises(SystemExit) as end,
        ):
            patch.setattr("sys.argv", ["vst", *map(str, words)])
            commands.main()
        out, err = capfd.readouterr()
        return CommandResult(int(end.value.code or 0), out, err)

    return call


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clip.mp4 (20 frames, 64x48, 10 fps, with sound), film.mp4 (3 colors, 3 s),
    red.png and blue.png.
    """
    from vst.plotting import save_picture

    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "clip.mp4", frames=20)
    make_film(folder / "film.mp4")
    save_picture(folder / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    save_picture(folder / "blue.png", np.full((60, 40, 3), (20, 20, 230), np.uint8))
    return folder


def make_clip(path: Path, *, frames: int, rate: int = 10, size: tuple[int, int] = (64, 48)) -> None:
    """Write a clip of a white square that moves over gray; the sound is a hum."""
    import av

    with av.open(str(path), "w") as file:
        pictures = file.add_stream("libx264", rate=rate)
        pictures.width, pictures.height = size
        pictures.pix_fmt = "yuv420p"
        sound = file.add_stream("aac", rate=48000)
        for index in range(frames):
            picture = np.full((size[1], size[0], 3), 96, np.uint8)
            picture[10:26, 2 * index : 2 * index + 16] = 255
            for packet in pictures.encode(av.VideoFrame.from_ndarray(picture)):
                file.mux(packet)
        wave = np.sin(np.arange(48000 * frames // rate) * 0.03).astype(np.float32)[None] * 0.2
        hum = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
        hum.sample_rate = 48000
        for packet in [*sound.encode(hum), *sound.encode(None), *pictures.encode(None)]:
            file.mux(packet)


FILM_COLORS = ((220, 30, 30), (30, 200, 30), (30, 30, 220))


def make_film(path: Path) -> None:
    """Write three seconds, one color each, at 10 frames a second."""
    import av

    with av.open(str(path), "w") as file:
        pictures = file.add_stream("libx264", rate=10)
        pictures.width, pictures.height = 64, 64
        pictures.pix_fmt = "yuv420p"
        for color in FILM_COLORS:
            frame = np.full((64, 64, 3), color, np.uint8)
            for _ in range(10):
                for packet in pictures.encode(av.VideoFrame.from_ndarray(frame)):
                    file.mux(packet)
        for packet in pictures.encode(None):
            file.mux(packet)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of models, pictures and clips; without it the test is skipped."""
    folder = Path(os.environ.get("VST_SHARED", Path(__file__).parent.parent.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("needs the folder of models and clips; set VST_SHARED to it")
    return folder


def find_threads() -> set[threading.Thread]:
    """The running threads of the package and of its ffmpeg."""
    return {one for one in threading.enumerate() if one.name.startswith(("vst", "ffmpeg"))}


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """The test leaves no thread; those that hung on purpose in an earlier one are not its own."""
    before = find_threads()
    yield
    assert not find_threads() - before
