"""Compare a written file, run by its runtime, with what TensorFlow computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

from vst.errors import EngineError
from vst.export.networks import LoadedNetwork
from vst.export.plan import NETWORK, PAINTER, PREDICTOR, ExportPlan, list_tensors
from vst.nets.embedded_plan import PREDICTOR_SIDE
from vst.samples import draw_photo
from vst.styles.library import load_builtin_styles

Inputs = Mapping[str, np.ndarray]
RunFile = Callable[[Inputs], np.ndarray]
"""Computes a file's output from its inputs, by name."""
LOWEST = {"float32": 45.0, "float16": 45.0, "int8": 36.0}
"""Precision -> the lowest PSNR, in dB, to TensorFlow in float32."""
ANY_SIZES = ((192, 128), (128, 160))
"""Width and height of two frames for a file of any size: the second changes the size."""


def draw_inputs(kind: str, plan: ExportPlan) -> Iterator[Inputs]:
    """Draw the inputs of the check: a drawn photograph, in a built-in style and in a mix of two."""
    styles = [style.embedding for style in load_builtin_styles().values()]
    chosen = [styles[0], 0.3 * styles[1] + 0.7 * styles[-1]]
    sizes = [plan.size] * 2 if plan.size else ANY_SIZES
    for size, embedding in zip([(PREDICTOR_SIDE,) * 2] if kind == PREDICTOR else sizes, chosen):
        picture = cv2.resize(draw_photo(), size, interpolation=cv2.INTER_AREA)
        values = [picture[None].astype(np.float32) / np.float32(255)]
        if kind == PAINTER:
            values.append(embedding[None].astype(np.float32))
        yield dict(zip((tensor.name for tensor in list_tensors(kind, None)[0]), values))


def measure_likeness(network: LoadedNetwork, plan: ExportPlan, run_file: RunFile) -> float:
    """Return the lowest PSNR, in dB, of the file's output to TensorFlow's.

    The peak of a picture is 1, that of an embedding the range of its numbers.
    """
    found = []
    for inputs in draw_inputs(network.kind, plan):
        wanted, given = network.compute(inputs), run_file(inputs)
        peak = 1.0 if network.kind in (PAINTER, NETWORK) else float(np.ptp(wanted))
        error = float(np.mean(np.square(wanted.astype(np.float64) - given)))
        # A value that is not finite must fail; Python's max would drop it.
        found.append(10 * np.log10(peak**2 / np.maximum(error, 1e-20)))
    return float(np.min(np.nan_to_num(found, nan=-np.inf)))


def check_likeness(name: str, precision: str, likeness: float) -> None:
    """Raise `EngineError` if a file's output is too unlike TensorFlow's."""
    if likeness < LOWEST[precision]:
        raise EngineError(
            f"{name}: its output has {likeness:.1f} dB to TensorFlow's, expected at least "
            f"{LOWEST[precision]:g}; nothing was written. Update the runtime that checks it "
            "(pip install -U onnxruntime ai-edge-litert), or export another precision."
        )
