"""Weights on disk: float16 ``.npz`` files beside a ``weights.json`` with their hash, format and
origin.

An ``.npz`` holds plain arrays, each under the path of its variable in the network; no pickles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vst.core.data_folder import FINE, WEIGHTS
from vst.core.files import atomic_write, hash_file
from vst.errors import AssetError

FORMAT_VERSION = 1
INDEX_FILE = "weights.json"
INT8_PARTS = {"painter": "painter in int8", "predictor": "predictor in int8"}
"""Part -> its part for LiteRT, a TFLite file that `tools/write_lite_files.py` writes."""
TRAIN = "Train it with `vst train embedded`."
REMEDIES = dict.fromkeys(INT8_PARTS.values(), "Give another precision than int8.")
"""Part -> what to do where a folder lacks it; any other part: `TRAIN`."""

Arrays = dict[str, NDArray[Any]]


def read_index(folder: Path) -> dict[str, Any]:
    """Read ``weights.json`` of a folder and check its format version."""
    path = folder / INDEX_FILE
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssetError(
            f"{path} cannot be read: {error}. Name a folder that `vst train embedded` wrote, or "
            "install the package again."
        ) from error
    version = index.get("format") if isinstance(index, dict) else None
    if version != FORMAT_VERSION:
        raise AssetError(
            f"{path} has weights of format {version!r}: this version reads format "
            f"{FORMAT_VERSION}. Install the version of vst that wrote them, or train them again."
        )
    return dict(index)


def has_part(folder: Path, part: str) -> bool:
    """Whether the index of a folder lists a part. Raises `AssetError` where there is no index."""
    return part in read_index(folder).get("parts", {})


def list_packaged_files(folder: Path = WEIGHTS) -> dict[Path, dict[str, Any]]:
    """List the files of the package's painters and predictor: path -> its entry in an index."""
    found = {}
    for place in (folder, folder / FINE):
        for part, entry in read_index(place)["parts"].items():
            found[(place / entry["file"]).resolve()] = {"part": part, **entry}
    return found


def find_weights_file(folder: Path, part: str) -> Path:
    """Return the path of a part's file, its hash verified."""
    entry = read_index(folder).get("parts", {}).get(part)
    if not entry:
        raise AssetError(f"{folder / INDEX_FILE} has no part {part!r}. {REMEDIES.get(part, TRAIN)}")
    path = folder / entry["file"]
    if not path.is_file():
        raise AssetError(f"weights file {path} is missing. Install the package again.")
    found = hash_file(path)
    if found != entry["sha256"]:
        raise AssetError(
            f"weights file {path} has sha256 {found}, expected {entry['sha256']}: it is damaged or "
            "was replaced. Install the package again."
        )
    return path


def read_weights(folder: Path, part: str) -> Arrays:
    """Read one part (``predictor`` or ``painter``) as float32 arrays."""
    path = find_weights_file(folder, part)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name].astype(np.float32) for name in arrays.files}
    except (OSError, ValueError) as error:
        raise AssetError(
            f"weights file {path} cannot be read: {error}. Install the package again."
        ) from error


def write_weights(
    folder: Path, part: str, arrays: Mapping[str, Any], about: Mapping[str, Any]
) -> Path:
    """Write ``<part>.npz`` as float16 and its entry in the index; each file is replaced atomically.

    ``about``: values for the part's entry besides file, hash and counts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: np.asarray(array, np.float16) for name, array in arrays.items()}
    path = folder / f"{part}.npz"
    with atomic_write(path) as draft:
        np.savez(draft, allow_pickle=False, **half)
    parameters = int(sum(array.size for array in half.values()))
    add_to_index(folder, part, path, {"parameters": parameters, **about})
    return path


def add_to_index(folder: Path, part: str, path: Path, about: Mapping[str, Any]) -> None:
    """Enter a part's file into the index of its folder, with its hash."""
    index: dict[str, Any] = {"format": FORMAT_VERSION}
    if (folder / INDEX_FILE).is_file():
        index = read_index(folder)
    index.setdefault("parts", {})[part] = {
        "file": path.name,
        "sha256": hash_file(path),
        "bytes": path.stat().st_size,
        **about,
    }
    with atomic_write(folder / INDEX_FILE) as draft:
        draft.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def export_arrays(network: Any) -> Arrays:
    """Return a network's variables as plain arrays, by their paths inside the network."""
    from keras import ops

    return {get_variable_path(network, v): ops.convert_to_numpy(v.value) for v in network.weights}


def get_variable_path(network: Any, variable: Any) -> str:
    """Return a variable's path inside its network, without the network's own name, which Keras puts
    first in some cases.
    """
    return str(variable.path).removeprefix(f"{network.name}/")


def assign_arrays(network: Any, arrays: Mapping[str, Any]) -> None:
    """Assign arrays to a built network; names and shapes must fit exactly."""
    wanted: Sequence[Any] = network.weights
    names = {get_variable_path(network, variable) for variable in wanted}
    if names != set(arrays):
        odd = sorted(names.symmetric_difference(arrays))[:4]
        raise AssetError(
            f"the weights do not fit the network {network.name}: {len(arrays)} arrays for "
            f"{len(names)} variables, differing in {', '.join(odd)}. They belong to a network of "
            "another design."
        )
    for variable in wanted:
        array = np.asarray(arrays[get_variable_path(network, variable)], np.float32)
        if tuple(array.shape) != tuple(variable.shape):
            raise AssetError(
                f"the weights do not fit the network {network.name}: "
                f"{get_variable_path(network, variable)} is {tuple(array.shape)}, "
                f"expected {tuple(variable.shape)}"
            )
        variable.assign(array)
