"""Trains a feed-forward network in one style on films, steady from frame to frame.

    TemporalTraining(style, Films.read([folder], side), out, plan).run(on_progress)

After the report that describes the method, and ReCoNet (Gao et al. 2018): beside content, style
and variation, two losses compare each painting with that of the next frame (short term) and of the
fifth frame after it (long term), warped along the flow, except at occlusions and at the frame's
edge; the luminance may change as the content's does.

The report's listing differs from its text, which this module follows: the listing swaps the two
weights λ (100 for the short term, 10 for the long term), weighs blue as red in the luminance, picks
the long-term frame by its index in a shuffled batch, compares a content with a painting for its
mask, scales the resized flow by the wrong sides, and omits the luminance term. See
`TemporalPlan.weights`, `vst.nets.losses.LUMINANCE`, `crop_sample` and `resize_flow` in
`vst.research.training.films`, and `TemporalLearner.steadiness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from vst.core.types import Picture
from vst.nets import losses
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.research.training.films import FilmSet, MotionSample, crop_sample
from vst.research.training.learner import Batch, StyleLearner
from vst.research.training.style_plans import AUTO, OFF, TemporalPlan
from vst.research.training.style_training import StyleTraining, load_settings

SAMPLE_FRAMES = ("now", "next", "far")
MAX_HELD_OUT = 16


class TemporalLearner(StyleLearner):
    """Paints three frames of each sample; content and style losses judge the first two."""

    painted_keys = SAMPLE_FRAMES
    judged_keys = ("now", "next")
    formula = OFF

    def steadiness(self, batch: Batch, contents: Batch, paintings: Batch) -> dict[str, Any]:
        return {
            name: self.change(batch, contents, paintings, key)
            for name, key in (("short", "next"), ("long", "far"))
        }

    def change(self, batch: Batch, contents: Batch, paintings: Batch, key: str) -> Any:
        """Compare the painting of ``now`` with the later one, warped to it."""
        flow = ops.convert_to_tensor(batch[f"flow_{key}"])
        mask = ops.cast(batch[f"mask_{key}"], "float32")[..., None]
        allowed: Any = 0.0
        if self.formula != OFF:
            there = losses.warp(contents[key], flow)
            allowed = losses.luminance(contents["now"], self.formula) - losses.luminance(
                there, self.formula
            )
        moved = losses.warp(paintings[key], flow)
        return losses.temporal_loss(paintings["now"], moved, mask, allowed)


class TemporalTraining(StyleTraining):
    """Trains one network in one style on films (`vst train temporal`)."""

    kind = "temporal"
    learner_kind = TemporalLearner
    plan: TemporalPlan

    def __init__(
        self,
        style: Picture,
        films: FilmSet,
        out: Path,
        plan: TemporalPlan | None = None,
        network_plan: FeedForwardPlan | None = None,
        about: dict[str, Any] | None = None,
    ):
        about = {**(about or {}), "data": [str(path.absolute()) for path in films.data]}
        about["pass"] = films.kind
        super().__init__(style, out, plan or TemporalPlan(), network_plan, about)
        self.films = films

    @classmethod
    def resume(cls, out: Path, data: Sequence[Path] = (), **changed: Any) -> TemporalTraining:
        """Resume the training of a folder. ``changed``: fields of its plan to replace; ``data``:
        the films, if they were moved.
        """
        found = load_settings(out, cls.kind, changed)
        plan, about = TemporalPlan(**found.plan), found.about
        places = data or [Path(path) for path in about["data"]]
        films = FilmSet.read(places, plan.side, about["pass"])
        return cls(found.style, films, out, plan, found.network_plan, about)

    def open_learner(self) -> StyleLearner:
        learner = super().open_learner()
        learner.formula = self.formula
        return learner

    @property
    def formula(self) -> str:
        """The name of the luminance formula."""
        if self.plan.luminance != AUTO:
            return self.plan.luminance
        return "animated" if self.films.drawn else "filmed"

    def batch(self, step: int) -> Batch:
        rng = self.random(step)
        moments = [self.films.draw(rng, self.plan.side) for _ in range(self.plan.batch)]
        return stack_samples(moments) | {"shift": self.shift(rng, len(moments))}

    def held(self) -> Iterator[Batch]:
        every = max(1, len(self.films.held) // MAX_HELD_OUT)
        for scene, index in self.films.held[::every][:MAX_HELD_OUT]:
            shift = np.zeros((1, 2), np.int32)
            yield stack_samples([crop_sample(scene, index, self.plan.side)]) | {"shift": shift}


def stack_samples(moments: Sequence[MotionSample]) -> Batch:
    """Stack samples as arrays with the batch as first axis."""
    return {name: np.stack([getattr(one, name) for one in moments]) for name in vars(moments[0])}
