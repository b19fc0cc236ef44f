"""Packages that an installation may lack, found without importing them."""

from __future__ import annotations

import os
from importlib.util import find_spec

from vst.errors import DependencyError

TENSORFLOW = "tensorflow"
"""The module, Keras's backend, and the extra that installs both."""


def is_installed(module: str) -> bool:
    """Whether a top-level module can be found; it is not imported."""
    return find_spec(module) is not None


def require_package(module: str, needs: str, extra: str) -> None:
    """Raise `DependencyError` where ``module`` is not installed: what ``needs`` it, and the extra
    that installs it.
    """
    if not is_installed(module):
        raise DependencyError.of_extra(needs, extra)


def has_tensorflow() -> bool:
    """Whether TensorFlow and Keras are installed."""
    return is_installed(TENSORFLOW) and is_installed("keras")


def require_tensorflow(purpose: str) -> None:
    """Raise `DependencyError`, naming ``purpose``, where TensorFlow or Keras is not installed."""
    for module in (TENSORFLOW, "keras"):
        require_package(module, f"{purpose} needs TensorFlow", TENSORFLOW)


def require_keras(purpose: str) -> None:
    """Raise `DependencyError` where Keras or its backend, KERAS_BACKEND, is not installed."""
    backend = os.environ.get("KERAS_BACKEND") or TENSORFLOW
    if backend == TENSORFLOW:
        require_tensorflow(purpose)
    for module in ("keras", backend):
        if not is_installed(module):
            raise DependencyError(
                f"{purpose} needs the package {module}, which is not installed: KERAS_BACKEND is "
                f"{backend!r}. Run `pip install {module}`, or unset KERAS_BACKEND."
            )
