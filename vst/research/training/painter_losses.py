"""The losses of the painter: agreement with the teacher's picture in pixels, texture, style and
sharpness, and steadiness.

All take pictures (B,H,W,3) in [0,1] and return one number. ``ours``: the student's painting;
``theirs``: the teacher's. The *judge* is the teacher's predictor in float (see
`vst.research.training.teacher.LiteGraph`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from vst.nets import losses
from vst.nets.losses import diff_neighbors

# Outputs of the judge's convolutions whose statistics measure texture: from strokes of two pixels
# to large patterns.
JUDGE_LAYERS = (1, 16, 88, 102, 107, 117, 136, 161)


NEAR_ERROR = 3e-4
"""Square difference (35 dB) below which `decibel_error` falls little."""


def pixel_error(ours: Any, theirs: Any) -> Any:
    """Mean absolute difference."""
    return ops.mean(ops.abs(ours - theirs))


def decibel_error(ours: Any, theirs: Any) -> Any:
    """Mean logarithm of each picture's mean square difference, as in PSNR, so that similar pictures
    count as much as different ones.
    """
    square = ops.mean(ops.square(ours - theirs), (1, 2, 3))
    return ops.mean(ops.log(square + NEAR_ERROR))


def structure_error(ours: Any, theirs: Any) -> Any:
    """1 - SSIM of the luminance, after Wang et al. 2004: in windows of 11 pixels with a
    Gaussian of 1.5.
    """
    place = np.arange(11, dtype=np.float32) - 5
    bell = np.exp(-np.square(place) / (2 * 1.5**2))
    window = np.outer(bell, bell)[:, :, None, None] / np.square(bell.sum())
    light = np.asarray([0.299, 0.587, 0.114], np.float32)[:, None]
    a, b = (ops.matmul(picture, light) for picture in (ours, theirs))

    def blurred(x: Any) -> Any:
        return ops.conv(x, ops.convert_to_tensor(window), 1, "valid")

    mean_a, mean_b = blurred(a), blurred(b)
    spread_a = blurred(ops.square(a)) - ops.square(mean_a)
    spread_b = blurred(ops.square(b)) - ops.square(mean_b)
    joint = blurred(a * b) - mean_a * mean_b
    means = (2 * mean_a * mean_b + 1e-4) / (ops.square(mean_a) + ops.square(mean_b) + 1e-4)
    return 1 - ops.mean(means * (2 * joint + 9e-4) / (spread_a + spread_b + 9e-4))


def edge_error(ours: Any, theirs: Any) -> Any:
    """Mean absolute difference of the edges, across and down added."""
    return sum(
        ops.mean(ops.abs(a - b)) for a, b in zip(diff_neighbors(ours), diff_neighbors(theirs))
    )


def palette_error(ours: Any, theirs: Any) -> Any:
    """Mean absolute difference of the pictures at an eighth of their size."""
    small = [ops.average_pool(picture, 8, 8, "valid") for picture in (ours, theirs)]
    return ops.mean(ops.abs(small[0] - small[1]))


def energy_error(ours: Any, theirs: Any) -> Any:
    """Difference of each color channel's edge energy: what a blurring painter loses first."""
    pairs = zip(diff_neighbors(ours), diff_neighbors(theirs))
    return sum(
        ops.mean(ops.abs(ops.mean(ops.square(a), (1, 2)) - ops.mean(ops.square(b), (1, 2))))
        for a, b in pairs
    )


def hint_error(mapped: Any, hint: Any, spread: Any) -> Any:
    """Mean absolute difference from a hint, in units of its standard deviation by channel."""
    return ops.mean(ops.abs(mapped - hint) / spread)


def gather_statistics(features: dict[int, Any]) -> Any:
    """Concatenate the means and standard deviations of the judge's layers: (B,N)."""
    found = []
    for layer in JUDGE_LAYERS:
        mean = ops.mean(features[layer], (1, 2))
        square = ops.mean(ops.square(features[layer]), (1, 2))
        found += [mean, ops.sqrt(ops.maximum(square - ops.square(mean), 0) + 1e-4)]
    return ops.concatenate(found, -1)


def texture_error(ours: Any, theirs: Any, unit: Any) -> Any:
    """Mean absolute difference of `gather_statistics`, each in its ``unit`` (N,): its
    layer's typical spread.
    """
    return ops.mean(ops.sum(ops.abs(ours - theirs) * unit, -1))


def style_distance(numbers: Any, wanted: Any) -> Any:
    """Euclidean distance of embeddings, by picture: (B,)."""
    return ops.sqrt(ops.sum(ops.square(numbers - wanted), -1) + 1e-6)


def phase_means(pictures: Any, block: int = 4, window: int = 32) -> Any:
    """Measure what repeats every ``block`` pixels: for each window the mean at each position in
    the blocks, less the window's mean; (B, H/window, block, W/window, block, 3).
    """
    _, height, width, _ = pictures.shape
    down, across = height // window, width // window
    cut = pictures[:, : down * window, : across * window]
    inner = window // block
    cut = ops.reshape(cut, (-1, down, inner, block, across, inner, block, 3))
    means = ops.mean(cut, (2, 5))
    return means - ops.mean(means, (2, 4), keepdims=True)


def weave_error(ours: Any, theirs: Any) -> Any:
    """Mean absolute difference of `phase_means`: the grid of blocks that a painter at a quarter of
    the resolution leaves on smooth areas.
    """
    return ops.mean(ops.abs(phase_means(ours) - phase_means(theirs)))


def motion_error(now: Any, later: Any, motion: dict[str, Any]) -> Any:
    """Mean square difference of the paintings of two neighboring frames, the later one brought back
    along the content's motion; ``motion``: a sample of `vst.research.training.films`.
    """
    moved = losses.warp(later, motion["flow_next"])
    seen = ops.cast(motion["mask_next"], "float32")[..., None]
    return losses.temporal_loss(now, moved, seen)


def shake_error(now: Any, before: Any, seen: Any = 1.0, border: int = 16) -> Any:
    """Mean square difference of two paintings of the same content, without the border."""
    inner = slice(border, -border)
    difference = ops.square(now - before) * seen
    return ops.mean(difference[:, inner, inner])
