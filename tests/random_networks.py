"""Thin feed-forward networks with values of chance: quick to make, and no two paint alike."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np


def write_network(path: Path, seed: int, *, upsampling: str = "resize") -> Path:
    """A network of 700 numbers, as ``vst train fast`` would leave it."""
    import keras

    from vst.nets.feedforward import FeedForward, save_network
    from vst.nets.feedforward_plan import FeedForwardPlan

    keras.utils.set_random_seed(seed)
    network = FeedForward(FeedForwardPlan(width=2, blocks=1, reach=3, upsampling=upsampling))
    save_network(path, network, {"style": f"chance {seed}"})
    return path


def network_bytes(seed: int) -> np.ndarray:
    """Such a network as engine ``fast`` takes it for a style."""
    with tempfile.TemporaryDirectory() as folder:
        return np.fromfile(write_network(Path(folder) / "style.keras", seed), np.uint8)
