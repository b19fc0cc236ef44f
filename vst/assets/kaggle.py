"""What kagglehub has fetched on this machine, in its folders; the package itself is not needed."""

from __future__ import annotations

import os
from pathlib import Path

from vst.assets.catalog import HUB_HANDLE, KAGGLE_HANDLE, KnownModel
from vst.core.files import has_hash
from vst.core.paths import expand_home


def find_kaggle_folder(handle: str) -> Path | None:
    """Find the folder in which kagglehub keeps the model of a full handle, if it has fetched it."""
    handle = KAGGLE_HANDLE if handle == HUB_HANDLE else handle
    name = handle.removeprefix("https://www.kaggle.com/models/")
    named = os.environ.get("KAGGLEHUB_CACHE")
    base = expand_home(named) if named else Path.home() / ".cache" / "kagglehub"
    folder = base / "models" / name
    return folder if name != handle and folder.is_dir() else None


def is_known(model: KnownModel, folder: Path, thorough: bool) -> bool:
    """Whether a folder has all files of a model, by their sizes or, ``thorough``, their hashes."""
    for file in model.files:
        path = folder / file.path
        if not path.is_file() or (file.size is not None and path.stat().st_size != file.size):
            return False
        if thorough and file.digest is not None and not has_hash(path, file.digest):
            return False
    return True
