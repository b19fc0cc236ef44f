"""Hundreds of damaged or hostile files: each ends in time, with one clear line of error."""

from __future__ import annotations

import os
import queue
import random
import re
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests import memory_watch
from tests.conftest import CommandResult, make_clip
from tests.fault_tally import TALLY
from tests.memory_watch import WatchedResult
from tools.fuzz_counts import Ending

Run = Callable[..., CommandResult]
TIME_LIMIT = 20.0
"""Seconds per command."""
MEMORY_LIMIT = 2_000_000_000
"""Bytes of memory per command."""
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta")


def find_boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield the offsets of an MP4's boxes, nested ones too."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size = struct.unpack(">I", data[start : start + 4])[0]
        if size < 8:
            return
        yield start
        if data[start + 4 : start + 8] in CONTAINERS:
            yield from find_boxes(data, start + 8, min(end, start + size))
        start += size


def make_png(width: int, height: int, body: bytes = b"\0" * 64) -> bytes:
    """Make a PNG whose header has this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(body)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def make_bad_videos(whole: bytes) -> dict[str, bytes]:
    """Make damaged videos, by name."""
    found: dict[str, bytes] = {}
    places = list(find_boxes(whole))
    for number, place in enumerate(places):
        found[f"cut-at-{place}.mp4"] = whole[:place]
        found[f"cut-in-{place}.mp4"] = whole[: place + 6]
        for size in ((0, 7), (1, 0xFFFFFFFF))[number % 2]:
            changed = bytearray(whole)
            changed[place : place + 4] = struct.pack(">I", size)
            found[f"box-{place}-says-{size}.mp4"] = bytes(changed)
    rng = random.Random(0)
    for number in range(60):
        changed = bytearray(whole)
        for _ in range(2 ** (number % 8)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        found[f"flipped-{number}.mp4"] = bytes(changed)
    for ending in ("mp4", "mov", "mkv", "webm", "avi", "gif", "png", "jpg", "webp", "tif"):
        found[f"text.{ending}"] = b"this is not a video\n" * 40
        found[f"noise.{ending}"] = rng.randbytes(5000)
        found[f"empty.{ending}"] = b""
    found["playlist.mp4"] = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    found["concat.mp4"] = b"ffconcat version 1.0\nfile /etc/passwd\n"
    return found


def make_bad_pictures() -> dict[str, bytes]:
    """Make damaged pictures and decompression bombs, by name."""
    most = 2**31 - 1
    sizes = ((0, 0), (0, 5), (5, 0), (50_000, 50_000), (most, most), (1, most), (65_535, 1))
    found = {f"{width}x{height}.png": make_png(width, height) for width, height in sizes}
    good = make_png(8, 8, (b"\0" + b"\x80" * 24) * 8)
    found |= {f"cut-{at}.png": good[:at] for at in range(1, len(good), 5)}
    for name, side in (("zero", 0), ("much", 2**30)):
        sizes_of_it = (54, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
        found[f"bmp-of-{name}.bmp"] = b"BM" + struct.pack("<IHHIIiiHHIIiiII", *sizes_of_it)
    found["gif-of-much.gif"] = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b";"
    return found


def make_bad_scores() -> dict[str, str]:
    """Make scores that are bombs, run code, or are not scores, by name."""
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    return {
        "bomb.yaml": bomb,
        "run.yaml": "!!python/object/apply:os.system ['touch hacked']\n",
        "new.yaml": "styles: !!python/object/new:os.system ['touch hacked']\n",
        "tag.yaml": "styles: !unknown [a]\n",
        "deep.yaml": "[" * 20_000,
        "list.yaml": "- 1\n- 2\n",
        "number.yaml": "7\n",
        "empty.yaml": "",
        "bytes.yaml": "styles: !!binary R0lGODlh\n",
        "self.yaml": "styles: &a [*a]\n",
        "nul.yaml": "styles: \0\n",
        "tabs.yaml": "styles:\n\t- a\n",
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "clip.mp4"
    make_clip(path, frames=10)
    return path.read_bytes()


@pytest.fixture
def folder(whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.mp4").write_bytes(whole)
    (tmp_path / "good.png").write_bytes(make_png(8, 8, (b"\0" + b"\x80" * 24) * 8))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    return tmp_path


def write_cases(folder: Path, whole: bytes) -> list[tuple[str, list[str]]]:
    """Write the bad files; return a command line for each, with its kind."""
    tint = ["-o", "out.mp4", "--engine", "tint", "--overwrite", "--progress", "none"]
    found = []
    (folder / "bad").mkdir()
    for name, data in (make_bad_videos(whole) | make_bad_pictures()).items():
        (folder / "bad" / name).write_bytes(data)
    for name in make_bad_videos(whole):
        found.append((classify(name), ["stylize", f"bad/{name}", "-s", "good.png", *tint]))
    for name in make_bad_pictures():
        found.append(("pictures", ["stylize", "good.mp4", "-s", f"bad/{name}", *tint]))
    for name, text in make_bad_scores().items():
        (folder / "bad" / name).write_text(text, encoding="utf-8")
        found.append(("scores", ["stylize", "good.mp4", "--score", f"bad/{name}", *tint]))
    return found


def classify(name: str) -> str:
    """The row of the table for a bad video."""
    if name.startswith(("cut", "box")):
        return "MP4 cut, or with wrong lengths"
    return "MP4 with flipped bits" if name.startswith("flipped") else "texts, noise, playlists"


def check(
    kind: str, words: list[str], done: CommandResult | WatchedResult, seconds: float, folder: Path
) -> None:
    code, err = done.code, done.err
    TALLY.bad_input(kind).record(Ending(code, err, seconds))
    lines = err.strip().splitlines()
    assert code in (0, 1, 2), (words, code, err)
    assert "Traceback" not in err, (words, err)
    assert "vst: unexpected " not in err, (words, err)
    assert code == 0 or len(lines) == 1, (words, err)
    assert (code == 0) == (folder / "out.mp4").exists(), (words, err)
    assert not (folder / "hacked").exists(), words
    assert not list(folder.glob(".*.part")), words
    (folder / "out.mp4").unlink(missing_ok=True)


def test_some_bad_files_end_with_a_clear_error(folder: Path, whole: bytes, run: Run) -> None:
    found = write_cases(folder, whole)
    assert len(found) >= 200
    chosen = [*found[::12], *found[-len(make_bad_scores()) :]]
    for kind, words in chosen:
        began = time.monotonic()
        done = run(*words)
        seconds = time.monotonic() - began
        check(kind, words, done, seconds, folder)
        assert seconds < TIME_LIMIT, words


@pytest.mark.huge
@pytest.mark.slow
def test_all_bad_files_end_with_a_clear_error(
    folder: Path, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Runs two at a time, each in its own copy of the folder."""
    found = write_cases(folder, whole)
    free: queue.Queue[Path] = queue.Queue()
    for number in range(2):
        free.put(Path(shutil.copytree(folder, tmp_path_factory.mktemp("copies") / str(number))))
    counting = threading.Lock()

    def run_case(case: tuple[str, list[str]]) -> WatchedResult:
        place = free.get()
        try:
            done = memory_watch.run_vst(*case[1], timeout=TIME_LIMIT, folder=place)
            with counting:
                check(*case, done, done.seconds, place)
            return done
        finally:
            free.put(place)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(run_case, found))
    assert max(done.peak for done in ended) < MEMORY_LIMIT
    assert sum(done.code in (1, 2) for done in ended) > 100
    codes = {code: sum(done.code == code for done in ended) for code in (0, 1, 2)}
    print(len(ended), codes, max(done.peak for done in ended))


NAMES = ("a b.mp4", "new\nline.mp4", "quote'\".mp4", "%03d.mp4", "über 影.mp4", "x" * 251 + ".mp4",
         "file:x.mp4", "$(touch hacked).mp4", "; touch hacked .mp4", "[1].mp4")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_content_names_with_special_characters_work(folder: Path, run: Run, name: str) -> None:
    (folder / "good.mp4").rename(folder / name)
    done = run("stylize", name, "-s", "good.png", "-o", "out.mp4", "--engine", "tint")
    assert done.code == 0, done.err
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize(
    "words",
    [
        "stylize {} -s good.png -o out.mp4",
        "stylize good.mp4 -s {} -o out.mp4",
        "stylize good.mp4 -s good.png -o {}",
        "stylize good.mp4 -s good.png -o out.mp4 --mask {}",
        "batch {}",
        "resume {}",
    ],
)
def test_a_name_too_long_for_the_disk_is_refused(folder: Path, run: Run, words: str) -> None:
    long = "x" * 300 + ".mp4"
    done = run(*(long if word == "{}" else word for word in words.split()))
    assert done.code in (1, 2) and "name too long" in done.err, done.err
    assert "vst: unexpected " not in done.err and len(done.err.strip().splitlines()) == 1
    assert not (folder / "out.mp4").exists()


def test_links_work_and_link_loops_are_refused(folder: Path, run: Run) -> None:
    (folder / "-i.mp4").symlink_to("good.mp4")
    done = run("stylize", "-s", "good.png", "-o", "out.mp4", "--engine", "tint", "--", "-i.mp4")
    assert done.code == 0, done.err
    (folder / "loop.mp4").symlink_to("loop.mp4")
    done = run("stylize", "loop.mp4", "-s", "good.png", "-o", "o.mp4", "--engine", "tint")
    assert done.code in (1, 2)
    assert "vst: unexpected " not in done.err


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "P", "L", "LA", "RGBA", "1"])
def test_pictures_of_every_mode_are_styles(folder: Path, run: Run, mode: str) -> None:
    from PIL import Image

    ending = "jpg" if mode == "CMYK" else "png"
    gray = np.linspace(0, 60_000 if mode == "I;16" else 255, 400).reshape(20, 20)
    if mode == "I;16":
        picture = Image.fromarray(gray.astype(np.uint16))
    else:
        picture = Image.fromarray(gray.astype(np.uint8)).convert(mode)
    picture.save(folder / f"style.{ending}")
    done = run("stylize", "good.mp4", "-s", f"style.{ending}", "-o", "o.mp4", "--engine", "tint")
    assert done.code == 0, done.err


def test_addresses_and_protocols_are_refused_as_content(folder: Path, run: Run) -> None:
    for name in (
        "http://127.0.0.1:9/x.mp4",
        "concat:good.mp4|good.mp4",
        "subfile,,start,0,,:good.mp4",
    ):
        done = run("stylize", name, "-s", "good.png", "-o", "o.mp4", "--engine", "tint")
        assert done.code == 2
        assert re.search("does not exist|is a web address", done.err)
    assert not os.path.lexists("o.mp4")
