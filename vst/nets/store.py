"""Weights on disk: float16 ``.npz`` files beside a ``weights.json`` that names their hash, format
and origin.

No pickle anywhere: an ``.npz`` of plain arrays, each under the path of its variable in the network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vst.errors import AssetError

FORMAT_VERSION = 1
INDEX = "weights.json"

Arrays = dict[str, NDArray[Any]]


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_index(folder: Path) -> dict[str, Any]:
    """``weights.json`` of a folder, its format version checked."""
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssetError(
            f"cannot read {path}: {error}; name a folder written by `vst train embedded`, "
            "or install the package again"
        ) from error
    version = index.get("format") if isinstance(index, dict) else None
    if version != FORMAT_VERSION:
        raise AssetError(
            f"{path} has weights of format {version!r}; this version reads format "
            f"{FORMAT_VERSION}; install the version of vst that wrote them, or train them again"
        )
    return dict(index)


def read_arrays(folder: Path, part: str) -> Arrays:
    """The arrays of one part (``predictor`` or ``painter``) as float32, their hash verified."""
    entry = read_index(folder).get("parts", {}).get(part)
    if not entry:
        raise AssetError(
            f"{folder / INDEX} knows no part {part!r}; train it with `vst train embedded`"
        )
    path = folder / entry["file"]
    if not path.is_file():
        raise AssetError(f"weights file {path} is missing; install the package again")
    found = sha256_of(path)
    if found != entry["sha256"]:
        raise AssetError(
            f"weights file {path} has sha256 {found}, expected {entry['sha256']}: it is damaged "
            "or from elsewhere; install the package again"
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name].astype(np.float32) for name in arrays.files}
    except (OSError, ValueError) as error:
        raise AssetError(f"weights file {path} cannot be read: {error}") from error


def write_part(
    folder: Path, part: str, arrays: Mapping[str, Any], about: Mapping[str, Any]
) -> Path:
    """Writes ``<part>.npz`` as float16 and its entry in the index; each file is replaced at once.

    ``about``: what the index tells of this part besides file, hash and counts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: np.asarray(array, np.float16) for name, array in arrays.items()}
    path = folder / f"{part}.npz"
    draft = folder / f".{part}.npz.part"
    with draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **half)
    index: dict[str, Any] = {"format": FORMAT_VERSION}
    if (folder / INDEX).is_file():
        index = read_index(folder)
    index.setdefault("parts", {})[part] = {
        "file": path.name,
        "sha256": sha256_of(draft),
        "bytes": draft.stat().st_size,
        "parameters": int(sum(array.size for array in half.values())),
        **about,
    }
    draft.replace(path)
    listing = folder / f".{INDEX}.part"
    listing.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    listing.replace(folder / INDEX)
    return path


def arrays_of(network: Any) -> Arrays:
    """The network's variables as plain arrays, under their paths inside the network."""
    from keras import ops

    return {short_path(network, v): ops.convert_to_numpy(v.value) for v in network.weights}


def short_path(network: Any, variable: Any) -> str:
    """A Keras variable's path inside its network: the network's own name, where Keras puts it
    first, is left out.
    """
    return str(variable.path).removeprefix(f"{network.name}/")


def assign(network: Any, arrays: Mapping[str, Any]) -> None:
    """Puts arrays into a built network; names and shapes must fit exactly."""
    wanted: Sequence[Any] = network.weights
    names = {short_path(network, variable) for variable in wanted}
    if names != set(arrays):
        odd = sorted(names.symmetric_difference(arrays))[:4]
        raise AssetError(
            f"the weights do not fit the network {network.name}: {len(arrays)} arrays for "
            f"{len(names)} variables, differing in {', '.join(odd)}; they were made "
            "for another design"
        )
    for variable in wanted:
        array = np.asarray(arrays[short_path(network, variable)], np.float32)
        if tuple(array.shape) != tuple(variable.shape):
            raise AssetError(
                f"the weights do not fit the network {network.name}: "
                f"{short_path(network, variable)} is {tuple(array.shape)}, "
                f"expected {tuple(variable.shape)}"
            )
        variable.assign(array)
