"""Counts how often a mix of two built-in styles is the barycenter of the painter's layers: the
share of channels whose scale has the same sign in both (docs/scores.md).

    python bench/barycenter.py
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

import vst
from vst.nets import weight_files
from vst.nets.embedded import Painter
from vst.styles.library import load_builtin_styles


def main() -> None:
    painter = Painter()
    weights = Path(vst.__file__).parent / "weights"
    weight_files.assign_arrays(painter, weight_files.read_weights(weights, "painter"))
    styles = [np.asarray(style.embedding) for style in load_builtin_styles().values()]
    own = np.asarray(painter.styles(np.stack(styles)))
    layers = [name.removesuffix("_scale") for name in painter.table if name.endswith("_scale")]
    alike: dict[str, list[float]] = {}
    for layer in layers:
        kernel, bias = (np.asarray(painter.table[f"{layer}_scale{end}"]) for end in ("", "_bias"))
        signs = np.sign(own @ kernel + bias)
        alike[layer] = [float((a == b).mean()) for a, b in itertools.combinations(signs, 2)]
    channels = [painter.table[f"{layer}_scale"].shape[1] for layer in layers]
    mean = np.average([np.mean(alike[layer]) for layer in layers], weights=channels)
    print(f"{len(styles)} styles: {mean:.0%} of the channels of all pairs have one sign,")
    print(f"{min(min(part) for part in alike.values()):.0%} in the worst layer and pair")


if __name__ == "__main__":
    main()
