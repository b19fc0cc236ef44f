"""Opens TFLite files in LiteRT."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vst.errors import AssetError, DependencyError, EngineError


def open_interpreter(path: Path, threads: int, remedy: str) -> Any:
    """Open a file in the interpreter of ai-edge-litert if it is installed, else of TensorFlow.

    Raises `DependencyError` where neither is, and `AssetError` with ``remedy`` for a damaged file.
    """
    try:
        make = _import_interpreter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorFlow's own interpreter is deprecated
            return make(model_path=str(path), num_threads=threads)
    except (ValueError, RuntimeError, OSError) as error:
        raise AssetError(
            f"{path} is not a readable TFLite model ({str(error).splitlines()[0][:120]}). {remedy}"
        ) from error


def is_litert_installed() -> bool:
    """Whether the package ai-edge-litert is installed; it is not imported."""
    return find_spec("ai_edge_litert") is not None


def _import_interpreter() -> Any:
    if is_litert_installed():
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    try:
        import tensorflow as tf

        return tf.lite.Interpreter
    except (ImportError, AttributeError) as error:
        raise DependencyError(
            "no TFLite interpreter is installed. Run `pip install ai-edge-litert`."
        ) from error


@contextmanager
def translate_lite_errors(path: Path) -> Iterator[None]:
    """Turn the interpreter's errors into `EngineError` with one line."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise EngineError(f"the TFLite model {path.name} failed: {first}") from error
