"""The files of a training: JSON, and the variables of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vst.core.files import atomic_write
from vst.errors import AssetError


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def save_variables(path: Path, variables: Sequence[Any], more: Mapping[str, Any]) -> None:
    """Write all variables, and further arrays or numbers by name, to one ``.npz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"v{i}": keras.ops.convert_to_numpy(value) for i, value in enumerate(variables)}
    with atomic_write(path) as draft:
        np.savez(draft, allow_pickle=False, **arrays, **more)


def restore_variables(path: Path, variables: Sequence[Any]) -> dict[str, Any]:
    """Assign what `save_variables` wrote; returns the further arrays of the file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        for index, variable in enumerate(variables):
            variable.assign(arrays.pop(f"v{index}"))
    except (OSError, ValueError, KeyError) as error:
        raise AssetError(
            f"checkpoint {path} cannot be read ({error}). Start again in another folder."
        ) from error
    return arrays
