"""Files that are not what they say, by the hundred: each ends with a clear line, in time."""

from __future__ import annotations

import os
import queue
import random
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

from tests import watching
from tests.conftest import CommandResult, make_clip
from tests.tally import TALLY
from tests.watching import Watched

Run = Callable[..., CommandResult]
LONGEST = 20.0
"""Seconds that any of them may take."""
LARGEST = 2_000_000_000
"""Bytes of memory that any of them may take."""
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta")


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Where the boxes of an MP4 begin, those within others too."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size = struct.unpack(">I", data[start : start + 4])[0]
        if size < 8:
            return
        yield start
        if data[start + 4 : start + 8] in CONTAINERS:
            yield from boxes(data, start + 8, min(end, start + size))
        start += size


def png(width: int, height: int, body: bytes = b"\0" * 64) -> bytes:
    """A PNG whose header says this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(body)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def contents(whole: bytes) -> dict[str, bytes]:
    """Videos that are broken, by name."""
    found: dict[str, bytes] = {}
    places = list(boxes(whole))
    for place in places:
        found[f"cut-at-{place}.mp4"] = whole[:place]
        found[f"cut-in-{place}.mp4"] = whole[: place + 6]
        for size in (0, 1, 7, 0xFFFFFFFF):
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
        found[f"text.{ending}"] = b"this is no video\n" * 40
        found[f"noise.{ending}"] = rng.randbytes(5000)
        found[f"empty.{ending}"] = b""
    found["playlist.mp4"] = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    found["concat.mp4"] = b"ffconcat version 1.0\nfile /etc/passwd\n"
    return found


def pictures() -> dict[str, bytes]:
    """Pictures that are broken, or bombs."""
    most = 2**31 - 1
    sizes = ((0, 0), (0, 5), (5, 0), (50_000, 50_000), (most, most), (1, most), (65_535, 1))
    found = {f"{width}x{height}.png": png(width, height) for width, height in sizes}
    good = png(8, 8, (b"\0" + b"\x80" * 24) * 8)
    found |= {f"cut-{at}.png": good[:at] for at in range(1, len(good), 5)}
    for name, side in (("zero", 0), ("much", 2**30)):
        sizes_of_it = (54, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
        found[f"bmp-of-{name}.bmp"] = b"BM" + struct.pack("<IHHIIiiHHIIiiII", *sizes_of_it)
    found["gif-of-much.gif"] = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b";"
    return found


def scores() -> dict[str, str]:
    """Scores that are bombs, run code, or are no scores."""
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
def desk(whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.mp4").write_bytes(whole)
    (tmp_path / "good.png").write_bytes(png(8, 8, (b"\0" + b"\x80" * 24) * 8))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    return tmp_path


def cases(desk: Path, whole: bytes) -> list[tuple[str, list[str]]]:
    """Command lines with the kind of what is bad, one for each bad file, which is written."""
    tint = ["-o", "out.mp4", "--engine", "tint", "--overwrite", "--progress", "none"]
    found = []
    (desk / "bad").mkdir()
    for name, data in (contents(whole) | pictures()).items():
        (desk / "bad" / name).write_bytes(data)
    for name in contents(whole):
        found.append((kind_of(name), ["stylize", f"bad/{name}", "-s", "good.png", *tint]))
    for name in pictures():
        found.append(("pictures", ["stylize", "good.mp4", "-s", f"bad/{name}", *tint]))
    for name, text in scores().items():
        (desk / "bad" / name).write_text(text)
        found.append(("scores", ["stylize", "good.mp4", "--score", f"bad/{name}", *tint]))
    return found


def kind_of(name: str) -> str:
    """The row of the table for a bad video."""
    if name.startswith(("cut", "box")):
        return "MP4 cut, or with wrong lengths"
    return "MP4 with flipped bits" if name.startswith("flipped") else "texts, noise, playlists"


def check(
    kind: str, words: list[str], done: CommandResult | Watched, seconds: float, desk: Path
) -> None:
    code, err = done.code, done.err
    TALLY.bad_input(kind).record(code, err, seconds)
    lines = err.strip().splitlines()
    assert code in (0, 1, 2), (words, code, err)
    assert "Traceback" not in err, (words, err)
    assert "vst: unexpected " not in err, (words, err)
    assert code == 0 or len(lines) == 1, (words, err)
    assert (code == 0) == (desk / "out.mp4").exists(), (words, err)
    assert not (desk / "hacked").exists(), words
    assert not list(desk.glob(".*.part")), words
    (desk / "out.mp4").unlink(missing_ok=True)


def test_a_selection_of_bad_files(desk: Path, whole: bytes, run: Run) -> None:
    found = cases(desk, whole)
    assert len(found) >= 200
    chosen = [*found[::12], *found[-len(scores()) :]]
    for kind, words in chosen:
        began = time.monotonic()
        done = run(*words)
        seconds = time.monotonic() - began
        check(kind, words, done, seconds, desk)
        assert seconds < LONGEST, words


@pytest.mark.slow
def test_all_bad_files(desk: Path, whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two at a time, on a desk each."""
    found = cases(desk, whole)
    free: queue.Queue[Path] = queue.Queue()
    for number in range(2):
        free.put(Path(shutil.copytree(desk, tmp_path_factory.mktemp("desks") / str(number))))
    telling = threading.Lock()

    def tried(case: tuple[str, list[str]]) -> Watched:
        place = free.get()
        try:
            done = watching.vst(*case[1], timeout=LONGEST, folder=place)
            with telling:
                check(*case, done, done.seconds, place)
            return done
        finally:
            free.put(place)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(tried, found))
    assert max(done.peak for done in ended) < LARGEST
    assert sum(done.code in (1, 2) for done in ended) > 100
    codes = {code: sum(done.code == code for done in ended) for code in (0, 1, 2)}
    print(len(ended), codes, max(done.peak for done in ended))


NAMES = ("a b.mp4", "new\nline.mp4", "quote'\".mp4", "%03d.mp4", "über 影.mp4", "x" * 251 + ".mp4",
         "file:x.mp4", "$(touch hacked).mp4", "; touch hacked .mp4", "[1].mp4")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_sort(desk: Path, run: Run, name: str) -> None:
    (desk / "good.mp4").rename(desk / name)
    done = run("stylize", name, "-s", "good.png", "-o", "out.mp4", "--engine", "tint")
    assert done.code == 0, done.err
    assert not (desk / "hacked").exists()


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
def test_a_name_that_no_disk_takes(desk: Path, run: Run, words: str) -> None:
    long = "x" * 300 + ".mp4"
    done = run(*(long if word == "{}" else word for word in words.split()))
    assert done.code in (1, 2) and "name too long" in done.err, done.err
    assert "vst: unexpected " not in done.err and len(done.err.strip().splitlines()) == 1
    assert not (desk / "out.mp4").exists()


def test_a_leading_dash_and_a_link(desk: Path, run: Run) -> None:
    (desk / "-i.mp4").symlink_to("good.mp4")
    done = run("stylize", "-s", "good.png", "-o", "out.mp4", "--engine", "tint", "--", "-i.mp4")
    assert done.code == 0, done.err
    (desk / "loop.mp4").symlink_to("loop.mp4")
    done = run("stylize", "loop.mp4", "-s", "good.png", "-o", "o.mp4", "--engine", "tint")
    assert done.code in (1, 2)
    assert "vst: unexpected " not in done.err


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "P", "L", "LA", "RGBA", "1"])
def test_pictures_of_every_mode_are_styles(desk: Path, run: Run, mode: str) -> None:
    from PIL import Image

    ending = "jpg" if mode == "CMYK" else "png"
    grey = np.linspace(0, 60_000 if mode == "I;16" else 255, 400).reshape(20, 20)
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16))
    else:
        picture = Image.fromarray(grey.astype(np.uint8)).convert(mode)
    picture.save(desk / f"style.{ending}")
    done = run("stylize", "good.mp4", "-s", f"style.{ending}", "-o", "o.mp4", "--engine", "tint")
    assert done.code == 0, done.err


def test_nothing_reaches_the_network_or_other_files(desk: Path, run: Run) -> None:
    for name in (
        "http://127.0.0.1:9/x.mp4",
        "concat:good.mp4|good.mp4",
        "subfile,,start,0,,:good.mp4",
    ):
        done = run("stylize", name, "-s", "good.png", "-o", "o.mp4", "--engine", "tint")
        assert done.code == 2
        assert "not there" in done.err
    assert not os.path.lexists("o.mp4")
