"""Compares int8 with bfloat16 on 18 films: six clips in three styles, painted and stabilized.

    python bench/precision_films.py --shared ../shared --json precision.json

The clips are three videos, and a talking face, a pan and crossing figures that the project draws:
the stabilizer's settings were not chosen on them. Each film is measured as in
`bench/steadiness.py`, and compared with the film that the other precision makes. What is in the
JSON file is not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from harness import write_json
from steadiness import COLUMNS, HELD_OUT, PAIR, STYLES, list_clips, measure_clip

from vst.engines.embedded import EmbeddedEngine
from vst.engines.embedded_options import EmbeddedOptions
from vst.engines.magenta import MagentaEngine

PRECISIONS = ("bfloat16", "int8")
DRAWN = ("talk", "pan", "cross")
FIGURES = ("warp", "warp-10", "style", "sharpness", "structure", "drift")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=Path(os.environ.get("VST_SHARED", "../shared"))
    )
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--json", type=Path, default=Path("precision.json"))
    options = parser.parse_args()
    options.clips, options.quick = None, False
    known: dict[str, Any] = {"results": []}
    if options.json.exists():
        known = json.loads(options.json.read_text(encoding="utf-8"))
    results = known["results"]
    engines = {name: EmbeddedEngine(options=EmbeddedOptions(precision=name)) for name in PRECISIONS}
    magenta = MagentaEngine(model=",".join(str(options.shared / "magenta" / x) for x in PAIR))
    columns = {"default": COLUMNS["default"]}
    for clip, read in choose_clips(options).items():
        for style in STYLES:
            if any((x["clip"], x["style"]) == (clip, style) for x in results):
                continue
            picture = cv2.imread(str(options.shared / "training" / "style" / style))[..., ::-1]
            wanted = magenta.embed(np.ascontiguousarray(picture))
            for result in measure_clip(read(), engines, wanted, magenta.embed, columns):
                results.append({"clip": clip, "style": style, **result})
            write_json(options.json, known)
            print(f"{clip} {style}", file=sys.stderr, flush=True)
    print(format_table(results))


def choose_clips(options: argparse.Namespace) -> dict[str, Any]:
    """The held-out videos, and the first drawn clip of each of three kinds."""
    clips = list_clips(options)
    drawn = [next(name for name in clips if name.startswith(f"{kind}-")) for kind in DRAWN]
    return {name: clips[name] for name in (*HELD_OUT, *drawn)}


def format_table(results: list[dict[str, Any]]) -> str:
    """Markdown: how much a figure in int8 differs from the one in bfloat16, by film."""
    lines = ["| | mean | least | most |", "|---|---|---|---|"]
    for column in ("off", "default"):
        for figure in FIGURES:
            if column == "off" and figure in ("structure", "drift"):
                continue
            pairs = [find_pair(results, x, figure) for x in results if is_first(x, column)]
            shares = [100 * (after / before - 1) for before, after in pairs]
            cells = (f"{value:+.1f} %" for value in (np.mean(shares), min(shares), max(shares)))
            name = "unstabilized" if column == "off" else "stabilized"
            lines.append(f"| {figure}, {name} | " + " | ".join(cells) + " |")
    films = {(x["clip"], x["style"]) for x in results}
    return f"{len(films)} films\n\n" + "\n".join(lines)


def is_first(result: dict[str, Any], column: str) -> bool:
    return (result["engine"], result["column"]) == (PRECISIONS[0], column)


def find_pair(
    results: list[dict[str, Any]], first: dict[str, Any], figure: str
) -> tuple[float, float]:
    """A figure of a film in bfloat16 and in int8."""
    same = ("clip", "style", "column")
    other = next(
        x
        for x in results
        if x["engine"] == PRECISIONS[1] and all(x[key] == first[key] for key in same)
    )
    return first["found"][figure], other["found"][figure]


if __name__ == "__main__":
    main()
