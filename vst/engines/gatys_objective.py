"""The loss that engine ``gatys`` minimizes, and its gradient, compiled for one size of picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.engines.gatys_options import PLAIN, GatysOptions
from vst.nets.backbones import Backbone

Floats = npt.NDArray[np.float32]
MAX_EARLIER = 2
"""Earlier paintings in the loss, at most: the last one, and one `LONG_TERM` frames before."""


@dataclass(frozen=True)
class WarpedPainting:
    """An earlier painting, warped to the current frame. ``warped`` (H,W,3) in [0,1]; ``weights``
    (H,W,1): the mask times the weight of the loss; ``allowed`` (H,W,1): the change of luminance
    that the painting may follow.
    """

    warped: Floats
    weights: Floats
    allowed: Floats


class Objective:
    """The loss of pictures of one size, and its gradient."""

    def __init__(
        self, backbone: Backbone, options: GatysOptions, height: int, width: int, tf: Any
    ) -> None:
        self.backbone, self.options, self.tf = backbone, options, tf
        self.size = (height, width)
        self.content_layers = options.content_layers or backbone.content_layers
        self.style_layers = options.style_layers or backbone.style_layers
        self.layer_weights = resolve_layer_weights(options, self.style_layers)
        self._phases = [tf.constant(phase) for phase in backbone.phases]
        self._turn = 0
        self._content: list[Any] = []
        self._grams: list[Any] = []
        self._earlier: tuple[Any, Any, Any] = self._stack([])
        self._cost = tf.function(self._cost_and_gradient)
        self._features = tf.function(self._content_features)

    def measure_style(self, picture: Floats) -> list[Floats]:
        """Return the Gram matrices (1,C,C) of a style picture (H,W,3) in [0,1] of any size, the
        mean over the phases.
        """
        from vst.nets.losses import gram

        found = []
        for phase in self._phases:
            features = self.backbone(picture[None], self.style_layers, phase)
            found.append([np.asarray(gram(features[name])) for name in self.style_layers])
        return [np.mean(layer, 0) for layer in zip(*found)]

    def set_target(
        self, content: Floats, grams: Sequence[Floats], earlier: Sequence[WarpedPainting]
    ) -> None:
        """Set the targets: a content (H,W,3) in [0,1], Gram matrices, earlier paintings."""
        picture = self.tf.constant(content[None])
        self._content = [self._features(picture, phase) for phase in self._phases]
        self._grams = [self.tf.constant(one) for one in grams]
        self._earlier = self._stack(earlier)
        self._turn = 0

    def evaluate_one_phase(self, picture: Floats) -> tuple[float, Floats]:
        """Return the loss of a picture (H,W,3) and its gradient, of the same shape, in one of the
        backbone's phases: the next one at each call, for an optimizer that averages over steps.
        """
        self._turn += 1
        return self._evaluate(picture, self._turn % len(self._phases))

    def evaluate_all_phases(self, picture: Floats) -> tuple[float, Floats]:
        """Return the mean over all phases: it takes as many times longer, and is deterministic."""
        found = [self._evaluate(picture, place) for place in range(len(self._phases))]
        gradient = sum(one for _, one in found) / np.float32(len(found))
        return sum(cost for cost, _ in found) / len(found), np.asarray(gradient, np.float32)

    def _evaluate(self, picture: Floats, place: int) -> tuple[float, Floats]:
        cost, gradient = self._cost(
            self.tf.constant(picture[None]), self._phases[place], self._content[place],
            self._grams, self._earlier,
        )  # fmt: skip
        return float(cost), np.asarray(gradient, np.float32)[0]

    def measure_parts(self, picture: Floats) -> dict[str, float]:
        """Return what each part adds to the loss, the mean over the phases: ``content``,
        ``style``, ``variation``, ``temporal``.
        """
        found = [
            self._compute_parts(
                self.tf.constant(picture[None]), phase, content, self._grams, self._earlier
            )
            for phase, content in zip(self._phases, self._content)
        ]
        return {name: float(np.mean([float(one[name]) for one in found])) for name in found[0]}

    def _stack(self, earlier: Sequence[WarpedPainting]) -> tuple[Any, Any, Any]:
        """Stack the earlier paintings, always as many: unused ones have weights of 0, so that one
        compiled function serves all frames.
        """
        slots = MAX_EARLIER if self.options.compares_earlier else 0
        stacked = []
        for name, channels in (("warped", 3), ("weights", 1), ("allowed", 1)):
            arrays = np.zeros((slots, *self.size, channels), np.float32)
            for place, one in enumerate(earlier):
                arrays[place] = getattr(one, name)
            stacked.append(self.tf.constant(arrays))
        return stacked[0], stacked[1], stacked[2]

    def _content_features(self, content: Any, phase: Any) -> list[Any]:
        features = self.backbone(content, self.content_layers, phase)
        return [features[name] for name in self.content_layers]

    def _cost_and_gradient(
        self, picture: Any, phase: Any, content: Any, grams: Any, earlier: Any
    ) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(picture)
            cost = sum(self._compute_parts(picture, phase, content, grams, earlier).values())
        return cost, tape.gradient(cost, picture)

    def _compute_parts(
        self, picture: Any, phase: Any, content: Any, grams: Any, earlier: Any
    ) -> Mapping[str, Any]:
        from vst.nets import losses

        options, relative = self.options, self.options.scaling != PLAIN
        names = tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))
        features = self.backbone(picture, names, phase)
        found = [features[name] for name in self.content_layers]
        painted = [losses.gram(features[name]) for name in self.style_layers]
        parts = {
            "content": options.content_weight
            * losses.content_loss(found, content, relative=relative),
            "style": options.style_weight
            * losses.style_loss(painted, grams, self.layer_weights, relative=relative),
            "variation": options.variation_weight * losses.total_variation(picture),
        }
        if options.compares_earlier:
            warped, weights, allowed = earlier
            # The loss is a mean over the slots; times their number, each one counts fully.
            parts["temporal"] = MAX_EARLIER * losses.temporal_loss(
                picture, warped, weights, allowed
            )
        return parts


def resolve_layer_weights(options: GatysOptions, layers: Sequence[str]) -> list[float]:
    """Return one weight for each style layer: the given one (default: 1) over their number."""
    from vst.nets.losses import resolve_weights

    given = options.style_layer_weights or (1.0,) * len(layers)
    resolve_weights(layers, layers, given)
    return [weight / len(layers) for weight in given]


def to_floats(picture: Picture) -> Floats:
    """Convert uint8 to float32 in [0,1]."""
    return np.asarray(picture, np.float32) / np.float32(255)


def to_bytes(picture: Floats) -> Picture:
    """Convert numbers in [0,1] to uint8, rounded and clipped."""
    return np.asarray(np.rint(picture * 255).clip(0, 255), np.uint8)
