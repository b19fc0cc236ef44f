"""Trains a painter on by what VGG16 sees in its pictures, instead of by the teacher's alone.

A judge alone flattens: the teacher's style distance, edge energy and contrast, and true motion,
stay among the losses. AlexNet, on which nothing is trained, chooses the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from vst.nets import losses
from vst.nets.embedded import Painter
from vst.nets.judges import CONTENT_LAYER, STYLE_LAYERS
from vst.research.training import painter_losses
from vst.research.training.judged_styles import GRAMS, compute_features
from vst.research.training.teacher import LiteGraph

LIGHT = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class JudgedWeights:
    """Weights of the losses. ``style``, ``half``: Gram matrices of whole pictures and at half their
    size; ``hint``: Gram matrices of the teacher's picture; ``content``: VGG16's features of the
    content; ``excess``: the teacher's style distance above ``aim`` of its own picture's.
    """

    style: float = 1.0
    half: float = 0.5
    hint: float = 1.0
    content: float = 0.1
    excess: float = 1.0
    energy: float = 120.0
    contrast: float = 4.0
    weave: float = 20.0
    motion: float = 60.0
    aim: float = 0.85


class JudgedStudent(keras.Model):
    """A painter with the losses of `JudgedWeights`. ``vgg``: a backbone; ``judge``: the teacher's
    predictor in float.

    Batches hold ``content`` (B,H,W,3) in bytes, ``numbers`` (B,100), and ``motion``, a sample of
    `vst.research.training.films`; targets ``painted`` (the teacher's picture), ``numbers`` (its
    embedding of the style), and the style's Gram matrices by the names of `GRAMS`.
    """

    def __init__(self, painter: Painter, vgg: Any, judge: LiteGraph, terms: JudgedWeights):
        super().__init__(name="judged")
        self.painter, self.vgg, self.judge, self.terms = painter, vgg, judge, terms
        self.built = True

    def call(self, batch: dict[str, Any], training: bool = False) -> dict[str, Any]:
        painted = {"painted": self.painter(to_unit(batch["content"]), batch["numbers"])}
        for name in ("now", "next"):
            frame = to_unit(batch["motion"][name])
            painted[name] = self.painter(frame, batch["numbers"][:1])
        return painted

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        x, y = (keras.tree.map_structure(ops.convert_to_tensor, value) for value in (x, y))
        terms, ours, theirs = self.terms, y_pred["painted"], to_unit(y["painted"])
        return (
            self.judge_loss(ours, theirs, to_unit(x["content"]), y)
            + terms.excess * self.excess_loss(ours, theirs, y["numbers"])
            + terms.energy * painter_losses.energy_error(ours, theirs)
            + terms.contrast * contrast_error(ours, theirs)
            + terms.weave * painter_losses.weave_error(ours, theirs)
            + terms.motion * painter_losses.motion_error(y_pred["now"], y_pred["next"], x["motion"])
        )

    def judge_loss(self, ours: Any, theirs: Any, content: Any, wanted: dict[str, Any]) -> Any:
        """Compare the painting with its style, the teacher's and its content, as VGG16 sees them.

        Only the teacher's is right for any embedding, also for one near no style of the training.
        """
        whole, half = compute_features(self.vgg, ours)
        grams = [losses.gram(found[name]) for found in (whole, half) for name in found]
        targets = [ops.cast(wanted[name], "float32") for name in GRAMS]
        shares = [self.terms.style] * len(whole) + [self.terms.half] * len(half)
        style = sum(
            share * compare_each(one, other) for share, one, other in zip(shares, grams, targets)
        )
        hints = self.vgg(theirs, STYLE_LAYERS)
        hint = sum(
            compare_each(one, ops.stop_gradient(losses.gram(hints[name])))
            for name, one in zip(STYLE_LAYERS, grams)
        )
        seen = ops.stop_gradient(self.vgg(content, (CONTENT_LAYER,))[CONTENT_LAYER])
        detail = compare_each(whole[CONTENT_LAYER], seen)
        return style + self.terms.hint * hint + self.terms.content * detail

    def excess_loss(self, ours: Any, theirs: Any, wanted: Any) -> Any:
        """Compare style distances by the teacher's predictor: ours above a share of its own."""
        mine, magenta = (
            painter_losses.style_distance(
                ops.reshape(self.judge(picture)[0], (-1, wanted.shape[-1])), wanted
            )
            for picture in (ours, theirs)
        )
        return ops.mean(ops.relu(mine - self.terms.aim * ops.stop_gradient(magenta)))


def to_unit(pictures: Any) -> Any:
    """Convert bytes to [0,1]."""
    return ops.cast(pictures, "float32") / 255


def compare_each(found: Any, wanted: Any) -> Any:
    """The mean over a batch of the squared error relative to the wanted one's mean square; beyond 1
    its logarithm counts, or a few styles with almost no texture would lead the training.
    """
    axes = tuple(range(1, len(wanted.shape)))
    energy = ops.maximum(ops.mean(ops.square(wanted), axes), losses.MIN_ENERGY)
    error = ops.mean(ops.square(found - wanted), axes) / energy
    return ops.mean(ops.where(error < 1, error, 1 + ops.log(ops.maximum(error, 1))))


def contrast_error(ours: Any, theirs: Any) -> Any:
    """The difference of the standard deviations of the luminance."""
    light = ops.convert_to_tensor(np.array(LIGHT, np.float32)[:, None])
    mine, magenta = (ops.std(ops.matmul(picture, light), (1, 2, 3)) for picture in (ours, theirs))
    return ops.mean(ops.abs(mine - magenta))
