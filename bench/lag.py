"""Measures by how many frames the stabilizers lag behind a changing style.

    python bench/lag.py --shared ../shared [--frames 30] [--json lag.json]

Two clips, moving and still (with sensor noise), and two pairs of styles, painted by Magenta TFLite:
`--frames` from one style to the other. Embeddings are projected onto the line from the first style
to the second; a linear fit through the middle third of the transition gives how far the picture has
come at half time, and by how many frames the stabilized one is behind the unstabilized. `told`: the
stabilizer receives the mix, as it does in the pipeline.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from steadiness import COLUMNS, PAIR, STYLES, read_video

from vst.core.types import Picture
from vst.engines.magenta import MagentaEngine
from vst.schedule.timeline import Mix

CLIPS = ("bikes", "cockatoo")
REST = 6
"""Frames before and after the transition."""
SENSOR = 2.0
"""Standard deviation of the noise of the still content, of 255."""


def read_contents(clip: Path, count: int, still: bool) -> list[Picture]:
    pictures = list(read_video(clip, 384, 1 if still else count))
    if not still:
        return pictures
    noise = np.random.default_rng(0)
    return [
        (pictures[0] + noise.normal(0, SENSOR, pictures[0].shape)).clip(0, 255).astype(np.uint8)
        for _ in range(count)
    ]


def fit_progress(pictures: list[Picture], middle: range, engine: Any, ends: Any) -> Any:
    """How far the embedding has come, 0..1: slope and height of the fitted line at the middle."""
    way = ends[1] - ends[0]
    come = [(engine.embed(pictures[place]) - ends[0]) @ way / (way @ way) for place in middle]
    return np.polyfit(np.array(middle) - np.mean(middle), come, 1)


def measure_case(
    engine: Any, contents: list[Picture], frames: int, ends: Any
) -> dict[str, dict[str, float]]:
    """The lag in frames of each stabilizer, without and with the mix."""
    parts = np.clip((np.arange(len(contents)) - REST) / frames, 0, 1)
    paintings = [
        engine.stylize(content[None], ((1 - part) * ends[0] + part * ends[1])[None])[0]
        for part, content in zip(parts, contents)
    ]
    third = frames // 3
    middle = range(REST + third, REST + frames - third + 1)
    slope, height = fit_progress(paintings, middle, engine, ends)
    lags: dict[str, dict[str, float]] = {}
    for name, make in COLUMNS.items():
        lags[name] = {}
        for told in (False, True):
            stabilizer, steady = make(), []
            for part, content, painted in zip(parts, contents, paintings):
                if told:
                    stabilizer.set_mix(Mix({"first": 1 - part, "second": part}))
                steady += stabilizer.step(content, painted)
            steady += stabilizer.flush()
            _, there = fit_progress(steady, middle, engine, ends)
            lags[name]["told" if told else "untold"] = float((height - there) / slope)
    return lags


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("VST_SHARED", "../shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--frames", type=int, default=30, help="length of the transition")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    shared = options.shared
    if not shared.is_dir():
        sys.exit(f"{shared} is not there: give --shared the folder of models and clips")
    engine = MagentaEngine(model=",".join(str(shared / "magenta" / x) for x in PAIR))
    style = [shared / "training" / "style" / name for name in STYLES]
    numbers = [engine.embed(read_video(path, 384, 1)[0]) for path in style]
    results = []
    for clip in CLIPS:
        for still in (False, True):
            contents = read_contents(
                shared / "video" / f"{clip}.mp4", options.frames + 2 * REST, still
            )
            for first in (0, 1):
                lags = measure_case(engine, contents, options.frames, numbers[first : first + 2])
                results.append({"clip": clip, "still": still, "pair": first, "lags": lags})
                print(clip, "still" if still else "moving", first, json.dumps(lags), flush=True)
    for name in COLUMNS:
        for told in ("untold", "told"):
            found = np.array([result["lags"][name][told] for result in results])
            late = int((found > 2).sum())
            print(
                f"{name}, {told}: mean {found.mean():.1f}, worst {found.max():.1f} frames; "
                f"{late} of {len(found)} over 2"
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
