"""Resolve handles that only TensorFlow Hub supports (gs://…); only this module imports it."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path
from typing import Any

from vst.assets.catalog import get_cache_folder
from vst.assets.fetch import PATIENCE
from vst.errors import AssetError, DependencyError


def is_web_handle(handle: str) -> bool:
    """Return whether `fetch` supports the handle: an http(s) URL or a short handle."""
    return "://" not in handle or handle.startswith(("http://", "https://"))


def resolve_with_hub(handle: str, patience: float = PATIENCE) -> Path:
    """Resolve a handle with TensorFlow Hub to a folder, in at most ``patience`` seconds. Raises
    `DependencyError` and `AssetError`.
    """
    # TensorFlow Hub's own default is a temporary folder.
    os.environ.setdefault("TFHUB_CACHE_DIR", str(get_cache_folder()))
    try:
        import tensorflow_hub
    except ImportError as error:
        raise DependencyError(
            f"tensorflow-hub cannot be imported: {error}. Run `pip install tensorflow-hub "
            "tf-keras 'setuptools<82'`, or give a model's folder; `vst doctor` reports details"
        ) from error
    answers: queue.Queue[Any] = queue.Queue(maxsize=1)

    def work() -> None:
        try:
            answers.put(tensorflow_hub.resolve(handle))
        except Exception as error:  # passed to the waiting thread
            answers.put(error)

    threading.Thread(target=work, daemon=True, name="vst-hub").start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        answer = TimeoutError(f"no answer within {patience:.0f} s")
    if isinstance(answer, Exception):
        why = (str(answer).strip().splitlines() or [type(answer).__name__])[0][:160]
        raise AssetError(
            f"model {handle!r} cannot be fetched: tried TensorFlow Hub ({why}). `--engine embedded`"
            " works without it. To install it, download it elsewhere and give --model FOLDER"
        ) from answer
    return Path(answer)
