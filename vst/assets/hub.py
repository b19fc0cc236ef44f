"""Handles that only TensorFlow Hub itself can resolve (gs://…); it is imported here alone."""

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
    """Whether our own download can follow a handle: an http(s) address or a short handle."""
    return "://" not in handle or handle.startswith(("http://", "https://"))


def resolve_with_hub(handle: str, patience: float = PATIENCE) -> Path:
    """The folder that TensorFlow Hub resolves a handle to, in at most ``patience`` seconds."""
    os.environ.setdefault(
        "TFHUB_CACHE_DIR", str(get_cache_folder())
    )  # its own default does not last
    try:
        import tensorflow_hub
    except ImportError as error:
        raise DependencyError(
            f"tensorflow-hub cannot be imported ({error}); it needs `pip install tf-keras "
            "'setuptools<82'`; `vst doctor` tells more, a model's folder works without it"
        ) from error
    answers: queue.Queue[Any] = queue.Queue(maxsize=1)

    def work() -> None:
        try:
            answers.put(tensorflow_hub.resolve(handle))
        except Exception as error:  # handed over to the thread that waits
            answers.put(error)

    threading.Thread(target=work, daemon=True, name="vst-hub").start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        answer = TimeoutError(f"no answer within {patience:.0f} s")
    if isinstance(answer, Exception):
        why = (str(answer).strip().splitlines() or [type(answer).__name__])[0][:160]
        raise AssetError(
            f"model {handle!r} cannot be fetched: tried TensorFlow Hub ({why}); `--engine embedded`"
            " works now without it; to bring it, download it elsewhere and give --model FOLDER"
        ) from answer
    return Path(answer)
