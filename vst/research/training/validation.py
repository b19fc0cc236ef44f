"""The measures of validation: agreement, sharpness and style of pictures; cosine of embeddings."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from keras import ops

from vst.research.training.picture_data import Embeddings, Picture
from vst.research.training.teacher import LiteGraph

Floats = np.ndarray
Measurements = dict[str, float]
STYLE_LIMIT = 1.03
"""Style distance by the teacher's predictor, relative to the teacher's own, above which it counts
against weights that AlexNet prefers.
"""


def measure_cosines(found: Embeddings, wanted: Embeddings) -> Floats:
    """Return the cosine similarity of each row."""
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    return np.asarray((found * wanted).sum(1) / np.maximum(lengths, 1e-12))


def measure_psnr(ours: Floats, theirs: Floats) -> float:
    """Return the mean PSNR, in dB, of pictures in [0,1]."""
    errors = np.square(ours - theirs).mean((1, 2, 3))
    return float(np.mean(-10 * np.log10(np.maximum(errors, 1e-10))))


def measure_ssim(ours: Floats, theirs: Floats) -> float:
    """Return the SSIM of two pictures in [0,1], of their luma, with a Gaussian of 1.5 pixels."""
    one, two = (cv2.cvtColor(np.float32(p), cv2.COLOR_RGB2GRAY) for p in (ours, theirs))

    def blurred(value: Floats) -> Floats:
        return cv2.GaussianBlur(value, (11, 11), 1.5)

    mean_one, mean_two = blurred(one), blurred(two)
    spread_one = blurred(one * one) - mean_one**2
    spread_two = blurred(two * two) - mean_two**2
    together = blurred(one * two) - mean_one * mean_two
    top = (2 * mean_one * mean_two + 1e-4) * (2 * together + 9e-4)
    bottom = (mean_one**2 + mean_two**2 + 1e-4) * (spread_one + spread_two + 9e-4)
    return float((top / bottom).mean())


def measure_gradient_energy(picture: Floats) -> float:
    """Return the mean square difference of neighbors, the sum of both directions."""
    across, down = np.diff(picture, axis=1), np.diff(picture, axis=0)
    return float(np.square(across).mean() + np.square(down).mean())


def measure_predictor(network: Any, pictures: np.ndarray, numbers: Embeddings) -> Measurements:
    """Measure the cosine of the network's embeddings with the teacher's."""
    found = [
        ops.convert_to_numpy(network(pictures[i : i + 16].astype(np.float32), training=False))
        for i in range(0, len(pictures), 16)
    ]
    return {"cosine": float(measure_cosines(np.concatenate(found), numbers).mean())}


def measure_painter(painter: Any, judge: LiteGraph, kept: dict[str, Any]) -> Measurements:
    """Measure agreement with the teacher's pictures, and style distance and energy over theirs."""
    mine, theirs, agreement, energy, likeness = [], [], [], [], []
    for start in range(0, len(kept["content"]), 8):
        rows = {name: array[start : start + 8] for name, array in kept.items()}
        content = rows["content"].astype(np.float32) / 255
        painted = painter(ops.convert_to_tensor(content), rows["numbers"])
        ours, wanted = ops.convert_to_numpy(painted), rows["painted"].astype(np.float32) / 255
        numbers = ops.convert_to_numpy(judge(painted)[0]).reshape(len(ours), -1)
        mine += list(np.linalg.norm(numbers - rows["numbers"], axis=1))
        theirs += list(np.linalg.norm(rows["painted_numbers"] - rows["numbers"], axis=1))
        agreement.append(measure_psnr(ours, wanted) * len(ours))
        likeness += [measure_ssim(a, b) for a, b in zip(ours, wanted)]
        energy += [
            measure_gradient_energy(a) / max(measure_gradient_energy(b), 1e-6)
            for a, b in zip(ours, wanted)
        ]
    return {
        "style": float(np.sum(mine) / max(np.sum(theirs), 1e-6)),
        "psnr": float(np.sum(agreement) / len(mine)),
        "ssim": float(np.mean(likeness)),
        "energy": float(np.mean(energy)),
    }


def score_weights(measures: Measurements) -> float:
    """Return the score of weights, less is better: style distance, then sharpness and agreement;
    where AlexNet judged, its style distance first, if the teacher's predictor agrees.
    """
    if "cosine" in measures:
        return 1 - measures["cosine"]
    sharpness = abs(np.log(max(measures["energy"], 1e-3)))
    if "alexnet" in measures:
        too_far = max(0.0, measures["style"] - STYLE_LIMIT)
        return measures["alexnet"] + 0.2 * float(sharpness) + 2 * too_far
    return measures["style"] + 0.2 * float(sharpness) - 0.02 * measures["psnr"]


def to_bytes(picture: Floats) -> Picture:
    """Convert [0,1] to uint8."""
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
