"""Good files of many kinds, and random changes to them, for `tools/fuzz.py`."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from pathlib import Path

from PIL import Image

from vst.video.sinks.ffmpeg import find_ffmpeg

HOSTILE_VALUES = (
    "-1", "0", "1e309", ".nan", ".inf", "-.inf", "99999999999999999999", "1/0", "0:00:00", "100%",
    "-5%", "1e-320", "~", "null", "true", "[]", "{}", "''", "'\\0'", "!!python/name:os.system",
    "&a [*a]", "*missing", "'@'", "'@nothing'", "none", "../../etc/passwd", "/dev/zero",
    "'{content}'",
    "\N{SNOWMAN}", "x" * 5000, "2024-01-01", "0x7fffffff", "!!binary AAAA", "- - -", "? a", "|",
    "cubic-bezier(0,0,0,0)", "cubic-bezier(nan,1,2,3)", "{a: 1, a: 2}", "1:2:3:4",
)  # fmt: skip
"""Replacements for a value in a text."""
EDGE_NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    10**6,
)
FRAMES = 20


def make_seeds(folder: Path) -> None:
    """Write small good files of many kinds."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=10:duration={FRAMES / 10}"]
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1"]
    for name, options in {
        "a.mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"],
        "b.mkv": ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"],
        "c.webm": ["-c:v", "libvpx", "-c:a", "libopus"],
        "d.avi": ["-c:v", "mpeg4", "-c:a", "mp3"],
        "e.mov": ["-c:v", "prores_ks", "-c:a", "pcm_s16le"],
        "f.ts": ["-c:v", "mpeg2video", "-c:a", "mp2"],
        "g.gif": ["-an"],
        "h.flv": ["-c:v", "flv1", "-an"],
        "i.mp4": ["-c:v", "libx265", "-preset", "ultrafast", "-an"],
    }.items():  # fmt: skip
        run_ffmpeg(*source, *sound, *options, folder / name)
    run_ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=24"),
        *("-c:v", "libx264", "-preset", "ultrafast", folder / "long.mp4"),
    )
    noise = random.Random(0).randbytes(24 * 24 * 3)
    picture = Image.frombytes("RGB", (24, 24), noise)
    for name in ("p.png", "q.jpg", "r.webp", "s.tif", "t.bmp", "u.gif", "v.ppm"):
        picture.save(folder / name)
    picture.convert("P").save(folder / "w.png")
    Image.frombytes("I;16", (24, 24), noise[: 24 * 24 * 2]).save(folder / "x.png")
    picture.save(folder / "y.tif", compression="tiff_lzw")
    make_frames_and_streams(folder)


def make_frames_and_streams(folder: Path) -> None:
    """Write pictures of the size of the videos, as painted frames and masks, and y4m streams."""
    painted = Image.frombytes("RGB", (64, 48), random.Random(1).randbytes(64 * 48 * 3))
    for name in ("za.png", "zb.jpg", "zc.tif"):
        painted.save(folder / name)
    labels = Image.new("L", (64, 48))
    labels.paste(200, (10, 10, 40, 40))
    labels.save(folder / "zd.png")
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=1"]
    for name, pixels in (("ye.y4m", "yuv420p"), ("yf.y4m", "yuv444p"), ("yg.y4m", "yuv422p10le")):
        run_ffmpeg(
            *source, "-pix_fmt", pixels, "-strict", "-1", "-f", "yuv4mpegpipe", folder / name
        )


def run_ffmpeg(*words: object) -> None:
    """Run ffmpeg, which must succeed."""
    command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *map(str, words)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


SCORES = (
    """# a score
hold: 0.3
ease: smooth
blend: embedding
styles:
  one: p.png
  two: {path: a.mp4, at: 0:00.5}
keys:
  - {at: 0%, style: one}
  - {at: 0:01, style: {one: 1, two: 3}, brush: 0.5, ease: "cubic-bezier(0.7, 0, 0.1, 1)"}
  - {at: 100%, style: two, colors: content}
""",
    """styles: {p: p.png, q: q.jpg}
pace: uniform
keys:
  - {at: 0, style: p, hold: 0.5}
  - {at: 50%, style: none, ease: bounce}
  - {at: 15f, style: q}
""",
)
REGIONS = """labels: zd.png
regions:
  face: {label: 200, styles: [p.png]}
  rest: {mask: zb.jpg, styles: [q.jpg, p.png]}
"""
BATCH = """contents: [a.mp4, b.mkv]
styles:
  - p.png
  - [q.jpg, p.png]
output: made/{content}-{style}.mp4
options: {size: 32, strength: 0.8, engine: tint, end: 1, overwrite: true}
jobs:
  - content: a.mp4
    styles: [p.png]
    output: made/one.mkv
    options: {start: "0:00.2", end: "0:01", stabilize: gaussian, ghost: 0.4}
"""


def change_bytes(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change ``data`` in a few places; some changes copy parts of ``other``."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        size = len(found)
        if not size:
            break
        at, length = rng.randrange(size), min(size, 2 ** rng.randrange(12))
        way = rng.randrange(9)
        if way == 0:
            found[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            found[at] = rng.randrange(256)
        elif way == 2:
            number = struct.pack(rng.choice("<>") + "I", rng.choice(EDGE_NUMBERS) & 0xFFFFFFFF)
            found[at : at + 4] = number[: max(0, size - at)]
        elif way == 3:
            del found[at:]
        elif way == 4:
            del found[at : at + length]
        elif way == 5:
            found[at:at] = found[rng.randrange(size) :][:length]
        elif way == 6:
            found[at:at] = rng.randbytes(length)
        elif way == 7:
            place = rng.randrange(max(1, len(other)))
            found[at : at + length] = other[place : place + length]
        else:  # the numbers right after a box's or a chunk's name
            names = [match.end() for match in re.finditer(rb"[a-zA-Z]{4}", bytes(found))]
            place = rng.choice(names or [at]) + 4 * rng.randrange(5)
            found[place : place + 4] = struct.pack(">I", rng.choice(EDGE_NUMBERS) & 0xFFFFFFFF)
    return bytes(found)


def change_text(text: str, rng: random.Random) -> bytes:
    """Change a text of names, values and lists in a few places."""
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        way = rng.randrange(7)
        if way == 0:
            del lines[at]
        elif way == 1:
            lines.insert(at, rng.choice(lines))
        elif way == 2:
            lines[at] = " " * rng.randrange(4) + lines[at].strip()
        elif way in (3, 4):
            values = list(re.finditer(r"[^\s:,\[\]{}]+", lines[at]))
            if values:
                start, end = rng.choice(values).span()
                lines[at] = lines[at][:start] + rng.choice(HOSTILE_VALUES) + lines[at][end:]
        elif way == 5:
            place = rng.randrange(len(lines[at]) + 1)
            sign = rng.choice("{}[]:,&*!|>'\"%@`#?-\t\0\ufeff")
            lines[at] = lines[at][:place] + sign + lines[at][place:]
        else:
            lines[at : at + 1] = [lines[at]] * rng.choice((2, 50))
        lines = lines or [""]
    data = "\n".join(lines).encode()
    return data if rng.random() < 0.9 else change_bytes(data, data, rng)
