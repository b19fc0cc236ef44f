"""What a painting costs: the objective of painting by optimisation, compiled for one size of
picture.
"""

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
SLOTS = 2
"""Earlier paintings that one may be held to: the last, and one long ago."""


@dataclass(frozen=True)
class Earlier:
    """An earlier painting as the frame at hand sees it. ``warped`` (H,W,3) in [0,1]; ``weights``
    (H,W,1): the mask, times what a difference costs; ``allowed`` (H,W,1): the change of brightness
    that it may follow.
    """

    warped: Floats
    weights: Floats
    allowed: Floats


class Objective:
    """The cost of pictures of one size, and its gradient."""

    def __init__(
        self, backbone: Backbone, options: GatysOptions, height: int, width: int, tf: Any
    ) -> None:
        self.backbone, self.options, self.tf = backbone, options, tf
        self.size = (height, width)
        self.content_layers = options.content_layers or backbone.content_layers
        self.style_layers = options.style_layers or backbone.style_layers
        self.layer_weights = layer_weights(options, self.style_layers)
        self._phases = [tf.constant(phase) for phase in backbone.phases]
        self._turn = 0
        self._content: list[Any] = []
        self._grams: list[Any] = []
        self._earlier: tuple[Any, Any, Any] = self._packed([])
        self._cost = tf.function(self._cost_and_gradient)
        self._features = tf.function(self._content_features)

    def grams(self, picture: Floats) -> list[Floats]:
        """The Gram matrices (1,C,C) of a style picture (H,W,3) in [0,1], of any size: the mean over
        the phases.
        """
        from vst.nets.losses import gram

        found = []
        for phase in self._phases:
            features = self.backbone(picture[None], self.style_layers, phase)
            found.append([np.asarray(gram(features[name])) for name in self.style_layers])
        return [np.mean(layer, 0) for layer in zip(*found)]

    def aim(self, content: Floats, grams: Sequence[Floats], earlier: Sequence[Earlier]) -> None:
        """Set what is aimed at: a content (H,W,3) in [0,1], Gram matrices, earlier paintings."""
        picture = self.tf.constant(content[None])
        self._content = [self._features(picture, phase) for phase in self._phases]
        self._grams = [self.tf.constant(one) for one in grams]
        self._earlier = self._packed(earlier)
        self._turn = 0

    def one_phase(self, picture: Floats) -> tuple[float, Floats]:
        """The cost of a picture (H,W,3) and its gradient, of the same shape, by one of the
        backbone's phases: another one each time, for an optimiser that averages over its steps.
        """
        self._turn += 1
        return self._by_phase(picture, self._turn % len(self._phases))

    def all_phases(self, picture: Floats) -> tuple[float, Floats]:
        """The same, the mean over the phases: as often the work, always the same answer."""
        found = [self._by_phase(picture, place) for place in range(len(self._phases))]
        gradient = sum(one for _, one in found) / np.float32(len(found))
        return sum(cost for cost, _ in found) / len(found), np.asarray(gradient, np.float32)

    def _by_phase(self, picture: Floats, place: int) -> tuple[float, Floats]:
        cost, gradient = self._cost(
            self.tf.constant(picture[None]), self._phases[place], self._content[place],
            self._grams, self._earlier,
        )  # fmt: skip
        return float(cost), np.asarray(gradient, np.float32)[0]

    def parts(self, picture: Floats) -> dict[str, float]:
        """What each part of the cost contributes, the mean over the phases: ``content``, ``style``,
        ``variation``, ``temporal``.
        """
        found = [
            self._parts(self.tf.constant(picture[None]), phase, content, self._grams, self._earlier)
            for phase, content in zip(self._phases, self._content)
        ]
        return {name: float(np.mean([float(one[name]) for one in found])) for name in found[0]}

    def _packed(self, earlier: Sequence[Earlier]) -> tuple[Any, Any, Any]:
        """Always as many slots, those that are not used with weights of 0: one function for all
        frames.
        """
        slots = SLOTS if self.options.held else 0
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
            cost = sum(self._parts(picture, phase, content, grams, earlier).values())
        return cost, tape.gradient(cost, picture)

    def _parts(
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
        if options.held:
            warped, weights, allowed = earlier
            # The mean over the slots, times their number: each counts fully.
            parts["temporal"] = SLOTS * losses.temporal_loss(picture, warped, weights, allowed)
        return parts


def layer_weights(options: GatysOptions, layers: Sequence[str]) -> list[float]:
    """A weight for each style layer, of mean 1 unless given: evenly."""
    from vst.nets.losses import weights_for

    given = options.style_layer_weights or (1.0,) * len(layers)
    weights_for(layers, layers, given)
    return [weight / len(layers) for weight in given]


def as_floats(picture: Picture) -> Floats:
    """Bytes as numbers in [0,1]."""
    return np.asarray(picture, np.float32) / np.float32(255)


def as_bytes(picture: Floats) -> Picture:
    """Numbers in [0,1] as bytes."""
    return np.asarray(np.rint(picture * 255).clip(0, 255), np.uint8)
