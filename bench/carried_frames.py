"""Measure whether every second frame can be carried from its painted neighbors instead of painted.

Even frames are painted; odd ones are warped from the paintings before and after them, each where it
is seen, and averaged. The painting of the same odd frame is what they are compared with.

python bench/carried_frames.py [--frames 17] [--json carried.json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from vst.core.types import Picture
from vst.engines.base import EmbeddingEngine
from vst.imaging.optical_flow import FlowEstimator, find_non_occluded, warp
from vst.metrics.sharpness import Sharpness
from vst.metrics.structure import structure
from vst.metrics.tile_drift import tile_drift
from vst.pipeline.parts import open_engine
from vst.samples.motion.clips import ClipRecipe, draw_clip
from vst.schedule.timeline import Mix
from vst.styles.resolve import resolve_styles

KINDS = ("talk", "pan", "zoom", "rain")
STYLES = ("@ink-wash", "@stained-glass")


def carry(frames: list[Picture], before: Picture, after: Picture, *, blend: bool) -> Picture:
    """The painting of the middle of three frames, from those of the others. ``blend``: the mean of
    both sides where both are seen; else the one before, and the other only where that is hidden.
    """
    flow = FlowEstimator()
    gray = [flow.gray(frame) for frame in frames]
    sides, seen = [], []
    for index, painted in ((0, before), (2, after)):
        way, back = flow(gray[1], gray[index]), flow(gray[index], gray[1])
        sides.append(warp(painted, way).astype(np.float32))
        seen.append(find_non_occluded(way, back))
    first, second = (mask.astype(np.float32)[..., None] for mask in seen)
    if not blend:
        second = second * (1 - first)
    neither = (first + second) == 0
    total = first * sides[0] + second * sides[1] + neither * sides[0]
    return np.asarray(total / (first + second + neither) + 0.5, np.uint8)


def measure(kind: str, style: str, engine: EmbeddingEngine, count: int) -> dict[str, float]:
    """The measures of the carried frames of one clip."""
    clip = list(draw_clip(ClipRecipe(kind, 7, count=count)).frames)
    mix, wanted = Mix({style: 1.0}), engine.styles[style]
    fresh = [engine.paint(frame[None], [mix])[0] for frame in clip]
    found: dict[str, list[float]] = {}
    for index in range(1, count - 1, 2):
        for name, blend in (("mean", True), ("nearest", False)):
            made = carry(clip[index - 1 : index + 2], fresh[index - 1], fresh[index + 1],
                         blend=blend)  # fmt: skip
            ratio = Sharpness().add(clip[index], made) / Sharpness().add(clip[index], fresh[index])
            far, own = (np.linalg.norm(engine.embed(one) - wanted) for one in (made, fresh[index]))
            values = {
                "structure": structure(made, fresh[index]),
                "sharpness": ratio,
                "style distance": float(far / own),
            }
            if index % 4 == 1:
                drift = float(tile_drift(made, fresh[index], engine.embed).mean())
                natural = float(tile_drift(fresh[index + 1], fresh[index], engine.embed).mean())
                values |= {"drift": drift, "natural drift": natural}
            for key, value in values.items():
                found.setdefault(f"{name} {key}", []).append(value)
    return {key: round(float(np.mean(values)), 3) for key, values in found.items()}


def main() -> None:
    """Measure all clips and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=17)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = {}
    with open_engine("embedded") as engine:
        assert isinstance(engine, EmbeddingEngine)
        styles = resolve_styles(STYLES, keyframes=1, picker="middle")
        engine.prepare({style.name: style.style for style in styles})
        for kind in KINDS:
            for style in styles:
                found = measure(kind, style.name, engine, given.frames)
                results[f"{kind}, {style.name}"] = found
                print(kind, style.name, json.dumps(found), flush=True)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
