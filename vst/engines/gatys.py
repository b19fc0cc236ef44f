"""Painting by optimization: this engine changes the picture itself, step by step, until a network
finds the content and the statistics of the style in it.

Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks" (2016); for
videos Ruder, Dosovitskiy and Brox (2016). A mix of styles is one painting whose statistics are the
mix of the styles' Gram matrices, not a cross-fade of several.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vst.core.types import (
    Embedding,
    OnProgress,
    Picture,
    Pictures,
    Progress,
    check_pictures,
    ignore_progress,
)
from vst.engines.base import Engine, check_prepared
from vst.engines.gatys_history import LONG_TERM, PaintingHistory
from vst.engines.gatys_levels import halve_size, resize_floats, resize_painting, share_steps
from vst.engines.gatys_objective import Floats, Objective, to_bytes, to_floats
from vst.engines.gatys_options import GatysOptions
from vst.engines.optimizers import Step, adam, lbfgs
from vst.engines.tensorflow_runtime import start_tensorflow
from vst.errors import EngineError, SpaceError
from vst.nets.backbones import Backbone, open_backbone
from vst.schedule.timeline import NONE, Mix

PATIENCE = 50
"""Steps within which the loss must fall for the optimization to continue."""
MIN_GAIN = 1e-4
"""Share of the loss by which it must fall."""
MAX_KEPT_STEPS = 10
"""Pictures on the sheet of steps, about."""
STAGE = "optimize"


@dataclass(frozen=True)
class OptimizationResult:
    """The optimization of one picture: steps, loss before and after, the parts of the latter by
    name, and seconds; of several levels, all steps, and the rest of the largest.
    """

    steps: int
    first: float
    cost: float
    parts: Mapping[str, float]
    seconds: float


class GatysEngine(Engine):
    """Paints by optimization. ``model``: a file with the backbone's weights, ``random``, or None
    for its default ones.

    ``last`` is the result of the last picture; ``kept`` has steps of the first one, with option
    ``keep_steps``.
    """

    name = "gatys"
    reports_progress = True

    @classmethod
    def find_tensorflow_use(cls, model: str | None, options: Any) -> str:
        return "engine 'gatys'"

    def __init__(
        self,
        *,
        model: str | None = None,
        threads: int | None = None,
        options: GatysOptions | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        self.options = options or GatysOptions()
        self.on_progress = on_progress
        self.warmup = LONG_TERM if self.options.is_temporal else 0
        self.last: OptimizationResult | None = None
        self.kept: list[Step] = []
        self._sampler = _StepSampler(self.options.steps) if self.options.keep_steps else None
        self._tensorflow = start_tensorflow(threads)
        self._backbone: Backbone | None = open_backbone(self.options.backbone, model)
        self._history = PaintingHistory(self.options)
        self._objectives: dict[tuple[int, int], Objective] = {}
        self._styles: dict[str, Picture] = {}
        self._grams: dict[tuple[str, tuple[int, int]], list[Floats]] = {}

    def prepare(
        self, styles: Mapping[str, Picture | Embedding]
    ) -> Mapping[str, Picture | Embedding]:
        for name, style in styles.items():
            if np.ndim(style) != 3:
                raise SpaceError(
                    f"style {name!r} is an embedding: engine 'gatys' paints from pictures. Give "
                    "the style's picture."
                )
        self._styles = {name: np.asarray(style, np.uint8) for name, style in styles.items()}
        self._grams = {}
        return self._styles

    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        painted = [self._paint(frame, mix) for frame, mix in zip(frames, mixes)]
        return check_pictures(np.stack(painted) if painted else frames.copy(), frames, self.name)

    def reset(self) -> None:
        self._history.reset()

    def state(self) -> dict[str, Any]:
        return self._history.state()

    def restore(self, state: dict[str, Any]) -> None:
        self._history.restore(state)

    def close(self) -> None:
        self._backbone = None
        self._objectives, self._grams = {}, {}
        self._history.reset()

    def _paint(self, frame: Picture, mix: Mix) -> Picture:
        """Paint one frame in the mixed statistics of its styles."""
        weights = {name: weight for name, weight in mix.weights.items() if name != NONE and weight}
        if not weights:
            painting = frame.copy()
        else:
            earlier, previous = self._history.warp_to(frame)
            start = self._choose_start(frame, previous)
            # Smaller sizes would lose the details of a last painting that the start takes over.
            starts_afresh = self._history.last is None or self.options.init != "previous"
            shares = share_steps(self.options.steps, self.options.levels if starts_afresh else 1)
            done = 0
            for level, steps in reversed(list(enumerate(shares))):
                height, width = halve_size(frame.shape[0], frame.shape[1], level)
                objective = self._objective_for(height, width)
                objective.set_target(
                    resize_floats(to_floats(frame), height, width),
                    self._mix_grams(weights, objective),
                    [resize_painting(one, height, width) for one in earlier],
                )
                start = resize_floats(start, height, width)
                start = self._optimize(objective, start, range(done, done + steps))
                done += steps
            painting = to_bytes(start)
            self._draw_kept_steps()
        self._history.add(frame, painting)
        return painting

    def _choose_start(self, frame: Picture, previous: Floats) -> Floats:
        """Return the picture to start from, (H,W,3) in [0,1]."""
        if self.options.init == "noise":
            # The same noise for each frame: other noise would give other strokes.
            rng = np.random.default_rng(self.options.seed)
            return rng.random(frame.shape, np.float32)
        return previous if self.options.init == "previous" else to_floats(frame)

    def _optimize(self, objective: Objective, start: Floats, taken: range) -> Floats:
        """Minimize the loss, by at most the steps of ``taken`` of all steps of a frame; raises
        `EngineError` where it is not finite.
        """
        options, started = self.options, time.perf_counter()
        if options.optimizer == "adam":
            steps = adam(objective.evaluate_one_phase, start, len(taken), rate=options.rate)
        else:
            steps = lbfgs(objective.evaluate_all_phases, start, len(taken))
        costs: list[float] = []
        for step in steps:
            number = taken.start + step.number
            if not np.isfinite(step.cost):
                raise EngineError(
                    f"loss {step.cost} after {number} steps: the optimization diverged. Lower "
                    "the rate or the weights."
                )
            costs.append(step.cost)
            if self._sampler is not None:
                self._sampler.add(step._replace(number=number))
            seconds = time.perf_counter() - started
            detail = {"unit": "steps", "loss": step.cost}
            self.on_progress(Progress(STAGE, number, options.steps, seconds, detail))
            if options.early_stop and has_converged(costs):
                break
        parts = objective.measure_parts(step.picture)
        self.last = OptimizationResult(
            number, costs[0], sum(parts.values()), parts, time.perf_counter() - started
        )
        return step.picture

    def _draw_kept_steps(self) -> None:
        """Draw the steps of the first picture, once."""
        if self._sampler is not None:
            self.kept = self._sampler.finish()
            self._sampler = None
            draw_steps(self.kept, self.options.keep_steps)

    def _objective_for(self, height: int, width: int) -> Objective:
        """Return the objective for this size. A job has one size, and its halves."""
        if self._backbone is None:
            raise EngineError("this engine is closed. Open another one.")
        size = (height, width)
        if size not in self._objectives:
            if len(self._objectives) == self.options.levels:
                self._objectives, self._grams = {}, {}
            self._objectives[size] = Objective(
                self._backbone, self.options, height, width, self._tensorflow
            )
        return self._objectives[size]

    def _mix_grams(self, weights: Mapping[str, float], objective: Objective) -> list[Floats]:
        """Return the Gram matrices of a mix: those of its styles, averaged by weight."""
        total = sum(weights.values())
        mixed = [
            (weight / total, self._get_grams(name, objective)) for name, weight in weights.items()
        ]
        share, last = self.options.previous_style, self._history.last
        if share > 0 and last is not None:
            mixed = [(weight * (1 - share), grams) for weight, grams in mixed]
            mixed.append(
                (share, objective.measure_style(to_floats(resize_style(last, *objective.size))))
            )
        layers = range(len(mixed[0][1]))
        return [
            np.asarray(sum(np.float32(weight) * grams[layer] for weight, grams in mixed))
            for layer in layers
        ]

    def _get_grams(self, name: str, objective: Objective) -> list[Floats]:
        key = (name, objective.size)
        if key not in self._grams:
            check_prepared({name: 1.0}, self._styles)
            style = resize_style(self._styles[name], *objective.size)
            self._grams[key] = objective.measure_style(to_floats(style))
        return self._grams[key]


def has_converged(costs: Sequence[float]) -> bool:
    """Whether the loss fell by less than `MIN_GAIN` of itself in the last `PATIENCE` steps."""
    if len(costs) <= PATIENCE:
        return False
    before = min(costs[:-PATIENCE])
    return min(costs[-PATIENCE:]) >= before * (1 - MIN_GAIN)


def resize_style(style: Picture, height: int, width: int) -> Picture:
    """Resize a style so that its short side equals the content's; it keeps its aspect ratio."""
    scale = min(height, width) / min(style.shape[:2])
    size = max(1, round(style.shape[1] * scale)), max(1, round(style.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(style, size, interpolation=method), np.uint8)


class _StepSampler:
    """Keeps some of the steps, evenly spread."""

    def __init__(self, steps: int) -> None:
        self._every = max(1, steps // MAX_KEPT_STEPS)
        self._kept: deque[Step] = deque(maxlen=MAX_KEPT_STEPS)
        self._last: Step | None = None

    def add(self, step: Step) -> None:
        self._last = step
        if step.number % self._every == 0:
            self._kept.append(step)

    def finish(self) -> list[Step]:
        """Return the kept steps and, at the end, the last step of all."""
        last = self._last
        if last is None:
            return []
        return [*(step for step in self._kept if step.number < last.number), last]


def draw_steps(steps: Sequence[Step], path: str) -> None:
    """Draw a sheet of steps, each labeled with its number and loss, to a file."""
    from vst.plotting import draw_sheet, save_picture

    half = (len(steps) + 1) // 2
    pictures = [to_bytes(step.picture) for step in steps]
    labels = [f"step {step.number}, loss {step.cost:.3g}" for step in steps]
    rows = [pictures[:half], pictures[half:]] if len(steps) > 1 else [pictures]
    texts = [labels[:half], labels[half:]] if len(steps) > 1 else [labels]
    save_picture(path, draw_sheet(rows, texts))
