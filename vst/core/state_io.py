"""What is remembered over the end of a chunk, in a file: plain arrays in an ``.npz``, no pickle."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from vst.errors import OutputError

State = dict[str, Any]
"""Numbers, text, None and arrays, in dicts and lists."""

_ARRAY = "\0array"
"""Marks, in the text part, the place of an array."""
_TEXT = "text"


def save_state(path: Path, state: State) -> None:
    """Write ``state`` to ``path`` and wait until it is on the disk."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_packed(state, arrays)).encode()
    with path.open("wb") as file:
        np.savez(file, **{_TEXT: np.frombuffer(text, np.uint8)}, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())


def load_state(path: Path) -> State:
    """Read what `save_state` wrote; executes nothing that the file says."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        state: State = _unpacked(json.loads(arrays.pop(_TEXT).tobytes()), arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise OutputError(f"{str(path)!r} cannot be read ({error}); remove its folder") from error
    return state


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        return {str(key): _packed(one, arrays) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_packed(one, arrays) for one in value]
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    return value.item() if isinstance(value, np.generic) else value


def _unpacked(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        return {key: _unpacked(one, arrays) for key, one in value.items()}
    return [_unpacked(one, arrays) for one in value] if isinstance(value, list) else value
