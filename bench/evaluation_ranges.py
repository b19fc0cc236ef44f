"""Measure what the figures of `vst evaluate` are on a kind of film, and write their ranges into
vst/data/evaluation_ranges.json, which reports show beside each figure.

python bench/evaluation_ranges.py KIND CLIP[@SECONDS]…      for example: drawn rabbit.mp4@2 cat.mp4

SECONDS: where the measured part of the clip begins. --add widens the ranges that the file has.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.api import stylize  # noqa: E402
from vst.evaluation.guide import RANGES  # noqa: E402
from vst.evaluation.measure import EvaluationOptions, evaluate  # noqa: E402

STYLES = ("@fire-impasto", "@indigo-waves")
SIDE = 256
SECONDS = 1.2


def cut_part(text: str, folder: Path) -> str:
    """Write the part of ``CLIP[@SECONDS]`` that is measured, without loss; return its path."""
    clip, _, start = text.partition("@")
    part = str(folder / f"{Path(clip).stem}{start}.mkv")
    begin = float(start or 0)
    options: dict[str, Any] = {"engine": "tint", "strength": 0.0, "stabilize": "off"}
    stylize(clip, "none", part, start=begin, end=begin + SECONDS, codec="ffv1", **options)
    return part


def measure_painting(clip: str, style: str, folder: Path) -> list[dict[str, float]]:
    """Paint a clip with its stabilizer and without; return the totals of both."""
    steady, raw = str(folder / "steady.mp4"), str(folder / "raw.mp4")
    common: dict[str, Any] = {"size": SIDE, "audio": False, "overwrite": True}
    stylize(clip, style, steady, **common)
    stylize(clip, style, raw, stabilize="off", **common)
    options = EvaluationOptions(styles=[style], against=[raw], fresh=raw, size=SIDE)
    found = evaluate(steady, clip, options)
    return [{name: s.total for name, s in video.scores.items()} for video in found.videos]


def find_ranges(totals: list[list[dict[str, float]]]) -> dict[str, list[list[float]]]:
    """Return each measure's least and most: [[steady], [unstabilized]]."""
    return {
        name: [
            [float(f"{pick(one[way][name] for one in totals):.3g}") for pick in (min, max)]
            for way in (0, 1)
        ]
        for name in totals[0][0]
    }


def widen_ranges(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the ranges that hold both."""
    both = {name: list(zip(one, known.get(name, one))) for name, one in found.items()}
    return {
        name: [[min(a[0], b[0]), max(a[1], b[1])] for a, b in pairs] for name, pairs in both.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", help="the kind of film, as the report names it")
    parser.add_argument("clips", metavar="CLIP[@SECONDS]", nargs="+")
    parser.add_argument("--add", action="store_true", help="widen the ranges that the file has")
    words = parser.parse_args()
    totals = []
    with tempfile.TemporaryDirectory() as folder:
        for text in words.clips:
            clip = cut_part(text, Path(folder))
            for style in STYLES:
                totals.append(measure_painting(clip, style, Path(folder)))
                print(f"{text} {style}: {totals[-1]}", flush=True)
    known = json.loads(RANGES.read_text(encoding="utf-8")) if RANGES.exists() else {"kinds": {}}
    known |= {"side": SIDE, "seconds": SECONDS, "styles": list(STYLES)}
    before = known["kinds"].get(words.kind) if words.add else None
    count, ranges = len(words.clips), find_ranges(totals)
    if before:
        count, ranges = count + before["clips"], widen_ranges(before["ranges"], ranges)
    known["kinds"][words.kind] = {"clips": count, "ranges": ranges}
    text = json.dumps(known, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)  # a range per line
    RANGES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
