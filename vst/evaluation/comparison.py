"""Measures videos side by side with their content, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import cv2
import numpy as np

from vst.core.types import OnProgress, Picture, Progress
from vst.errors import MediaError, UsageError
from vst.evaluation.results import Evaluation, MeasureResult, VideoResult
from vst.imaging.resize import resize
from vst.metrics.base import MappedMetric, Metric
from vst.metrics.warp import WarpError
from vst.video.scene_cuts import CutDetector
from vst.video.sources.base import Source

STRIP = 8
"""Thumbnails in a strip."""
THUMB = 110
"""Their height in pixels."""


@dataclass
class VideoMeasures:
    """One video's metrics while its frames come in.

    ``values`` and ``worst``: for each metric a value per frame, and where the worst place was.
    """

    video: VideoResult
    metrics: dict[str, Metric]
    values: dict[str, list[float]] = field(init=False)
    worst: dict[str, list[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.values = {name: [] for name in self.metrics}
        self.worst = {name: [] for name in self.metrics}

    def add(self, content: Picture, fresh: Picture, painting: Picture, cut: bool) -> None:
        """Measure one frame; at a ``cut`` the metrics forget the frames before."""
        for name, metric in self.metrics.items():
            if cut:
                metric.reset()
            reference = content if metric.reference == "content" else fresh
            self.values[name].append(metric.add(reference, painting))
            self.worst[name].append(getattr(metric, "worst_place", None))
        self.video.frames += 1

    def add_to_strip(self, painting: Picture, thumb: tuple[int, int]) -> None:
        """Add a thumbnail of the painting, and its map of the flicker."""
        self.video.strip.append(resize(painting, *thumb, cv2.INTER_AREA))
        flicker = self.metrics.get("warp")
        if isinstance(flicker, WarpError):
            found = flicker.last_map
            empty = np.zeros(painting.shape[:2], np.float32)
            self.video.strip_maps.append(cv2.resize(empty if found is None else found, thumb))

    def finish(self) -> None:
        """Fill in the video's scores and maps."""
        for name, metric in self.metrics.items():
            self.video.scores[name] = MeasureResult(
                self.values[name], metric.total(self.values[name]), metric.better, metric.unit,
                metric.good, metric.meaning, self.worst[name],
            )  # fmt: skip
            if isinstance(metric, MappedMetric):
                mean = metric.maps.mean()
                if mean is not None:
                    self.video.maps[metric.map_title] = mean
            if isinstance(metric, WarpError):
                self.video.roots[name] = metric.root()
                if metric.lag == 1:
                    self.video.flicker = metric.flicker_map()


def measure_videos(
    evaluation: Evaluation,
    film: Source,
    sources: Sequence[Source],
    metrics: Sequence[dict[str, Metric]],
    limit: int | None,
    on_progress: OnProgress,
) -> None:
    """Measure all videos side by side, frame by frame; fill in the evaluation.

    ``limit``: frames to measure at most; None: all that every video has.
    """
    width, height = evaluation.size
    measured = [VideoMeasures(*both) for both in zip(evaluation.videos, metrics)]
    paths = [video.path for video in evaluation.videos]
    fresh = paths.index(evaluation.fresh) if evaluation.fresh in paths else 0
    total = count_frames([film, *sources], limit)
    at = {int((i + 0.5) * total / STRIP) for i in range(STRIP)}
    thumb = (max(1, round(width * THUMB / height)), THUMB)
    cuts, started = CutDetector(), time.perf_counter()
    together = islice(iterate_together(film, sources, evaluation), limit)
    for index, pictures in enumerate(together):
        content, *paintings = (
            resize(picture, width, height, cv2.INTER_AREA) for picture in pictures
        )
        cut = cuts.is_cut(content)
        if cut:
            evaluation.cuts.append(index)
        if index in at:
            evaluation.strip.append(resize(content, *thumb, cv2.INTER_AREA))
            evaluation.strip_frames.append(index)
        for one, painting in zip(measured, paintings):
            one.add(content, paintings[fresh], painting, cut)
            if index in at:
                one.add_to_strip(painting, thumb)
        on_progress(Progress("measure", index + 1, total, time.perf_counter() - started))
    if not evaluation.videos[0].frames:
        raise MediaError(f"{evaluation.content} has no frame that can be compared")
    for one in measured:
        one.finish()


def count_frames(sources: Sequence[Source], limit: int | None) -> int:
    """Count the frames that all sources have; raises `UsageError` where that is one."""
    shortest = min(sources, key=lambda source: source.info.frames).info
    total = min(shortest.frames, limit or shortest.frames)
    if total == 1:
        raise UsageError(
            f"{shortest.path} has one frame: flicker is measured from frame to frame. "
            "Give videos of two frames or more"
        )
    return total


def iterate_together(
    film: Source, sources: Sequence[Source], evaluation: Evaluation
) -> Iterator[list[Picture]]:
    """The content's frame and each painting's, as far as all of them go; a warning where one ends
    before the others.
    """
    streams = [film.frames(), *(source.frames() for source in sources)]
    names = [evaluation.content, *(video.path for video in evaluation.videos)]
    count = 0
    while True:
        frames = [next(stream, None) for stream in streams]
        pictures = [frame.picture for frame in frames if frame is not None]
        if len(pictures) < len(frames):
            if pictures:
                ended = [name for name, frame in zip(names, frames) if frame is None]
                evaluation.warnings.append(
                    f"{', '.join(map(str, ended))} ends after {count} frames, before the others: "
                    "only these were compared"
                )
            return
        yield pictures
        count += 1
