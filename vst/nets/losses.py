"""What a painting is judged by: style, content, smoothness, and steadiness from frame to frame.

Pure functions in `keras.ops`, the same under every Keras backend, differentiable with respect to
each picture they take. Pictures are (B,H,W,3) in [0,1], features (B,H,W,C), masks (B,H,W,1) in
[0,1]; each loss returns one number, the mean over the batch.

The Gram matrix as style: Gatys, Ecker and Bethge, "Image style transfer using convolutional neural
networks" (2016). Temporal losses: Ruder, Dosovitskiy and Brox, "Artistic style transfer for videos"
(2016); their luminance term: Gao et al., "ReCoNet" (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from vst.core.registry import unknown
from vst.errors import UsageError

LUMINANCE = {
    "filmed": (0.2126, 0.7152, 0.0722),
    "animated": (0.2989, 0.5870, 0.1140),
}
"""Name -> weights of red, green and blue (this order) in the brightness: of ITU-R BT.709 for what a
camera filmed, of BT.601 for animation."""
LEAST_ENERGY = 1e-12
"""Below this a target counts as nothing, and a loss relative to it is not blown up."""


def gram(features: Any) -> Any:
    """(B,H,W,C) -> (B,C,C): the mean, over the positions, of the product of each two channels."""
    channels = features.shape[-1]
    flat = ops.reshape(features, (ops.shape(features)[0], -1, channels))
    positions = ops.cast(ops.shape(flat)[1], flat.dtype)
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / positions


def style_loss(
    grams: Sequence[Any],
    targets: Sequence[Any],
    weights: Sequence[Any] | None = None,
    *,
    relative: bool = False,
) -> Any:
    """Σ over layers of weight · mean((G − T)²) / C², for `gram` matrices (B,C,C) and their targets
    of the same shape, or (1,C,C).

    ``weights``: one for each layer (1 where not given). The C² makes it the loss with the Gram
    matrix divided by C·H·W, for which the usual style weights of 1e4 to 1e7 were found. With
    ``relative`` each layer's error is divided by its target's mean square instead: a pure number,
    which means the same whatever the network's scale.
    """
    weights = weights_for(grams, targets, weights)
    total: Any = 0.0
    for weight, found, wanted in zip(weights, grams, targets):
        unit = energy(wanted) if relative else found.shape[-1] ** 2
        total = total + weight * ops.mean(ops.square(found - wanted)) / unit
    return total


def content_loss(
    features: Sequence[Any],
    targets: Sequence[Any],
    weights: Sequence[Any] | None = None,
    *,
    relative: bool = False,
) -> Any:
    """Σ over layers of weight · mean((F − T)²), for features (B,H,W,C) and their targets; with
    ``relative`` divided by the target's mean square.
    """
    weights = weights_for(features, targets, weights)
    total: Any = 0.0
    for weight, found, wanted in zip(weights, features, targets):
        error = ops.mean(ops.square(found - wanted))
        total = total + weight * (error / energy(wanted) if relative else error)
    return total


def energy(target: Any) -> Any:
    """The target's mean square, not below `LEAST_ENERGY`."""
    return ops.maximum(ops.mean(ops.square(target)), LEAST_ENERGY)


def weights_for(
    found: Sequence[Any], targets: Sequence[Any], weights: Sequence[Any] | None
) -> Sequence[Any]:
    """One weight for each layer; raises `UsageError` where the numbers of layers differ."""
    weights = [1.0] * len(found) if weights is None else weights
    if not len(found) == len(targets) == len(weights):
        raise UsageError(
            f"{len(found)} layers, {len(targets)} targets and {len(weights)} weights; "
            "give as many of each"
        )
    return weights


def edges(pictures: Any) -> tuple[Any, Any]:
    """Differences of neighbours, across (B,H,W-1,3) and down (B,H-1,W,3)."""
    return pictures[:, :, 1:] - pictures[:, :, :-1], pictures[:, 1:] - pictures[:, :-1]


def total_variation(pictures: Any) -> Any:
    """Sum of the absolute differences of neighbours, over both directions and all channels, divided
    by the number of pixels: as `vst.metrics.variation` measures it.
    """
    shape = ops.shape(pictures)
    pixels = ops.cast(shape[0] * shape[1] * shape[2], pictures.dtype)
    return sum(ops.sum(ops.abs(edge)) for edge in edges(pictures)) / pixels


def luminance(pictures: Any, formula: str = "filmed") -> Any:
    """Brightness (B,H,W,1) of RGB pictures (B,H,W,3), by a name of `LUMINANCE`."""
    if formula not in LUMINANCE:
        raise unknown("luminance", formula, LUMINANCE)
    weights = ops.convert_to_tensor(LUMINANCE[formula], dtype=pictures.dtype)
    return ops.sum(pictures * weights, -1, keepdims=True)


def temporal_loss(painted: Any, warped: Any, mask: Any, allowed: Any = 0.0) -> Any:
    """Σ mask · ((painted − warped) − allowed)² / D, D = B·H·W·3.

    ``warped``: an earlier painting, moved to this frame along the content's flow. ``mask``: 1 where
    the flow holds, 0 where it is occluded. ``allowed``: the change of brightness that the content
    shows too and the painting may follow: `luminance` of the content less that of its warped
    earlier frame, (B,H,W,1), in all three channels; 0 for the plain loss.
    """
    return ops.mean(mask * ops.square(painted - warped - allowed))


def noise_stability_loss(painted: Any, again: Any, allowed: Any = 0.0) -> Any:
    """Mean square of ``painted − again − allowed``: a picture and its copy with noise on some
    pixels must be painted alike.

    ``allowed``: what may differ: 0 (nothing, the usual form), or the two contents' difference
    itself, by which a network that hands its content on unchanged loses nothing.
    """
    return ops.mean(ops.square(painted - again - allowed))


def warp(pictures: Any, flow: Any) -> Any:
    """The earlier pictures (B,H,W,C) as the later frames see them: moved along the backward flow
    (B,H,W,2; pixels to the right and down), bilinear, the edge going on beyond the edge.

    As `vst.imaging.optical_flow.warp`, but differentiable with respect to the pictures.
    """
    batch, height, width, channels = pictures.shape
    batch = ops.shape(pictures)[0] if batch is None else batch
    flow = ops.cast(flow, "float32")
    x = ops.clip(flow[..., 0] + ops.arange(width, dtype="float32")[None, None], 0, width - 1)
    y = ops.clip(flow[..., 1] + ops.arange(height, dtype="float32")[None, :, None], 0, height - 1)
    left, top = ops.floor(x), ops.floor(y)
    part_x, part_y = (ops.cast((x - left)[..., None], pictures.dtype),
                      ops.cast((y - top)[..., None], pictures.dtype))  # fmt: skip
    left, top = ops.cast(left, "int32"), ops.cast(top, "int32")
    right, below = ops.minimum(left + 1, width - 1), ops.minimum(top + 1, height - 1)
    flat = ops.reshape(pictures, (batch, height * width, channels))

    def at(row: Any, column: Any) -> Any:
        places = ops.reshape(row * width + column, (batch, height * width, 1))
        found = ops.take_along_axis(flat, ops.repeat(places, channels, 2), axis=1)
        return ops.reshape(found, (batch, height, width, channels))

    upper = at(top, left) * (1 - part_x) + at(top, right) * part_x
    lower = at(below, left) * (1 - part_x) + at(below, right) * part_x
    return upper * (1 - part_y) + lower * part_y
