"""The engine for feed-forward networks, each trained for one style."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.style_spaces import NETWORK_SPACE
from vst.core.types import Embedding, Picture, Pictures
from vst.engines.base import PictureEngine, check_prepared
from vst.engines.embedded_runtime import reflect_indices
from vst.engines.tensorflow_runtime import (
    build_fused_normalize,
    has_fast_bfloat16,
    start_tensorflow,
)
from vst.errors import MissingFileError, UsageError

Paint = Callable[[Any], Any]


class FastEngine(PictureEngine):
    """Paints with networks that `vst train fast` or `vst train temporal` wrote; a mix of two
    styles is a cross-fade of their paintings.

    A style of this engine is such a ``.keras`` file; `prepare` takes its bytes. ``model``: a
    network that is used where no style is given. ``threads``: as for engine ``embedded``.
    """

    name = "fast"
    space = NETWORK_SPACE
    model_is_style = True

    @classmethod
    def find_tensorflow_use(cls, model: str | None, options: Any) -> str:
        return "engine 'fast'"

    def __init__(self, *, model: str | None = None, threads: int | None = None) -> None:
        if model is not None and not Path(model).is_file():
            raise MissingFileError(
                f"network {model!r} does not exist. `vst train fast` writes one as style.keras."
            )
        self.tensorflow = start_tensorflow(threads)
        self._networks: dict[str, Any] = {}
        self._paint: dict[str, tuple[tuple[int, int], Paint]] = {}

    def prepare(
        self, styles: Mapping[str, Picture | Embedding]
    ) -> Mapping[str, Picture | Embedding]:
        self._paint = {}
        self._networks = {name: self._load(name, style) for name, style in styles.items()}
        return styles

    def paint_style(self, frames: Pictures, style: str) -> Pictures:
        check_prepared({style: 1.0}, self._networks)
        size = (frames.shape[1], frames.shape[2])
        if self._paint.get(style, ((0, 0), None))[0] != size:
            # One function per network, for the last size only: a job has one size.
            self._paint[style] = size, self._build(self._networks[style], *size)
        paint = self._paint[style][1]
        return np.stack([np.asarray(paint(frame[None]))[0] for frame in frames])

    def close(self) -> None:
        self._networks, self._paint = {}, {}

    def _load(self, name: str, style: Picture | Embedding) -> Any:
        """Load the network whose file has these bytes."""
        from vst.nets.feedforward import load_network

        if style.ndim != 1 or style.dtype != np.uint8:
            raise UsageError(
                f"style {name!r} is not a trained network: engine 'fast' paints only with those. "
                "Give a .keras file, or train one with `vst train fast --style …`."
            )
        with tempfile.TemporaryDirectory(prefix="vst-") as folder:
            path = Path(folder) / f"{Path(name).name}.keras"
            path.write_bytes(style.tobytes())
            return load_network(path)

    def _build(self, network: Any, height: int, width: int) -> Paint:
        from vst.nets.feedforward import SMALLEST
        from vst.nets.feedforward_plan import STRIDE

        tf = self.tensorflow
        kind = tf.bfloat16 if has_fast_bfloat16() else tf.float32
        after = [max(-side % STRIDE, SMALLEST - side) for side in (height, width)]
        rows, columns = reflect_indices(height, 0, after[0]), reflect_indices(width, 0, after[1])

        @tf.function(input_signature=[tf.TensorSpec([1, height, width, 3], tf.uint8)])
        def paint(frame: Any) -> Any:
            if any(after):
                frame = tf.gather(tf.gather(frame, rows, axis=1), columns, axis=2)
            painted = network.call(tf.cast(frame, kind) / 255, build_fused_normalize(tf))
            return tf.cast(painted[:, :height, :width] * 255 + 0.5, tf.uint8)

        return paint
