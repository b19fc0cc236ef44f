"""Measures the stabilizers on clips, styles and engines; prints the table of docs/steadiness.md.

    python bench/steadiness.py --shared ../shared --json steadiness.json [--frames 30] [--size 384]

Warp errors are relative to Magenta TFLite's unstabilized painting of the same frames and style;
style distance (by Magenta's predictor) and sharpness to the same engine's unstabilized painting.
Stabilizers are reset at the content's cuts. Times are medians of alternated runs at 512 x 512,
relative to the embedded painter's.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

import cv2
import numpy as np
from baselines import ExponentialAverage, WarpedBlend

from vst.core.types import Picture
from vst.engines.embedded import EmbeddedEngine
from vst.engines.magenta import MagentaEngine
from vst.metrics.sharpness import Sharpness
from vst.metrics.style import StyleDistance
from vst.metrics.warp import WarpError
from vst.stabilizers import STABILIZERS
from vst.stabilizers.base import Stabilizer
from vst.video.scene_cuts import CutDetector
from vst.video.sources import open_source

STYLES = ("0001.jpg", "0027.jpg", "0035.jpg")
PAIR = "style_predict_quantized_256.tflite,style_transfer_quantized_dynamic.tflite"
LAGS = (1, 5, 10)
FIGURES = ("warp", "warp-5", "warp-10", "style", "sharpness")
CONTENDERS: dict[str, Callable[[], Stabilizer]] = {
    "off": STABILIZERS["off"],
    "exponential average, 0.8": ExponentialAverage,
    "light: Gaussian over time": STABILIZERS["light"],
    "blend along flow, 0.9": WarpedBlend,
    "known frontier": lambda: WarpedBlend(raised=1.6),
    "flow": STABILIZERS["flow"],
    "strong": STABILIZERS["strong"],
}
ASKED = {
    "flow": {"warp": 0.12, "warp-10": 0.50, "style": 1.03, "sharpness": 0.93, "time": 0.35},
    "strong": {"warp": 0.08, "warp-10": 0.35, "style": 1.06, "sharpness": 0.90},
}


class CachedWarpError(WarpError):
    """Warp error that computes each flow once for all contenders."""

    def __init__(self, lag: int, known: dict[tuple[int, int], Any]) -> None:
        super().__init__(lag)
        self.known = known
        self.index = -1

    def add(self, content: Picture, painted: Picture) -> float:
        self.index += 1
        return super().add(content, painted)

    def motion(self, gray: Any, before: Any) -> Any:
        key = (self.index, self.lag)
        if key not in self.known:
            backward, seen = super().motion(gray, before)
            self.known[key] = backward.astype(np.float16), seen
        backward, seen = self.known[key]
        return backward.astype(np.float32), seen


def read_clip(path: Path, count: int, side: int) -> list[Picture]:
    """The clip's first frames that are not black, resized to a square."""
    found: list[Picture] = []
    with open_source(path) as source:
        for frame in source.frames():
            if not found and frame.picture.std() < 12:
                continue
            size = (side, side)
            found.append(cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA))
            if len(found) == count:
                break
    return found


def stabilize(
    make: Callable[[], Stabilizer], contents: list[Picture], paintings: list[Picture]
) -> list[Picture]:
    """Stabilize the paintings, with a flush and reset at cuts, as the pipeline does."""
    stabiliser, cuts, found = make(), CutDetector(), []
    for content, painted in zip(contents, paintings):
        if cuts.is_cut(content):
            found += stabiliser.flush()
            stabiliser.reset()
        found += stabiliser.step(content, painted)
    return found + stabiliser.flush()


def measure_video(
    contents: list[Picture], pictures: list[Picture], known: dict[Any, Any], style: StyleDistance
) -> dict[str, float]:
    """Measure every figure of one video."""
    measures = {"warp" if lag == 1 else f"warp-{lag}": CachedWarpError(lag, known) for lag in LAGS}
    measures |= {"style": style, "sharpness": Sharpness()}
    values: dict[str, list[float]] = {name: [] for name in measures}
    cuts = CutDetector()
    for content, picture in zip(contents, pictures):
        cut = cuts.is_cut(content)
        for name, measure in measures.items():
            if cut:
                measure.reset()
            values[name].append(measure.add(content, picture))
    return {name: measure.total(values[name]) for name, measure in measures.items()}


def run_trials(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure each clip, style, engine and contender."""
    shared = options.shared
    pair = ",".join(str(shared / "magenta" / name) for name in PAIR.split(","))
    magenta = MagentaEngine(model=pair)
    engines = {"magenta": magenta, "embedded": EmbeddedEngine()}
    for clip in sorted((shared / "video").glob("*.mp4")):
        contents = read_clip(clip, options.frames, options.size)
        known: dict[Any, Any] = {}
        for name in STYLES[: options.styles]:
            picture = cv2.imread(str(shared / "training" / "style" / name))[..., ::-1]
            wanted = magenta.embed(np.ascontiguousarray(picture))
            reference: dict[str, float] = {}
            for engine_name, engine in engines.items():
                paintings = [engine.stylize(x[None], wanted[None])[0] for x in contents]
                own: dict[str, float] = {}
                for contender, make in CONTENDERS.items():
                    judge = StyleDistance(magenta.embed, lambda _, e=wanted: e, every=4)
                    found = measure_video(
                        contents, stabilize(make, contents, paintings), known, judge
                    )
                    own = own or found
                    reference = reference or found
                    yield {
                        "clip": clip.stem, "style": name, "engine": engine_name,
                        "contender": contender, "absolute": found,
                        "relative": {
                            key: value / (reference if key.startswith("warp") else own)[key]
                            for key, value in found.items()
                        },
                    }  # fmt: skip


def measure_times(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """For each contender at 512 x 512: its milliseconds per frame, the embedded painter's in the
    same run, frame by frame in turns, and their ratio; medians.
    """
    contents = read_clip(options.shared / "video" / "cockatoo.mp4", 24, 512)
    engine = EmbeddedEngine()
    picture = cv2.imread(str(options.shared / "training" / "style" / STYLES[1]))[..., ::-1]
    wanted = engine.embed(np.ascontiguousarray(picture))[None]
    found = {}
    for name, make in CONTENDERS.items():
        stabiliser, painting, steadying = make(), [], []
        for content in contents:
            began = time.perf_counter()
            painted = engine.stylize(content[None], wanted)[0]
            between = time.perf_counter()
            stabiliser.step(content, painted)
            steadying.append(time.perf_counter() - between)
            painting.append(between - began)
        own, painter = (1000 * float(np.median(x[3:])) for x in (steadying, painting))
        found[name] = {"ms": own, "painter ms": painter, "ratio": own / painter}
    return found


def format_table(results: list[dict[str, Any]], clocks: dict[str, Any]) -> str:
    """Format the means over clips and styles as Markdown, for each engine."""
    lines = [
        "| engine | stabiliser | warp | t−5 | t−10 | style | sharpness | time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    engines = [*dict.fromkeys(result["engine"] for result in results), "both"]
    for engine in engines:
        for contender in CONTENDERS:
            cells = [mean_of(results, engine, contender, key) for key in FIGURES]
            clock = clocks[contender]["ratio"]
            asked = ASKED.get(contender, {})
            texts = [format_figure(v, asked.get(key), key) for key, v in zip(FIGURES, cells)]
            texts.append(format_figure(clock, asked.get("time"), "time"))
            lines.append(f"| {engine} | {contender} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def mean_of(results: list[dict[str, Any]], engine: str, contender: str, key: str) -> float:
    found = [
        result["relative"][key]
        for result in results
        if result["contender"] == contender and engine in (result["engine"], "both")
    ]
    return float(np.mean([value for value in found if math.isfinite(value)]))


def format_figure(value: float, asked: float | None, key: str) -> str:
    """The figure, in bold if it reaches its target."""
    if asked is None:
        return f"{value:.3f}"
    reached = value >= asked if key == "sharpness" else value <= asked
    return f"**{value:.3f}**" if reached else f"{value:.3f} (asked {asked:g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("VST_SHARED", "../shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--styles", type=int, default=len(STYLES), help="0: times alone")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.shared.is_dir():
        sys.exit(f"{options.shared} is not there: give --shared the folder of models and clips")
    clocks = measure_times(options)
    results = []
    for result in run_trials(options) if options.styles else ():
        results.append(result)
        row = " ".join(f"{key} {value:.3f}" for key, value in result["relative"].items())
        names = (result[key] for key in ("clip", "style", "engine", "contender"))
        print(*names, row, file=sys.stderr, flush=True)
    if options.json:
        whole = {"size": options.size, "frames": options.frames, "ms": clocks, "results": results}
        options.json.write_text(json.dumps(whole, indent=1))
    if results:
        print(format_table(results, clocks))
    for name, clock in clocks.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in clock.items()))


if __name__ == "__main__":
    main()
