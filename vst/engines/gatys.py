"""Painting by optimisation: the picture itself is changed, step by step, until a network's layers
see the content in it and the style's statistics.

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
    silent,
)
from vst.engines.base import Engine
from vst.engines.embedded import start_tensorflow
from vst.engines.gatys_memory import LONG, Memory
from vst.engines.gatys_objective import Floats, Objective, as_bytes, as_floats
from vst.engines.gatys_options import GatysOptions
from vst.engines.minimise import Step, adam, lbfgs
from vst.errors import EngineError, SpaceError
from vst.nets.backbones import Backbone, open_backbone
from vst.schedule.timeline import NONE, Mix

PATIENT = 50
"""Steps within which something must be gained, or it is enough."""
GAIN = 1e-4
"""The part of the cost that counts as something gained."""
KEPT = 10
"""Pictures on the sheet of steps."""
STAGE = "optimise"


@dataclass(frozen=True)
class Optimised:
    """How the last picture came about: steps taken, cost before and after, and the parts of the
    latter by name.
    """

    steps: int
    first: float
    cost: float
    parts: Mapping[str, float]
    seconds: float


class GatysEngine(Engine):
    """Paints by optimisation, by `GatysOptions`. ``model``: a file of the backbone's weights, or
    ``random``; None for its own.

    ``last`` tells how the last picture came about, ``kept`` has the steps of the first one, where
    they are asked for.
    """

    name = "gatys"
    tells = True

    def __init__(
        self,
        *,
        model: str | None = None,
        threads: int | None = None,
        options: GatysOptions | None = None,
        on_progress: OnProgress = silent,
    ) -> None:
        self.options = options or GatysOptions()
        self.on_progress = on_progress
        self.warmup = LONG if self.options.looks_back else 0
        self.last: Optimised | None = None
        self.kept: list[Step] = []
        self._tensorflow = start_tensorflow(threads)
        self._backbone: Backbone | None = open_backbone(self.options.backbone, model)
        self._memory = Memory(self.options)
        self._objective: Objective | None = None
        self._styles: dict[str, Picture] = {}
        self._grams: dict[str, list[Floats]] = {}

    def prepare(self, styles: Mapping[str, Picture | Embedding]) -> None:
        for name, style in styles.items():
            if np.ndim(style) != 3:
                raise SpaceError(
                    f"style {name!r} is kept as numbers; engine 'gatys' needs its picture"
                )
        self._styles = {name: np.asarray(style, np.uint8) for name, style in styles.items()}
        self._grams = {}

    def paint(self, frames: Pictures, mixes: Sequence[Mix]) -> Pictures:
        painted = [self._paint(frame, mix) for frame, mix in zip(frames, mixes)]
        return check_pictures(np.stack(painted) if painted else frames.copy(), frames, self.name)

    def reset(self) -> None:
        self._memory.reset()

    def state(self) -> dict[str, Any]:
        return self._memory.state()

    def restore(self, state: dict[str, Any]) -> None:
        self._memory.restore(state)

    def close(self) -> None:
        self._objective = self._backbone = None
        self._grams = {}
        self._memory.reset()

    def _paint(self, frame: Picture, mix: Mix) -> Picture:
        """One frame, in the mixed statistics of its styles."""
        weights = {name: weight for name, weight in mix.weights.items() if name != NONE and weight}
        if not weights:
            painting = frame.copy()
        else:
            objective = self._objective_for(*frame.shape[:2])
            earlier, start = self._memory.seen_from(frame)
            objective.aim(as_floats(frame), self._aimed_at(weights, objective), earlier)
            painting = as_bytes(self._optimise(objective, self._start(frame, start)))
        self._memory.add(frame, painting)
        return painting

    def _start(self, frame: Picture, previous: Floats) -> Floats:
        """What is begun with, (H,W,3) in [0,1]."""
        if self.options.init == "noise":
            # The same noise for each frame: other noise would be other strokes.
            rng = np.random.default_rng(self.options.seed)
            return rng.random(frame.shape, np.float32)
        return previous if self.options.init == "previous" else as_floats(frame)

    def _optimise(self, objective: Objective, start: Floats) -> Floats:
        """The picture that the steps lead to; raises `EngineError` where they lead nowhere."""
        options, began = self.options, time.perf_counter()
        if options.optimiser == "adam":
            way = adam(objective.one_phase, start, options.steps, rate=options.rate)
        else:
            way = lbfgs(objective.all_phases, start, options.steps)
        keeping = _Keeper(options.steps) if options.keep_steps and not self.kept else None
        costs: list[float] = []
        for step in way:
            if not np.isfinite(step.cost):
                raise EngineError(
                    f"the loss is {step.cost} after {step.number} steps; take a smaller --rate, or "
                    "smaller weights"
                )
            costs.append(step.cost)
            if keeping is not None:
                keeping.take(step)
            seconds = time.perf_counter() - began
            told = {"unit": "steps", "loss": step.cost}
            self.on_progress(Progress(STAGE, step.number, options.steps, seconds, told))
            if options.early_stop and enough(costs):
                break
        parts = objective.parts(step.picture)
        self.last = Optimised(
            step.number, costs[0], sum(parts.values()), parts, time.perf_counter() - began
        )
        if keeping is not None:
            self.kept = keeping.chosen(step)
            draw_steps(self.kept, options.keep_steps)
        return step.picture

    def _objective_for(self, height: int, width: int) -> Objective:
        """The objective of this size, the last one only, as a job has one size."""
        if self._backbone is None:
            raise EngineError("this engine is closed; open another one")
        if self._objective is None or self._objective.size != (height, width):
            self._objective = Objective(
                self._backbone, self.options, height, width, self._tensorflow
            )
            self._grams = {}
        return self._objective

    def _aimed_at(self, weights: Mapping[str, float], objective: Objective) -> list[Floats]:
        """The Gram matrices of a mix: those of its styles, mixed by weight."""
        total = sum(weights.values())
        mixed = [
            (weight / total, self._grams_of(name, objective)) for name, weight in weights.items()
        ]
        share, last = self.options.previous_style, self._memory.last
        if share > 0 and last is not None:
            mixed = [(weight * (1 - share), grams) for weight, grams in mixed]
            mixed.append((share, objective.grams(as_floats(last))))
        layers = range(len(mixed[0][1]))
        return [
            np.asarray(sum(np.float32(weight) * grams[layer] for weight, grams in mixed))
            for layer in layers
        ]

    def _grams_of(self, name: str, objective: Objective) -> list[Floats]:
        if name not in self._grams:
            if name not in self._styles:
                known = ", ".join(self._styles) or "none"
                raise EngineError(f"style {name!r} was not prepared; prepared: {known}")
            style = covering(self._styles[name], *objective.size)
            self._grams[name] = objective.grams(as_floats(style))
        return self._grams[name]


def enough(costs: Sequence[float]) -> bool:
    """Whether the last `PATIENT` steps have gained less than `GAIN` of the cost before them."""
    if len(costs) <= PATIENT:
        return False
    before = min(costs[:-PATIENT])
    return min(costs[-PATIENT:]) >= before * (1 - GAIN)


def covering(style: Picture, height: int, width: int) -> Picture:
    """The style picture at the content's scale: its short side is the content's, its shape
    stays.
    """
    scale = min(height, width) / min(style.shape[:2])
    size = max(1, round(style.shape[1] * scale)), max(1, round(style.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(style, size, interpolation=method), np.uint8)


class _Keeper:
    """Keeps some of the steps, evenly spread over those that were taken, however many."""

    def __init__(self, steps: int) -> None:
        self._every = max(1, steps // KEPT)
        self._taken: deque[Step] = deque(maxlen=KEPT)

    def take(self, step: Step) -> None:
        if step.number % self._every == 0:
            self._taken.append(step)

    def chosen(self, last: Step) -> list[Step]:
        """The steps kept, the last one of all at the end."""
        return [*(step for step in self._taken if step.number < last.number), last]


def draw_steps(steps: Sequence[Step], path: str) -> None:
    """A sheet of pictures on the way, each with its step and its loss."""
    from vst.plotting import save_picture, sheet

    half = (len(steps) + 1) // 2
    pictures = [as_bytes(step.picture) for step in steps]
    labels = [f"step {step.number}, loss {step.cost:.3g}" for step in steps]
    rows = [pictures[:half], pictures[half:]] if len(steps) > 1 else [pictures]
    texts = [labels[:half], labels[half:]] if len(steps) > 1 else [labels]
    save_picture(path, sheet(rows, texts))
