"""One line on an evaluation: whether the painting is steady and keeps what the frames show."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np

from vst.core.timecode import format_time
from vst.evaluation.results import Evaluation, MeasureResult, VideoResult

STEADY_RATIO = 0.6
"""Warp error relative to the fresh painting's, up to which a video is called steady."""
STEADY_ERROR = 0.006
"""Warp error up to which a video is called steady where no fresh painting is known."""
SHARP_RATIO = 0.9
"""Sharpness relative to the fresh painting's, from which on a video is not called blurred."""
FAULTS = {
    "structure": "does not show what the frames show",
    "content-structure": "loses the content's edges",
    "detail": "is blurred",
    "trail": "leaves paint behind what moves",
    "tile-drift": "distorts the texture",
}
"""Measure -> what is wrong where it is out of its range, the gravest first."""
DROP = 0.45
"""Agreement with the content's edges, relative to the best of the same shot, below which the
painting shows another moment: freshly painted it stays above 0.55, even where the content moves
fast, and stuck, it falls to 0.3.
"""
RUN = 5
"""Frames in a row that must be so low."""
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "center", "right")


def make_verdict(evaluation: Evaluation) -> str:
    """What the measures of the first video say together, with the place and the second where it is
    worst; empty where none of them was taken.
    """
    video = evaluation.videos[0]
    fresh = next((one for one in evaluation.videos if one.path == evaluation.fresh), None)
    taken = [name for name in FAULTS if name in video.scores]
    faults = [describe_fault(name, video.scores[name], evaluation.rate) for name in taken]
    faults = [text for text in faults if text] or find_stuck(video, evaluation)
    flickers = find_flicker(video, fresh, evaluation)
    blurred = (
        fresh is not None
        and "sharpness" in video.scores
        and video.scores["sharpness"].total < SHARP_RATIO * fresh.scores["sharpness"].total
    )
    if flickers:
        faults.append(flickers)
    if blurred:
        faults.append("is blurred")
    if not taken and "warp" not in video.scores:
        return ""
    name = Path(video.path).name
    if faults:
        return f"{name} {'; '.join(faults)}"
    parts = ["is steady"] if "warp" in video.scores else []
    if taken:
        keeps = "what the frames show" if fresh is not None else "the content's edges"
        parts.append(f"keeps {keeps}")
    note = "" if fresh is not None or not taken else " (no unstabilized painting was given)"
    return f"{name} {'; '.join(parts)}{note}"


def describe_fault(name: str, score: MeasureResult, rate: float) -> str:
    """What a measure out of its range says, with the worst place and second; else empty."""
    if score.is_good:
        return ""
    known = [(value, index) for index, value in enumerate(score.values) if math.isfinite(value)]
    if not known:
        return FAULTS[name]
    _, worst = min(known) if score.better == "higher" else max(known)
    place = score.worst[worst] if worst < len(score.worst) else None
    where = f", {name_place(*place)}" if place is not None else ""
    return f"{FAULTS[name]} (worst at {format_time(worst / rate)}{where})"


def find_stuck(video: VideoResult, evaluation: Evaluation) -> list[str]:
    """What is wrong where the painting keeps the content's edges in one part of a shot and loses
    them in another, as where it stays the same while the content moves on.
    """
    name = "content-structure"
    if name not in video.scores:
        return []
    values = np.array(video.scores[name].values)
    bounds = [0, *(cut for cut in evaluation.cuts if 0 < cut < len(values)), len(values)]
    for start, end in pairwise(bounds):
        shot = values[start:end]
        if np.isfinite(shot).sum() < 2 * RUN:
            continue
        low = shot < DROP * np.nanpercentile(shot, 90)
        runs = np.convolve(low, np.ones(RUN), "valid")
        if runs.max() >= RUN:
            place = format_time((start + int(runs.argmax())) / evaluation.rate)
            return [f"{FAULTS[name]} (from {place} on)"]
    return []


def name_place(row: float, column: float) -> str:
    """The place of a point of the picture, each 0..1, in words: "top left"."""
    return f"{ROWS[min(2, int(3 * row))]} {COLUMNS[min(2, int(3 * column))]}"


def find_flicker(video: VideoResult, fresh: VideoResult | None, evaluation: Evaluation) -> str:
    """What the warp error says, of frames whose style stays that of the frame before; a transition
    of styles is not flicker. Empty where the video is steady.
    """
    if "warp" not in video.scores or video is fresh:
        return ""
    values = select_held(video.scores["warp"].values, evaluation.held)
    if not values:
        return ""
    mean = sum(value for value, _ in values) / len(values)
    if fresh is not None:
        others = [fresh.scores["warp"].values[index] for _, index in values]
        known = [value for value in others if math.isfinite(value)]
        limit = STEADY_RATIO * sum(known) / len(known) if known else math.inf
    else:
        limit = STEADY_ERROR
    if mean <= limit:
        return ""
    _, worst = max(values)
    return f"flickers (most at {format_time(worst / evaluation.rate)})"


def select_held(values: list[float], held: list[bool]) -> list[tuple[float, int]]:
    """The known values with their frames' indices: those where the style is held, or, where it
    never is, all.
    """
    known = [(value, index) for index, value in enumerate(values) if math.isfinite(value)]
    kept = [one for one in known if one[1] < len(held) and held[one[1]]] if held else known
    return kept or known
