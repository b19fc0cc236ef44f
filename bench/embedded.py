"""Measures the embedded model beside Magenta's own TFLite pair, on pictures and clips that were not
trained on.

    python bench/embedded.py --shared ../shared --json embedded.json [--model DIR] [--only
    style,speed]

Both run on the same machine in the same run; times are medians of alternated runs, so that other
load affects both. Each measure is defined at its function.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np
from judging import judge_painting

from vst.core.data_folder import FINE
from vst.engines.embedded import EmbeddedEngine
from vst.engines.embedded_options import PRECISIONS, EmbeddedOptions
from vst.nets.judges import Judge, open_judge
from vst.research.training.picture_data import PicturePool, crop_randomly, resize_square
from vst.research.training.teacher import Teacher
from vst.research.training.validation import (
    measure_cosines,
    measure_gradient_energy,
    measure_psnr,
    measure_ssim,
)
from vst.samples.motion.clips import MotionClip, draw_clips, find_photographs

Flows = list[tuple[np.ndarray, np.ndarray]]
"""Backward flow and where it can be trusted, by pair of frames."""
CLIPS = ("bikes.mp4", "cockatoo.mp4", "bigbuckbunny.mp4")
CLIP_SIDE, CLIP_FRAMES = 384, 24
SIZES = ((256, 256), (512, 512), (720, 1280))
DRAWN_CLIPS, DRAWN_FRAMES, FIRST_SEED = 20, 12, 1000
"""The held-out clips of the generator of motion, as in bench/steadiness.py."""
ASKED: dict[str, tuple[str, Any]] = {
    "cosine, unseen paintings": (">=", 0.997),
    "cosine, unseen photographs": (">=", 0.996),
    "style distance": ("<=", 1.03),
    "agreement, PSNR in dB": (">=", 24.0),
    "agreement, SSIM": (">=", 0.82),
    "gradient energy": ("in", (0.93, 1.07)),
    "contrast": ("in", (0.93, 1.07)),
    "warp error": ("<=", 0.6),
    "warp error, drawn clips": ("<=", 0.6),
    "content SSIM": (">=", 1.0),
    "speed at 256 x 256": (">=", 4.0),
    "speed at 512 x 512": (">=", 6.0),
    "speed at 1280 x 720": (">=", 6.0),
    "cold start in s": ("<=", 6.0),
    "judge: VGG16 style": ("<=", 0.95),
    "judge: AlexNet style": ("<=", 1.0),
    "judge: VGG16 content": ("<=", 1.0),
    "judge: LPIPS to the content": ("<=", 1.0),
}
ASKED_FINE = ASKED | {
    "style distance": ("<=", 1.0),
    "warp error": ("<=", 0.65),
    "warp error, drawn clips": ("<=", 0.65),
    "judge: VGG16 style": ("<=", 0.85),
    "judge: AlexNet style": ("<=", 0.92),
    "judge: VGG16 content": ("<=", 0.97),
    "judge: LPIPS to the content": ("<=", 0.97),
}
"""The targets of the painters `fast` and `fine`."""


def measure_predictor(
    engine: EmbeddedEngine, teacher: Teacher, pool: PicturePool
) -> dict[str, float]:
    """Mean cosine of the embeddings of whole pictures, resized to 256 x 256."""
    rows = {}
    for kind, pictures in (("paintings", pool.paintings), ("photographs", pool.photographs)):
        ours = np.array([engine.embed(picture) for picture in pictures])
        theirs = np.array([teacher.embed(resize_square(picture)) for picture in pictures])
        rows[f"cosine, unseen {kind}"] = float(measure_cosines(ours, theirs).mean())
    return rows


def measure_pictures(
    engine: EmbeddedEngine, teacher: Teacher, pool: PicturePool
) -> dict[str, float]:
    """Paint every held-out photograph, 256 x 256, in the styles of two held-out paintings and one
    other held-out photograph.

    Style distance, energy, contrast and content SSIM: the whole embedded model, embeddings by its
    own predictor; the distance is to Magenta's embedding of the style, by Magenta's predictor; each
    is a quotient of means, ours to Magenta's. Agreement: both painters with Magenta's embeddings.
    """
    rng = np.random.default_rng(5)
    contents = [crop_randomly(picture, rng, zoom=1.0) for picture in pool.photographs]
    sums = {
        name: [0.0, 0.0]
        for name in ("style distance", "gradient energy", "contrast", "content SSIM")
    }
    psnr, ssim = [], []
    for index, content in enumerate(contents):
        styles = [pool.paintings[(index + k) % len(pool.paintings)] for k in (0, 3)]
        styles.append(pool.photographs[(index + 7) % len(contents)])
        for style in styles:
            wanted = teacher.embed(resize_square(style))
            theirs = teacher.paint(content, wanted)
            ours = engine.stylize(content[None], engine.embed(style)[None])[0]
            same = engine.stylize(content[None], wanted[None])[0]
            psnr.append(measure_psnr(as_unit(same)[None], as_unit(theirs)[None]))
            ssim.append(measure_ssim(as_unit(same), as_unit(theirs)))
            for place, picture in enumerate((ours, theirs)):
                distance = np.linalg.norm(teacher.embed(picture) - wanted)
                sums["style distance"][place] += float(distance)
                sums["gradient energy"][place] += measure_gradient_energy(as_unit(picture))
                sums["contrast"][place] += measure_contrast(picture)
                sums["content SSIM"][place] += measure_ssim(as_unit(picture), as_unit(content))
    rows = {name: ours / theirs for name, (ours, theirs) in sums.items()}
    rows |= {"agreement, PSNR in dB": float(np.mean(psnr)), "agreement, SSIM": float(np.mean(ssim))}
    return rows


def measure_by_judge(
    engine: EmbeddedEngine, teacher: Teacher, pool: PicturePool, judge: Judge
) -> dict[str, float]:
    """Paint every held-out photograph, 256 x 256, in the styles of two held-out paintings, each
    model with its own predictor. Means of the distances by networks on which neither was trained,
    except `fine` on VGG16 (docs/protocol.md), and their quotients, ours to Magenta's.
    """
    rng = np.random.default_rng(5)
    rows: dict[str, list[dict[str, float]]] = {"ours": [], "Magenta's": []}
    for index, photograph in enumerate(pool.photographs):
        content = crop_randomly(photograph, rng, zoom=1.0)
        for step in (0, 3):
            style = resize_square(pool.paintings[(index + step) % len(pool.paintings)])
            paintings = {
                "ours": engine.stylize(content[None], engine.embed(style)[None])[0],
                "Magenta's": teacher.paint(content, teacher.embed(style)),
            }
            for name, painted in paintings.items():
                row = judge_painting(judge, painted, content, style)
                if judge.lpips is not None:
                    row["LPIPS to the content"] = judge.lpips(painted, content)
                rows[name].append(row)
    means = {
        name: {key: float(np.mean([row[key] for row in found])) for key in found[0]}
        for name, found in rows.items()
    }
    found = {f"{key}, {name}": row[key] for name, row in means.items() for key in row}
    return found | {
        f"judge: {key}": means["ours"][key] / v for key, v in means["Magenta's"].items()
    }


def measure_contrast(picture: np.ndarray) -> float:
    """The standard deviation of the luminance, in levels."""
    return float(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).std())


def as_unit(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) / 255


def measure_warp(
    engine: EmbeddedEngine, teacher: Teacher, pool: PicturePool, shared: Path
) -> dict[str, float]:
    """Warp error of clips painted frame by frame in two kept paintings' styles, no stabilizer: ours
    to Magenta's. Three videos at 384 x 384, their flow estimated, and the mean of their quotients;
    drawn clips that nothing was chosen on, their flow known, and the quotient of the means.
    """
    rows = {}
    styles = [pool.paintings[index] for index in (0, 3)]

    def measure(frames: Sequence[np.ndarray], flows: Flows) -> np.ndarray:
        errors = np.zeros(2)
        for style in styles:
            numbers = engine.embed(style), teacher.embed(resize_square(style))
            ours = engine.stylize(np.stack(frames), np.repeat(numbers[0][None], len(frames), 0))
            theirs = [teacher.paint(frame, numbers[1]) for frame in frames]
            errors += [warp_error(ours, flows), warp_error(theirs, flows)]
        return errors

    for name in CLIPS:
        frames = read_clip(shared / "video" / name)
        ours, theirs = measure(frames, [find_flow(a, b) for a, b in pairwise(frames)])
        rows[f"warp error, {Path(name).stem}"] = float(ours / theirs)
    rows["warp error"] = float(np.mean(list(rows.values())))
    drawn = [measure(clip.frames, known_flows(clip)) for clip in draw_held_out(shared)]
    ours, theirs = np.sum(drawn, 0)
    rows["warp error, drawn clips"] = float(ours / theirs)
    return rows


def draw_held_out(shared: Path) -> Iterator[MotionClip]:
    """Draw clips of every kind of motion, from photographs that no tuning clip shows."""
    photographs = find_photographs(shared / "training" / "content", 1, 2)
    return draw_clips(DRAWN_CLIPS, FIRST_SEED, photographs, size=(256, 448), frames=DRAWN_FRAMES)


def known_flows(clip: MotionClip) -> Flows:
    """The drawn flow from each frame to the one before, and where that shows the same."""
    return list(zip(clip.backward, clip.seen_backward))


def read_clip(path: Path) -> list[np.ndarray]:
    """The first frames of a clip, resized to a square, RGB."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while len(frames) < CLIP_FRAMES:
        good, frame = capture.read()
        if not good:
            break
        frames.append(np.ascontiguousarray(resize_square(frame, CLIP_SIDE)[:, :, ::-1]))
    capture.release()
    return frames


def find_flow(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Backward flow now -> before (DIS medium) and where it can be trusted: the forward-backward
    check, the check for motion boundaries, and inside the frame (Ruder et al. 2016).
    """
    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, now)]
    back, forth = method.calc(grey[1], grey[0], None), method.calc(grey[0], grey[1], None)
    met = warp(forth, back)
    squares = (met**2).sum(-1) + (back**2).sum(-1)
    seen = ((met + back) ** 2).sum(-1) <= 0.01 * squares + 0.5
    bends = sum((g**2).sum(-1) for g in np.gradient(back, axis=(0, 1)))
    seen &= bends <= 0.01 * (back**2).sum(-1) + 0.002
    height, width = seen.shape
    rows, columns = np.mgrid[:height, :width]
    across, down = columns + back[..., 0], rows + back[..., 1]
    seen &= (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    return back, seen


def warp(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Warp a picture along the flow, bilinear."""
    height, width = flow.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    where = grid + flow
    return cv2.remap(picture, where[..., 0], where[..., 1], cv2.INTER_LINEAR)


def warp_error(painted: Any, flows: Flows) -> float:
    """Mean over the frames of the mean square difference to the warped frame before, where it is
    seen.
    """
    errors = []
    for before, now, (flow, seen) in zip(painted, painted[1:], flows):
        difference = (warp(as_unit(before), flow) - as_unit(now)) ** 2
        errors.append(float((difference * seen[..., None]).sum() / max(3 * seen.sum(), 1)))
    return float(np.mean(errors))


def measure_speed(engine: EmbeddedEngine, teacher: Teacher, rounds: int) -> dict[str, float]:
    """Time per frame, uint8 in and out, relative to Magenta's dynamic TFLite file with two threads:
    runs alternate, the median of the rounds' quotients. Milliseconds are minima.

    Ours is measured as videos are painted, in the engine's own batches (several frames side by
    side, one core each), and one frame at a time.
    """
    rows, numbers = {}, np.zeros((1, 100), np.float32)
    rng = np.random.default_rng(3)
    for height, width in SIZES:
        frame = rng.integers(0, 255, (height, width, 3), np.uint8)
        many = np.repeat(frame[None], engine.batch, 0)
        styles = np.repeat(numbers, engine.batch, 0)
        calls: list[Callable[[], Any]] = [
            lambda many=many, styles=styles: engine.stylize(many, styles),
            lambda frame=frame: engine.stylize(frame[None], numbers),
            lambda frame=frame: teacher.paint(frame, numbers[0]),
        ]
        for call in calls:
            call(), call()
        times = np.array([[once(call) for call in calls] for _ in range(rounds)])
        times[:, 0] /= engine.batch
        size = f"{width} x {height}"
        rows[f"speed at {size}"] = float(np.median(times[:, 2] / times[:, 0]))
        rows[f"speed at {size}, one by one"] = float(np.median(times[:, 2] / times[:, 1]))
        least = (times.min(0) * 1e3).tolist()
        names = ("ms at", "one by one, ms at", "Magenta's ms at")
        rows |= {f"{name} {size}": value for name, value in zip(names, least)}
    return rows


def once(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure_cold_start(model: str | None, tries: int = 3) -> float:
    """Median seconds from the start of a process to its first painted 256 x 256 frame, the
    embedding of its style included.
    """
    program = (
        "import numpy as n; from vst.engines.embedded import EmbeddedEngine as E;"
        f"e=E(model={model!r}); p=n.zeros((256,256,3),n.uint8); e.stylize(p[None],e.embed(p)[None])"
    )
    times = []
    for _ in range(tries):
        started = time.perf_counter()
        command = [sys.executable, "-c", program]
        root = Path(__file__).parent.parent
        subprocess.run(command, cwd=root, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def is_met(asked_of_it: tuple[str, Any], value: float) -> bool:
    """Whether a figure reaches its target."""
    kind, asked = asked_of_it
    if kind == "in":
        return asked[0] <= value <= asked[1]
    return value >= asked if kind == ">=" else value <= asked


def format_table(rows: dict[str, float], targets: dict[str, tuple[str, Any]]) -> str:
    """The rows that have a target, as Markdown."""
    lines = ["| measure | asked | measured | |", "|---|---|---|---|"]
    for name, (kind, asked) in targets.items():
        if name in rows:
            text = f"{asked[0]} to {asked[1]}" if kind == "in" else f"{kind} {asked:g}"
            verdict = "reached" if is_met((kind, asked), rows[name]) else "**not reached**"
            lines.append(f"| {name} | {text} | {rows[name]:.4g} | {verdict} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument(
        "--model", help="`fine`, or a folder of weights (default: the fast painter)"
    )
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--only", default="cosine,style,judge,warp,speed,start")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    parts = options.only.split(",")
    teacher = Teacher(options.shared / "magenta", options.threads)
    engine = EmbeddedEngine(
        model=options.model,
        threads=options.threads,
        options=EmbeddedOptions(options.precision),
    )
    pool = PicturePool.read(options.shared / "training", "kept")
    rows: dict[str, float] = {}
    if "cosine" in parts:
        rows |= measure_predictor(engine, teacher, pool)
    if "style" in parts:
        rows |= measure_pictures(engine, teacher, pool)
    if "judge" in parts:
        judge = open_judge(options.shared / "judge")
        rows |= measure_by_judge(engine, teacher, pool, judge)
    if "warp" in parts:
        rows |= measure_warp(engine, teacher, pool, options.shared)
    if "speed" in parts:
        rows |= measure_speed(engine, teacher, options.rounds)
    if "start" in parts:
        rows["cold start in s"] = measure_cold_start(options.model)
    result = {"machine": platform.processor() or platform.machine(), "rows": rows}
    targets = ASKED_FINE if options.model == FINE else ASKED
    result["met"] = {name: is_met(targets[name], rows[name]) for name in targets if name in rows}
    print(format_table(rows, targets))
    for name in sorted(set(rows) - set(targets)):
        print(f"{name}: {rows[name]:.4g}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
