"""The file with the state at the end of a chunk: plain arrays in an ``.npz``, without pickle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.files import sync_to_disk
from vst.errors import OutputError

State = dict[str, Any]
"""Numbers, text, None and arrays, in dicts and lists."""

_ARRAY = "\0array"
"""The key, in the JSON part, of a reference to an array."""
_TEXT = "text"


def save_state(path: Path, state: State) -> None:
    """Write ``state`` to ``path`` and wait until it is on the disk."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_pack(state, arrays)).encode()
    with path.open("wb") as file:
        np.savez(file, **{_TEXT: np.frombuffer(text, np.uint8)}, **arrays)  # type: ignore[arg-type]
    sync_to_disk(path)


def load_state(path: Path) -> State:
    """Read what `save_state` wrote; nothing in the file can run code."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        state: State = _unpack(json.loads(arrays.pop(_TEXT).tobytes()), arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise OutputError(f"{str(path)!r} cannot be read ({error}). Remove its folder") from error
    return state


def _pack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Convert to JSON's types; arrays go to ``arrays`` and leave a reference."""
    if isinstance(value, dict):
        return {str(key): _pack(one, arrays) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack(one, arrays) for one in value]
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    return value.item() if isinstance(value, np.generic) else value


def _unpack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        return {key: _unpack(one, arrays) for key, one in value.items()}
    return [_unpack(one, arrays) for one in value] if isinstance(value, list) else value
