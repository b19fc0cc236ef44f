"""Measures the stabilizer on held-out clips, in styles, with engines: tables of docs/steadiness.md.

    python bench/steadiness.py --shared ../shared --json steadiness.json [--minutes 60] [--quick]

Settings were chosen on the videos `bikes` and `bigbuckbunny` and on drawn clips with seeds below
500; this reports on other videos, and on drawn clips with seeds from 1000 on that are made of other
photographs. ``--clips`` names clips of your own instead.

Warp errors are relative to Magenta TFLite's unstabilized painting of the same frames and style, the
rest to the same engine's own. Ratios are of means over clips and styles. What is in the JSON file
is not measured again: the run can be interrupted and started again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha1
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np

from vst.engines.embedded import EmbeddedEngine
from vst.engines.magenta import MagentaEngine
from vst.imaging.optical_flow import FlowEstimator, find_non_occluded, warp
from vst.metrics.sharpness import Sharpness
from vst.metrics.structure import structure
from vst.metrics.tile_drift import measure_drift, measure_natural_drift
from vst.metrics.trail import trail
from vst.samples.motion.clips import KINDS, ClipRecipe, draw_clip, find_photographs
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.gaussian import Gaussian
from vst.stabilizers.steady import Steady, choose_settings
from vst.video.scene_cuts import CutDetector

STYLES = ("0001.jpg", "0027.jpg", "0035.jpg")
PAIR = ("style_predict_quantized_256.tflite", "style_transfer_quantized_dynamic.tflite")
HELD_OUT = ("cockatoo", "scene_cuts", "Zulko_media_doc_medias_example2")
"""Held out; `bikes` and `bigbuckbunny` were chosen on."""
DRAWN, QUICK_DRAWN = 20, 4
FIRST_SEED = 1000
"""Seeds of the held-out clips; the tuning clips have seeds below 500 and the other photographs."""
FIRST = 6
"""The first frame that structure and trail look at."""
COLUMNS: dict[str, Callable[[], Stabilizer]] = {
    "default": lambda: Steady(choose_settings()),
    "strongest": lambda: Steady(choose_settings(1.0)),
    "live": lambda: Steady(choose_settings(latency=1)),
    "gaussian": Gaussian,
}
ASKED: dict[str, dict[str, tuple[float, float]]] = {
    "structure": {"default": (0.95, 9), "strongest": (0.92, 9), "live": (0.92, 9)},
    "drift": {"default": (0, 1.3), "strongest": (0, 1.7), "live": (0, 1.7)},
    "drift, 90th": {"default": (0, 1.4), "strongest": (0, 1.8), "live": (0, 1.8)},
    "trail": {"default": (0, 7), "strongest": (0, 10), "live": (0, 10)},
    "style": {"default": (0, 1.03), "strongest": (0, 1.03), "live": (0, 1.05)},
    "sharpness": {"default": (0.93, 1.05), "strongest": (0.92, 1.05), "live": (0.9, 1.05)},
    "warp": {"default": (0, 0.16), "strongest": (0, 0.11), "live": (0, 0.22)},
    "warp-10": {"default": (0, 0.55), "strongest": (0, 0.42), "live": (0, 0.6)},
}
"""Row -> column -> least and most."""

Film = Any
"""(T, H, W, 3) uint8."""


class Motion:
    """The content's flow over one lag, found once for all paintings of a clip."""

    def __init__(self, film: Film, cuts: set[int], lag: int) -> None:
        self.lag = lag
        look, grays = FlowEstimator(), [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in film]
        self.pairs: list[tuple[int, Any, Any]] = []
        for t in range(lag, len(film)):
            if cuts.isdisjoint(range(t - lag + 1, t + 1)):
                back = look(grays[t], grays[t - lag])
                seen = find_non_occluded(back, look(grays[t - lag], grays[t]))
                if seen.any():
                    self.pairs.append((t, back.astype(np.float16), seen))

    def error(self, film: Film) -> float:
        """The warp error, as `vst.metrics` defines it."""
        found = []
        for t, back, seen in self.pairs:
            moved = warp(film[t - self.lag].astype(np.float32), back.astype(np.float32))
            squares = np.square((moved - film[t]) / 255).sum(2)
            found.append(float(squares[seen].mean()) / 3)
        return float(np.mean(found)) if found else float("nan")


def find_cuts(film: Film) -> set[int]:
    """Frames that begin a shot, but the first."""
    detector = CutDetector()
    return {t for t, frame in enumerate(film) if detector.is_cut(frame)} - {0}


def stabilize(stabilizer: Stabilizer, film: Film, paintings: Film, cuts: set[int]) -> Film:
    """What the stabilizer makes of a film; flushed and reset at cuts, as the pipeline does."""
    found: list[Any] = []
    for t, (content, painted) in enumerate(zip(film, paintings)):
        if t in cuts:
            found += stabilizer.flush()
            stabilizer.reset()
        found += stabilizer.step(content, painted)
    return np.stack(found + stabilizer.flush())


def read_video(path: Path, height: int, count: int) -> Film:
    """The first frames of a video that show something."""
    capture, found = cv2.VideoCapture(str(path)), []
    while len(found) < count:
        there, frame = capture.read()
        if not there:
            break
        if found or frame.std() >= 12:
            width = round(frame.shape[1] * height / frame.shape[0] / 8) * 8
            found.append(
                cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]
            )
    return np.ascontiguousarray(np.stack(found))


def remember(embed: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The predictor, which looks at each picture once: fresh tiles are compared many times."""
    known: dict[bytes, Any] = {}

    def look(picture: Any) -> Any:
        key = sha1(np.ascontiguousarray(picture)).digest()
        if key not in known:
            known[key] = embed(picture)
        return known[key]

    return look


def list_clips(options: argparse.Namespace) -> dict[str, Callable[[], Film]]:
    """The held-out clips, by name, videos first."""
    clips: dict[str, Callable[[], Film]] = {}
    if options.clips:
        for path in options.clips:
            clips[path.stem] = lambda path=path: read_video(path, options.height, options.frames)
        return clips
    for name in HELD_OUT:
        path = options.shared / "video" / f"{name}.mp4"
        clips[name] = lambda path=path: read_video(path, options.height, options.frames)
    photographs = find_photographs(options.shared / "training" / "content", 1, 2)
    for number in range(QUICK_DRAWN if options.quick else DRAWN):
        kind = KINDS[number % len(KINDS)]
        width = round(options.height * 1.75 / 8) * 8
        recipe = ClipRecipe(
            kind, FIRST_SEED + number, options.height, width, options.frames, photographs
        )
        clips[recipe.name] = lambda recipe=recipe: draw_clip(recipe).frames
    return clips


def absolute_figures(
    fresh: Film, steady: Film, motions: list[Motion], wanted: Any, embed: Callable[[Any], Any]
) -> dict[str, float]:
    """Every figure of one steady film, not yet relative to anything."""
    drift = measure_drift(steady, fresh, embed, every=14)
    sharp = Sharpness()
    frames = range(min(FIRST, len(fresh) - 1), len(fresh), 3)
    return {
        "structure": float(np.mean([structure(steady[t], fresh[t]) for t in frames])),
        "drift": drift.mean,
        "drift, 90th": drift.high,
        "trail": float(np.mean([trail(steady[t], fresh[t]) for t in frames])),
        "style": float(np.mean([np.linalg.norm(embed(x) - wanted) for x in steady[::8]])),
        "sharpness": float(np.mean([sharp.add(x, x) for x in steady])),
        "warp": motions[0].error(steady),
        "warp-10": motions[1].error(steady),
    }


def measure_clip(
    film: Film,
    engines: dict[str, Any],
    wanted: Any,
    embed: Callable[[Any], Any],
    columns: dict[str, Callable[[], Stabilizer]] = COLUMNS,
) -> Iterator[dict[str, Any]]:
    """A result for each engine and column of one clip in one style, unstabilized first."""
    cuts, embed = find_cuts(film), remember(embed)
    motions = [Motion(film, cuts, lag) for lag in (1, 10)]
    reference: dict[str, float] = {}
    for name, engine in engines.items():
        fresh = np.stack([engine.stylize(frame[None], wanted[None])[0] for frame in film])
        own = absolute_figures(fresh, fresh, motions, wanted, embed)
        natural = measure_natural_drift(fresh, embed, every=14)
        reference = reference or own
        base = {
            **own, "structure": 1.0, "trail": 1.0, "drift": natural.mean,
            "drift, 90th": natural.high, "warp": reference["warp"],
            "warp-10": reference["warp-10"],
        }  # fmt: skip
        yield {"engine": name, "column": "off", "found": own, "base": base}
        for column, make in columns.items():
            steady = stabilize(make(), film, fresh, cuts)
            found = absolute_figures(fresh, steady, motions, wanted, embed)
            yield {"engine": name, "column": column, "found": found, "base": base}


def measure_times(shared: Path, rounds: int = 5) -> dict[str, dict[str, float]]:
    """Milliseconds a frame at 512 x 512: the embedded painter in batches of 8, the stabilizer; by
    the wall clock and by the processor's; medians of runs in turn.
    """
    engine = EmbeddedEngine()
    small = read_video(shared / "video" / "cockatoo.mp4", 512, 48)
    film = np.stack([cv2.resize(x, (512, 512), interpolation=cv2.INTER_AREA) for x in small])
    style = cv2.imread(str(shared / "training" / "style" / STYLES[1]))[..., ::-1]
    numbers = np.repeat(engine.embed(np.ascontiguousarray(style))[None], 8, 0)
    engine.stylize(film[:8], numbers)
    found = {}
    for column, make in COLUMNS.items():
        stabilizer, times = make(), []
        for number in range(rounds + 3):
            batch = film[(8 * number) % 48 :][:8]
            clocks = [(time.perf_counter(), time.process_time())]
            painted = engine.stylize(batch, numbers)
            clocks.append((time.perf_counter(), time.process_time()))
            for pair in zip(batch, painted):
                stabilizer.step(*pair)
            clocks.append((time.perf_counter(), time.process_time()))
            times.append(np.diff(np.array(clocks), axis=0).ravel() * 125)
        names = ("painter, wall", "painter, CPU", "steady, wall", "steady, CPU")
        own = dict(zip(names, np.median(times[3:], axis=0).tolist()))
        own["ratio, wall"] = own["steady, wall"] / own["painter, wall"]
        own["ratio, CPU"] = own["steady, CPU"] / own["painter, CPU"]
        found[column] = own
    return found


def is_video(clip: str) -> bool:
    """Whether a clip was filmed; the names of drawn ones begin with their kind."""
    return clip.rpartition("-")[0] not in KINDS


def format_tables(results: list[dict[str, Any]]) -> str:
    """Markdown: one table for the videos, one for the drawn clips; engines beside each other."""
    lines: list[str] = []
    for title, chosen in (("videos", True), ("drawn clips", False)):
        rows = [x for x in results if is_video(x["clip"]) == chosen]
        if not rows:
            continue
        engines = [*dict.fromkeys(x["engine"] for x in rows)]
        heads = [(engine, column) for engine in engines for column in ("off", *COLUMNS)]
        clips = len({x["clip"] for x in rows})
        lines += [
            f"\n{title} ({clips} clips, {len({x['style'] for x in rows})} styles)\n",
            "| | " + " | ".join(f"{engine} {column}" for engine, column in heads) + " |",
            "|---" * (len(heads) + 1) + "|",
        ]
        for row, asked in ASKED.items():
            cells = [format_cell(rows, row, asked, *head) for head in heads]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def format_cell(rows: list[dict[str, Any]], row: str, asked: Any, engine: str, column: str) -> str:
    """The ratio of means; bold where it reaches what is asked."""
    mine = [x for x in rows if (x["engine"], x["column"]) == (engine, column)]
    pairs = [(x["found"][row], x["base"][row]) for x in mine]
    known = [(a, b) for a, b in pairs if np.isfinite(a) and np.isfinite(b)]
    value = sum(a for a, _ in known) / max(1e-9, sum(b for _, b in known))
    least, most = asked.get(column, (9, 9))
    return f"**{value:.2f}**" if least <= value <= most else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=Path(os.environ.get("VST_SHARED", "../shared"))
    )
    parser.add_argument(
        "--clips", type=Path, nargs="+", help="videos, instead of the held-out ones"
    )
    parser.add_argument("--styles", type=int, default=len(STYLES), help="how many of the styles")
    parser.add_argument(
        "--quick", action="store_true", help="one style, four drawn clips, no times"
    )
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--json", type=Path, default=Path("steadiness.json"))
    options = parser.parse_args()
    if not options.shared.is_dir():
        sys.exit(f"{options.shared} is not there: give --shared the folder of models and clips")
    ends = time.monotonic() + 60 * options.minutes
    known = (
        json.loads(options.json.read_text(encoding="utf-8"))
        if options.json.exists()
        else {"results": []}
    )
    results = known["results"]
    magenta = MagentaEngine(model=",".join(str(options.shared / "magenta" / x) for x in PAIR))
    engines = {"magenta": magenta, "embedded": EmbeddedEngine()}
    for style in STYLES[: 1 if options.quick else options.styles]:
        picture = cv2.imread(str(options.shared / "training" / "style" / style))[..., ::-1]
        wanted = magenta.embed(np.ascontiguousarray(picture))
        for clip, read in list_clips(options).items():
            if any((x["clip"], x["style"]) == (clip, style) for x in results):
                continue
            if time.monotonic() > ends:
                break
            for result in measure_clip(read(), engines, wanted, magenta.embed):
                results.append({"clip": clip, "style": style, **result})
            options.json.write_text(json.dumps(known, indent=1), encoding="utf-8")
            print(f"{clip} {style}", file=sys.stderr, flush=True)
    if not options.quick:
        known["times"] = measure_times(options.shared)
    options.json.write_text(json.dumps(known, indent=1), encoding="utf-8")
    print(format_tables(results))
    for column, times in known.get("times", {}).items():
        print(f"{column}: " + ", ".join(f"{key} {value:.2f}" for key, value in times.items()))


if __name__ == "__main__":
    main()
