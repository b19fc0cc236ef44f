"""Distances of a painting to its style and content by the networks of `--judge`, for benches that
paint single pictures.
"""

from __future__ import annotations

import numpy as np

from vst.nets import judges

STYLE_LAYERS, CONTENT = 4, 2
"""VGG16's layers for the style, and the index of the one for the content, as in the protocol."""


def judge_painting(
    judge: judges.Judge, painted: np.ndarray, content: np.ndarray, style: np.ndarray
) -> dict[str, float]:
    """Measure the distances of a painting to its style and to its content."""
    features = judge.vgg(judges.to_batch(painted))
    grams = [judges.compute_gram(layer) for layer in features[:STYLE_LAYERS]]
    wanted = judges.measure_style(judge.vgg, style, STYLE_LAYERS)
    other = (judges.measure_style(judge.alexnet, one) for one in (painted, style))
    seen = judge.vgg(judges.to_batch(content))[CONTENT]
    return {
        "VGG16 style": judges.compare_styles(grams, wanted),
        "VGG16 content": judges.compare(features[CONTENT], seen),
        "AlexNet style": judges.compare_styles(*other),
    }
