"""The losses of a painting: style, content, smoothness, and steadiness from frame to frame.

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

from vst.core.packages import require_keras

try:
    from keras import ops
except ImportError:
    require_keras("vst.nets.losses")
    raise

from vst.core.registry import make_unknown_error
from vst.errors import UsageError

LUMINANCE = {
    "filmed": (0.2126, 0.7152, 0.0722),
    "animated": (0.2989, 0.5870, 0.1140),
}
"""Name -> weights of red, green and blue in the luminance: ITU-R BT.709 for filmed content, BT.601
for animation."""
MIN_ENERGY = 1e-12
"""Lower bound of a target's mean square, so that a loss relative to it stays finite."""


def gram(features: Any) -> Any:
    """Return the Gram matrix (B,C,C) of features (B,H,W,C): the mean product of two channels."""
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
    """Return Σ over layers of weight · mean((G − T)²) / C², for `gram` matrices (B,C,C) and their
    targets (B,C,C) or (1,C,C).

    ``weights``: one for each layer (default: 1). Dividing by C² equals a Gram matrix divided by
    C·H·W, for which the usual style weights of 1e4 to 1e7 hold. With ``relative`` each layer's
    error is divided by its target's mean square instead, which does not depend on the scale of the
    network's features.
    """
    weights = resolve_weights(grams, targets, weights)
    total: Any = 0.0
    for weight, found, wanted in zip(weights, grams, targets):
        unit = measure_energy(wanted) if relative else found.shape[-1] ** 2
        total = total + weight * ops.mean(ops.square(found - wanted)) / unit
    return total


def content_loss(
    features: Sequence[Any],
    targets: Sequence[Any],
    weights: Sequence[Any] | None = None,
    *,
    relative: bool = False,
) -> Any:
    """Return Σ over layers of weight · mean((F − T)²), for features (B,H,W,C) and their targets;
    with ``relative`` divided by the target's mean square.
    """
    weights = resolve_weights(features, targets, weights)
    total: Any = 0.0
    for weight, found, wanted in zip(weights, features, targets):
        error = ops.mean(ops.square(found - wanted))
        total = total + weight * (error / measure_energy(wanted) if relative else error)
    return total


def measure_energy(target: Any) -> Any:
    """Return the target's mean square, at least `MIN_ENERGY`."""
    return ops.maximum(ops.mean(ops.square(target)), MIN_ENERGY)


def resolve_weights(
    found: Sequence[Any], targets: Sequence[Any], weights: Sequence[Any] | None
) -> Sequence[Any]:
    """Return one weight for each layer; raises `UsageError` if the counts differ."""
    weights = [1.0] * len(found) if weights is None else weights
    if not len(found) == len(targets) == len(weights):
        raise UsageError(
            f"{len(found)} layers, {len(targets)} targets and {len(weights)} weights: the counts "
            "differ. Give as many of each."
        )
    return weights


def diff_neighbors(pictures: Any) -> tuple[Any, Any]:
    """Return the differences of neighbors, across (B,H,W-1,3) and down (B,H-1,W,3)."""
    return pictures[:, :, 1:] - pictures[:, :, :-1], pictures[:, 1:] - pictures[:, :-1]


def total_variation(pictures: Any) -> Any:
    """Return the sum of the absolute differences of neighbors, in both directions and all channels,
    per pixel, as `vst.metrics.variation` measures it.
    """
    shape = ops.shape(pictures)
    pixels = ops.cast(shape[0] * shape[1] * shape[2], pictures.dtype)
    return sum(ops.sum(ops.abs(edge)) for edge in diff_neighbors(pictures)) / pixels


def luminance(pictures: Any, formula: str = "filmed") -> Any:
    """Return the luminance (B,H,W,1) of RGB pictures (B,H,W,3), by a formula of `LUMINANCE`."""
    if formula not in LUMINANCE:
        raise make_unknown_error("luminance", formula, LUMINANCE)
    weights = ops.convert_to_tensor(LUMINANCE[formula], dtype=pictures.dtype)
    return ops.sum(pictures * weights, -1, keepdims=True)


def temporal_loss(painted: Any, warped: Any, mask: Any, allowed: Any = 0.0) -> Any:
    """Return Σ mask · ((painted − warped) − allowed)² / D, D = B·H·W·3.

    ``warped``: an earlier painting, warped to this frame along the content's flow. ``mask``: 1
    where the flow is reliable, 0 where it is occluded. ``allowed``: the content's change of
    luminance, which the painting may follow: `luminance` of the content less that of its warped
    earlier frame, (B,H,W,1), for all three channels; 0 for the plain loss.
    """
    return ops.mean(mask * ops.square(painted - warped - allowed))


def noise_stability_loss(painted: Any, again: Any, allowed: Any = 0.0) -> Any:
    """Return the mean square of ``painted − again − allowed``, for a picture and its copy
    with noise on some pixels.

    ``allowed``: the difference that costs nothing: 0 (the usual form), or the difference of the two
    contents, so that a network that returns its content unchanged has no loss.
    """
    return ops.mean(ops.square(painted - again - allowed))


def warp(pictures: Any, flow: Any) -> Any:
    """Warp the earlier pictures (B,H,W,C) to the later frames along the backward flow (B,H,W,2;
    pixels to the right and down), bilinear; beyond the edge its last pixels repeat.

    Like `vst.imaging.optical_flow.warp`, but differentiable with respect to the pictures.
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
