"""The results of an evaluation: values per frame and in all, as JSON and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.evaluation.guide import GUIDES, format_measured, list_kinds


@dataclass(frozen=True)
class MeasureResult:
    """One measure of one video: a value per frame (NaN where it is undefined), and the total.

    ``good``: least and most of a good total, ``meaning``: what the number shows, in a sentence.
    ``worst``: the worst place of each frame, row and column 0..1, where that is known.
    """

    values: list[float]
    total: float
    better: str
    unit: str
    good: tuple[float, float] | None = None
    meaning: str = ""
    worst: list[tuple[float, float] | None] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether the total is in the good range; True where none is known."""
        if self.good is None or not math.isfinite(self.total):
            return True
        return self.good[0] <= self.total <= self.good[1]


@dataclass
class VideoResult:
    """The measures of one video. ``roots``: the warp errors in the reports' square-root form;
    ``strip``: thumbnails along the video; ``strip_maps``: the flicker of those frames, 0..1;
    ``flicker``: map of the warp error; ``maps``: title ->
    map, of the other measures that have one.
    """

    path: str
    frames: int = 0
    scores: dict[str, MeasureResult] = field(default_factory=dict)
    roots: dict[str, float] = field(default_factory=dict)
    strip: list[Picture] = field(default_factory=list)
    strip_maps: list[npt.NDArray[np.float32]] = field(default_factory=list)
    flicker: npt.NDArray[np.float32] | None = None
    maps: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


@dataclass
class Evaluation:
    """All measures: of the painted video, and of the videos that it is compared with.

    ``fresh``: the path of the unstabilized painting, if one is known; ``held``: for each frame,
    whether its style is that of the frame before (empty: not known). ``judge``: the files of its
    networks; ``protocol``: the protocol's name, if it was followed. ``strip``: thumbnails of the
    content, of the frames ``strip_frames``.
    """

    content: str
    rate: float
    size: tuple[int, int]
    videos: list[VideoResult]
    predictor: str | None = None
    cuts: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    fresh: str | None = None
    held: list[bool] = field(default_factory=list)
    verdict: str = ""
    strip: list[Picture] = field(default_factory=list)
    strip_frames: list[int] = field(default_factory=list)
    judge: list[str] | None = None
    protocol: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; NaN becomes null."""
        return {
            "content": self.content,
            "size": list(self.size),
            "predictor": self.predictor,
            "judge": self.judge,
            "protocol": self.protocol,
            "cuts": self.cuts,
            "fresh": self.fresh,
            "verdict": self.verdict,
            "videos": [
                {
                    "path": video.path,
                    "frames": video.frames,
                    "total": {name: to_json_number(s.total) for name, s in video.scores.items()},
                    "root": {name: to_json_number(value) for name, value in video.roots.items()},
                    "per_frame": {
                        name: [to_json_number(v) for v in s.values]
                        for name, s in video.scores.items()
                    },
                }
                for video in self.videos
            ],
            "warnings": self.warnings,
        }

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of a table: a row per measure, a column per video, and for
        each other video the painted video's value divided by its own.
        """
        names = [Path(video.path).name for video in self.videos]
        head = ["measure", *names, *(f"relative to {name}" for name in names[1:])]
        lines = []
        first = self.videos[0]
        for name, score in first.scores.items():
            totals = [video.scores[name].total for video in self.videos]
            lines.append(
                [f"{name} ({score.better})", *map(format_number, totals), *format_ratios(totals)]
            )
            if name in first.roots:
                roots = [video.roots[name] for video in self.videos]
                lines.append([f"√ {name}", *map(format_number, roots), *format_ratios(roots)])
        return head, lines

    def explain(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of a table: what each measure says, its good range, and
        what was measured on each kind of film.
        """
        lines, kinds = [], list_kinds()
        for name, score in self.videos[0].scores.items():
            guide = GUIDES.get(name)
            good = format_range(score.good) if score.good else guide.good if guide else ""
            meaning = score.meaning or (guide.meaning if guide else "") or score.unit
            measured = [format_measured(name, kind) for kind in kinds]
            lines.append([name, good or "–", *measured, meaning])
        return ["measure", "good", *kinds, "what it says"], lines


def format_range(good: tuple[float, float]) -> str:
    """Format the least and most of a good value."""
    least, most = good
    return f"{least:g} or more" if most >= 1 and least > 0 else f"at most {most:g}"


def to_json_number(value: float) -> float | None:
    """Return a number for JSON, which has no NaN."""
    return value if math.isfinite(value) else None


def format_number(value: float) -> str:
    """Format a number for a table."""
    return f"{value:.4g}" if math.isfinite(value) else "–"


def format_ratios(values: Sequence[float]) -> list[str]:
    """Format the first value divided by each of the others."""
    return [format_number(values[0] / other) if other else "–" for other in values[1:]]
