"""Training of a feed-forward network in one style, on films: steady from frame to frame.

    TemporalTraining(style, Films.read([folder], side), out, plan).run(on_progress)

After the report that the method is from, and ReCoNet (Gao et al. 2018): beside content, style and
variation, each painting must be like that of the next frame, moved along the flow (short term), and
like that of the fifth after it (long term), where neither occlusion nor the frame's edge forbids
it; but the brightness may change as the content's does.

The report's printed listing departs from its text, and is not followed where it does: it swaps the
two weights λ (100 is the short term's, 10 the long term's), weighs blue as red in the luminance,
picks the long-term frame by its index in a shuffled batch and masks by comparing a content with a
painting, rescales the resized flow by the wrong sides, and leaves out the luminance term of the
loss. Here: `TemporalPlan.weights`, `vst.nets.losses.LUMINANCE`, `crop_sample` and `resize_flow` in
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
    """Paints three frames of each moment; the first two are judged for content and style."""

    painted_keys = SAMPLE_FRAMES
    judged_keys = ("now", "next")
    formula = OFF

    def steadiness(self, batch: Batch, contents: Batch, paintings: Batch) -> dict[str, Any]:
        return {
            name: self.change(batch, contents, paintings, key)
            for name, key in (("short", "next"), ("long", "far"))
        }

    def change(self, batch: Batch, contents: Batch, paintings: Batch, key: str) -> Any:
        """How much the painting of ``now`` differs from the later one, moved onto it."""
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
    """`vst train temporal`: one network, one style, films and their motion."""

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
        """The training that was begun in a folder. ``changed``: of its plan; ``data``: where the
        films are now.
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
        """The name of the luminance formula that is used."""
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
    """Moments as arrays with the batch as first axis."""
    return {name: np.stack([getattr(one, name) for one in moments]) for name in vars(moments[0])}
