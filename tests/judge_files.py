"""Small judges with random weights, in the layout of the real files, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vst.nets.array_networks import VGG16_BLOCKS

VGG_WIDTHS = (4, 6, 8, 8, 8)
ALEX_SIDES, ALEX_WIDTHS = (11, 5, 3, 3, 3), (4, 6, 8, 8, 8)


def write_judge(folder: Path) -> Path:
    """Write vgg16.npz and alexnet.npz; return the folder."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(4)
    vgg = [width for width, count in zip(VGG_WIDTHS, VGG16_BLOCKS) for _ in range(count)]
    networks = {
        "VGG16": (vgg, (3,) * len(vgg), VGG_WIDTHS),
        "AlexNet": (ALEX_WIDTHS, ALEX_SIDES, ALEX_WIDTHS),
    }
    for name, (widths, sides, measured) in networks.items():
        arrays = {}
        for index, (before, width, side) in enumerate(zip((3, *widths), widths, sides)):
            spread = (2 / (side * side * before)) ** 0.5
            kernel = rng.normal(0, spread, (side, side, before, width))
            arrays[f"{name}_0/Conv_{index}/kernel"] = kernel.astype(np.float16)
            arrays[f"{name}_0/Conv_{index}/bias"] = rng.normal(0, 0.1, width).astype(np.float16)
        for index, width in enumerate(measured):
            head = rng.random((1, 1, width, 1)).astype(np.float16)
            arrays[f"NetLinLayer_{index}/Conv_0/kernel"] = head
        np.savez(folder / f"{name.lower()}.npz", **arrays)
    return folder
