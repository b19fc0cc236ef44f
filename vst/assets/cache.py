"""Install models in the cache folder and check that they are complete.

A model fetched by its hub handle is stored where TensorFlow Hub would put it (``<cache>/<sha1 of
the handle>``), so that each finds what the other fetched; but unlike TensorFlow Hub's, the download
resumes, has a time limit, and replaces incomplete folders. Next to each folder, a ``.vst.json``
records the size and hash of every file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vst.assets.catalog import (
    MODELS,
    SAVED_MODEL,
    KnownFile,
    KnownModel,
    expand_handle,
    get_cache_folder,
    get_handle_folder,
    get_known_model,
    list_archive_urls,
    list_painters,
)
from vst.assets.fetch import PATIENCE, fetch
from vst.assets.kaggle import find_kaggle_folder, is_known
from vst.core.files import has_hash, hash_file
from vst.core.types import OnProgress, ignore_progress
from vst.errors import AssetError, MissingFileError, VSTError


@dataclass(frozen=True)
class ModelFolder:
    """A model's folder and what is wrong with it; no problems: the model can be used."""

    folder: Path
    problems: tuple[str, ...] = field(default=())

    @property
    def is_complete(self) -> bool:
        """Whether the model can be used."""
        return not self.problems


def find_model_folder(model: KnownModel, thorough: bool = False) -> ModelFolder:
    """Find a model's folder and its problems; ``thorough`` verifies the hash of every file.

    What kagglehub has fetched is preferred, where it is complete and the known model.
    """
    shared = find_kaggle_folder(model.handle)
    if shared is not None and is_known(model, shared, thorough):
        return ModelFolder(shared)
    folder = _get_own_folder(model)
    if not folder.is_dir():
        return ModelFolder(folder, ("not installed yet",))
    return ModelFolder(folder, tuple(_find_problems(folder, model.kind, thorough)))


def _get_own_folder(model: KnownModel) -> Path:
    return get_handle_folder(model.handle) if model.handle else get_cache_folder() / model.name


def obtain_model(
    model: KnownModel,
    on_progress: OnProgress = ignore_progress,
    patience: float = PATIENCE,
    thorough: bool = False,
) -> Path:
    """Return the folder of a known model; fetch the model unless it is complete. ``patience``:
    seconds without a new byte. Raises `AssetError`.
    """
    place = find_model_folder(model, thorough)
    if place.is_complete:
        return place.folder
    if model.handle:
        urls = model.archives
        return _obtain_archive(model.handle, urls, place, model.name, on_progress, patience)
    fetched = [_obtain_file(model, file, on_progress, patience) for file in model.files]
    with _make_draft_folder(place.folder) as draft:
        for path in fetched:
            shutil.move(path, draft / path.name)
        _install(draft, place.folder, model.name)
    return place.folder


def _obtain_file(model: KnownModel, file: KnownFile, listen: OnProgress, patience: float) -> Path:
    """Fetch one file of a model; keep it until all files are complete."""
    target = _get_download_folder() / file.path
    if target.is_file() and file.digest is not None and has_hash(target, file.digest):
        return target
    try:
        urls, stage = [file.url or ""], f"fetch {file.path}"
        fetch(urls, target, digest=file.digest, patience=patience, on_progress=listen, stage=stage)
    except AssetError as error:
        raise AssetError(_explain_failure(model.name, str(error))) from error
    return target


def obtain_handle(
    handle: str, on_progress: OnProgress = ignore_progress, patience: float = PATIENCE
) -> Path:
    """Return the folder of the SavedModel that a handle names; fetch it unless it is complete."""
    full = expand_handle(handle)
    for name, model in MODELS.items():
        if full == model.handle:
            return obtain_model(MODELS[name], on_progress, patience)
    shared = find_kaggle_folder(full)
    if shared is not None and not find_saved_model_problems(shared):
        return shared
    folder = get_handle_folder(full)
    problems = (
        tuple(_find_problems(folder, SAVED_MODEL, False))
        if folder.is_dir()
        else ("not installed yet",)
    )
    place = ModelFolder(folder, problems)
    return (
        folder
        if place.is_complete
        else _obtain_archive(full, list_archive_urls(full), place, "", on_progress, patience)
    )


def install_from_folder(model: KnownModel, source: Path) -> Path:
    """Install a model's files from a folder or .tar.gz; return the model's folder in the cache."""
    if not source.exists():
        raise MissingFileError(
            f"{source} does not exist. Give the folder with {_list_files(model)}"
        )
    target = _get_own_folder(model)
    with _make_draft_folder(target) as draft:
        _copy_files(model, source, draft)
        for file in model.files:
            _verify(model, file, draft / file.path, source)
        _install(draft, target, str(source.name))
    return target


def discard_model(folder: Path) -> bool:
    """Delete a damaged model, if it is in the cache; return whether it was."""
    if folder.resolve().parent != get_cache_folder().resolve() or not folder.exists():
        return False
    _remove(folder)
    return True


def _obtain_archive(
    handle: str,
    urls: tuple[str, ...],
    place: ModelFolder,
    name: str,
    listen: OnProgress,
    patience: float,
) -> Path:
    archive = _get_download_folder() / f"{place.folder.name}.tar.gz"
    try:
        url = fetch(
            urls, archive, patience=patience, on_progress=listen, stage=f"fetch {name or handle}"
        )
    except AssetError as error:
        raise AssetError(_explain_failure(name or handle, str(error))) from error
    try:
        with _make_draft_folder(place.folder) as draft:
            _unpack(archive, draft, url)
            problems = _find_problems(draft, SAVED_MODEL, False)
            if problems:
                raise AssetError(
                    f"the archive from {url} is not a complete SavedModel: {problems[0]}"
                )
            for file in get_known_model(name).files if name else ():
                _verify(get_known_model(name), file, draft / file.path, Path(url))
            _install(draft, place.folder, handle)
    except AssetError as error:
        raise AssetError(_explain_failure(name or handle, str(error))) from error
    finally:
        archive.unlink(missing_ok=True)
    return place.folder


def _explain_failure(name: str, tried: str) -> str:
    """Explain in one line how to get a model that cannot be fetched."""
    bring = "download it on a machine with network, unpack it, and give its folder as model"
    if name in MODELS:
        model = MODELS[name]
        urls = model.archives[:1] or tuple(file.url or "" for file in model.files)
        bring = (
            f"download {' and '.join(urls)} on a machine with network, copy it here and run "
            f"`vst models pull {name} --from-folder FOLDER`"
        )
    if name in MODELS and MODELS[name].engine != "magenta":
        return f"model {name!r} cannot be fetched: {tried}. To install it: {bring}"
    here = [one for one in list_painters("magenta") if find_model_folder(MODELS[one]).is_complete]
    also = f", and so does `--model {here[0]}`, which is installed" if here else ""
    return (
        f"model {name!r} cannot be fetched: {tried}. `--engine embedded` works without it"
        f"{also}. To install it: {bring}"
    )


def _list_files(model: KnownModel) -> str:
    return ", ".join(file.path for file in model.files)


def _get_download_folder() -> Path:
    return get_cache_folder() / "downloads"


def _get_record_path(folder: Path) -> Path:
    return folder.with_name(folder.name + ".vst.json")


@contextmanager
def _make_draft_folder(target: Path) -> Iterator[Path]:
    """Make an empty folder next to ``target`` to fill; delete it afterward, unless it was moved."""
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        draft.mkdir(parents=True)
        yield draft
    except VSTError:
        raise
    except OSError as error:
        raise AssetError(
            f"the model cache {target.parent} cannot be written: {error.strerror or error}. "
            "Free space there, or set TFHUB_CACHE_DIR to another folder"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _install(draft: Path, target: Path, source: str) -> None:
    """Record every file's size and hash, and rename the folder to ``target``."""
    files = {
        path.relative_to(draft).as_posix(): {"size": path.stat().st_size, "sha256": hash_file(path)}
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    if (
        target.exists()
        and files
        and _read_record(target) == files
        and not _find_problems(target, "", True)
    ):
        return  # another process installed it first and may be reading it
    _remove(target)
    _get_record_path(target).write_text(
        json.dumps({"source": source, "files": files}, indent=1), encoding="utf-8"
    )
    draft.replace(target)


def _remove(folder: Path) -> None:
    _get_record_path(folder).unlink(missing_ok=True)
    if folder.exists():
        aside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
        folder.replace(aside)  # rename first, so that no process reads a half-deleted model
        shutil.rmtree(aside, ignore_errors=True)


def _read_record(folder: Path) -> dict[str, Any]:
    """Read the record of a model's files: path -> size and sha256."""
    try:
        files = json.loads(_get_record_path(folder).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _find_problems(folder: Path, kind: str, thorough: bool) -> list[str]:
    """List what is missing or damaged in a model's folder, in a few words each."""
    found = []
    files = _read_record(folder)
    for name, entry in files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != entry["size"]:
            found.append(f"{name} has {path.stat().st_size:,} bytes of {entry['size']:,}")
        elif thorough and hash_file(path) != entry["sha256"]:
            found.append(f"{name} has changed since it was fetched")
    if kind == SAVED_MODEL:
        found += find_saved_model_problems(folder)
    elif kind and not files:
        found += [f"{kind} was not installed by `vst models pull`"]
    return list(dict.fromkeys(found))


def find_saved_model_problems(folder: Path) -> list[str]:
    """List which of its files a SavedModel folder lacks: graph, index, parts of the variables."""
    graph = folder / "saved_model.pb"
    if not graph.is_file() or graph.stat().st_size == 0:
        return ["saved_model.pb is missing"]
    variables = folder / "variables"
    if not variables.is_dir():
        return []  # a graph with constants only
    if not (variables / "variables.index").is_file():
        return ["variables/variables.index is missing"]
    parts = [re.search(r"data-(\d{5})-of-(\d{5})$", path.name) for path in variables.iterdir()]
    there = {int(part[1]) for part in parts if part}
    count = max((int(part[2]) for part in parts if part), default=1)
    return [
        f"variables/variables.data-{i:05}-of-{count:05} is missing"
        for i in range(count)
        if i not in there
    ]


def _copy_files(model: KnownModel, source: Path, draft: Path) -> None:
    """Copy a model's files into ``draft`` from a folder, a folder inside it, or an archive."""
    if source.is_file():
        _unpack(source, draft, str(source))
        return
    for root in (source, *sorted(path for path in source.iterdir() if path.is_dir())):
        if all(_find_file(root, file) for file in model.files):
            for file in model.files:
                (draft / file.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(_find_file(root, file)), draft / file.path)
            return
    archives = sorted(
        path for end in (".tar.gz", ".tgz", ".tar") for path in source.glob(f"*{end}")
    )
    if archives:
        _unpack(archives[0], draft, str(archives[0]))
        return
    missing = next(file.path for file in model.files if not _find_file(source, file))
    others = [m for m in MODELS.values() if all(_find_file(source, file) for file in m.files)]
    hint = (
        f"; it holds {others[0].name}: `vst models pull {others[0].name} --from-folder {source}`"
        if others
        else ""
    )
    raise MissingFileError(
        f"{source} lacks {missing} of model {model.name!r}. Give a folder with "
        f"{_list_files(model)}, or their .tar.gz{hint}"
    )


def _find_file(folder: Path, file: KnownFile) -> Path | None:
    """Find a model's file in a folder, also directly in it, where browsers save all files."""
    for path in (folder / file.path, folder / Path(file.path).name):
        if path.is_file():
            return path
    return None


def _verify(model: KnownModel, file: KnownFile, path: Path, source: Path) -> None:
    if not path.is_file():
        raise AssetError(f"{source} lacks {file.path} of model {model.name!r}. Fetch it again")
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise AssetError(
            f"{file.path} from {source} has {size:,} bytes, not {file.size:,}. Fetch it again"
        )
    if file.digest and not has_hash(path, file.digest):
        raise AssetError(
            f"{file.path} from {source} is not the known file: its hash differs. Fetch it again, "
            "or, if you trust it, unpack it and give its folder as model"
        )


def _unpack(archive: Path, folder: Path, source: str) -> None:
    """Unpack the regular files of a .tar(.gz). Raises `AssetError` if it is damaged."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                path = folder / os.path.normpath(member.name)
                if (
                    not member.isfile()
                    or ".." in Path(member.name).parts
                    or Path(member.name).is_absolute()
                ):
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                stream = tar.extractfile(member)
                if stream is not None:
                    with stream, path.open("wb") as target:
                        shutil.copyfileobj(stream, target)
            inner = [path.parent for path in folder.glob("*/saved_model.pb")]
            if len(inner) == 1 and not (folder / "saved_model.pb").exists():
                for path in inner[0].iterdir():  # the archive contains the folder itself
                    path.rename(folder / path.name)
            while tar.fileobj is not None and tar.fileobj.read(1 << 20):
                pass  # read to the end, where the checksum is
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        why = (str(error).splitlines() or [""])[0].rstrip(":")
        raise AssetError(f"{source} is not a complete .tar.gz archive: {why}") from error
