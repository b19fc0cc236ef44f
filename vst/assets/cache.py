"""Where models lie, how they get there, and whether they are whole.

A model fetched by its hub handle lies where TensorFlow Hub itself would put it (``<cache>/<sha1 of
the handle>``), so that each finds what the other fetched; unlike TensorFlow Hub's own, the download
here resumes, never waits long, and a half-filled folder is replaced. Beside each folder a small
``.vst.json`` keeps the size and hash of every file.
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
    KnownFile,
    KnownModel,
    expand_handle,
    get_cache_folder,
    get_handle_folder,
    get_known_model,
    list_archive_urls,
)
from vst.assets.fetch import PATIENCE, fetch, sha256_of
from vst.core.types import OnProgress, silent
from vst.errors import AssetError, MissingFileError, VSTError


@dataclass(frozen=True)
class ModelFolder:
    """Where a model lies and what is wrong there (nothing: it can be used)."""

    folder: Path
    problems: tuple[str, ...] = field(default=())

    @property
    def whole(self) -> bool:
        return not self.problems


def find_model_folder(model: KnownModel, thorough: bool = False) -> ModelFolder:
    """Where a known model lies, and its problems; ``thorough`` compares the hash of every file."""
    folder = get_handle_folder(model.handle) if model.handle else get_cache_folder() / model.name
    if not folder.is_dir():
        return ModelFolder(folder, ("not here yet",))
    return ModelFolder(folder, tuple(_find_problems(folder, model.kind, thorough)))


def obtain_model(
    model: KnownModel,
    on_progress: OnProgress = silent,
    patience: float = PATIENCE,
    thorough: bool = False,
) -> Path:
    """The folder of a known model, fetched if it is not there whole, or `AssetError`."""
    place = find_model_folder(model, thorough)
    if place.whole:
        return place.folder
    if model.handle:
        urls = model.archives
        return _obtain_archive(model.handle, urls, place, model.name, on_progress, patience)
    came = [_obtain_file(model, file, on_progress, patience) for file in model.files]
    with _make_draft_folder(place.folder) as draft:
        for path in came:
            shutil.move(path, draft / path.name)
        _install(draft, place.folder, model.name)
    return place.folder


def _obtain_file(model: KnownModel, file: KnownFile, listen: OnProgress, patience: float) -> Path:
    """One file of a model that has an address for each, kept until all of them are there."""
    target = _get_download_folder() / file.path
    if target.is_file() and sha256_of(target) == file.sha256:
        return target
    try:
        urls, stage = [file.url or ""], f"fetch {file.path}"
        fetch(urls, target, sha256=file.sha256, patience=patience, on_progress=listen, stage=stage)
    except AssetError as error:
        raise AssetError(_explain_failure(model.name, str(error))) from error
    return target


def obtain_handle(
    handle: str, on_progress: OnProgress = silent, patience: float = PATIENCE
) -> Path:
    """The folder of the SavedModel that a handle names, fetched if it is not there whole."""
    full = expand_handle(handle)
    for name, model in MODELS.items():
        if full == model.handle:
            return obtain_model(MODELS[name], on_progress, patience)
    folder = get_handle_folder(full)
    problems = (
        tuple(_find_problems(folder, "SavedModel", False)) if folder.is_dir() else ("not here yet",)
    )
    place = ModelFolder(folder, problems)
    return (
        folder
        if place.whole
        else _obtain_archive(full, list_archive_urls(full), place, "", on_progress, patience)
    )


def install_from_folder(model: KnownModel, source: Path) -> Path:
    """Take a model's files carried by hand, from a folder or .tar.gz; return where they lie."""
    if not source.exists():
        raise MissingFileError(f"{source} is not there; name the folder with {_list_files(model)}")
    target = find_model_folder(model).folder
    with _make_draft_folder(target) as draft:
        _copy_files(model, source, draft)
        for file in model.files:
            _verify(model, file, draft / file.path, source)
        _install(draft, target, str(source.name))
    return target


def discard_model(folder: Path) -> bool:
    """Remove a broken model if it lies in the cache, to be fetched again; return whether it did."""
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
            problems = _find_problems(draft, "SavedModel", False)
            if problems:
                raise AssetError(f"the archive from {url} is not a whole SavedModel: {problems[0]}")
            for file in get_known_model(name).files if name else ():
                _verify(get_known_model(name), file, draft / file.path, Path(url))
            _install(draft, place.folder, handle)
    except AssetError as error:
        raise AssetError(_explain_failure(name or handle, str(error))) from error
    finally:
        archive.unlink(missing_ok=True)
    return place.folder


def _explain_failure(name: str, tried: str) -> str:
    """The one line for a model that cannot be had."""
    bring = "download it on a machine with network, unpack it, and name its folder with --model"
    if name in MODELS:
        model = MODELS[name]
        urls = model.archives[:1] or tuple(file.url or "" for file in model.files)
        bring = (
            f"fetch {' and '.join(urls)} on a machine with network, carry it here and run "
            f"`vst models pull {name} --from-folder FOLDER`"
        )
    here = [model.name for model in MODELS.values() if find_model_folder(model).whole]
    also = f", and so does `--model {here[0]}`, which is here" if here else ""
    return (
        f"model {name!r} cannot be fetched: {tried}; `--engine embedded` works now without it"
        f"{also}; to bring it: {bring}"
    )


def _list_files(model: KnownModel) -> str:
    return ", ".join(file.path for file in model.files)


def _get_download_folder() -> Path:
    return get_cache_folder() / "downloads"


def _get_record_path(folder: Path) -> Path:
    return folder.with_name(folder.name + ".vst.json")


@contextmanager
def _make_draft_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside ``target`` to fill; what is left of it afterwards goes."""
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        draft.mkdir(parents=True)
        yield draft
    except VSTError:
        raise
    except OSError as error:
        raise AssetError(
            f"cannot write the model cache {target.parent}: {error.strerror or error}; "
            "free space there, or name another folder in TFHUB_CACHE_DIR"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _install(draft: Path, target: Path, source: str) -> None:
    """Note every file's size and hash, and move the folder into place at once."""
    files = {
        path.relative_to(draft).as_posix(): {"size": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    if (
        target.exists()
        and files
        and _read_record(target) == files
        and not _find_problems(target, "", True)
    ):
        return  # another process was faster; it may be reading already
    _remove(target)
    _get_record_path(target).write_text(
        json.dumps({"source": source, "files": files}, indent=1), encoding="utf-8"
    )
    draft.replace(target)


def _remove(folder: Path) -> None:
    _get_record_path(folder).unlink(missing_ok=True)
    if folder.exists():
        aside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
        folder.replace(aside)  # at once, so that nobody reads half of it
        shutil.rmtree(aside, ignore_errors=True)


def _read_record(folder: Path) -> dict[str, Any]:
    """What was noted of a model's files when it was put there: path -> size and sha256."""
    try:
        files = json.loads(_get_record_path(folder).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _find_problems(folder: Path, kind: str, thorough: bool) -> list[str]:
    """What is missing or damaged in a model's folder, each in a few words."""
    found = []
    files = _read_record(folder)
    for name, entry in files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != entry["size"]:
            found.append(f"{name} has {path.stat().st_size:,} bytes of {entry['size']:,}")
        elif thorough and sha256_of(path) != entry["sha256"]:
            found.append(f"{name} has changed since it was fetched")
    if kind == "SavedModel":
        found += find_saved_model_problems(folder)
    elif kind and not files:
        found += [f"{kind} was not put here by `vst models pull`"]
    return list(dict.fromkeys(found))


def find_saved_model_problems(folder: Path) -> list[str]:
    """What a SavedModel folder lacks at a glance: graph, index, or a part of its variables."""
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
        f"{source} lacks {missing} of model {model.name!r} (needed: {_list_files(model)}, "
        f"or their .tar.gz){hint}"
    )


def _find_file(folder: Path, file: KnownFile) -> Path | None:
    """A file of a model in a hand-filled folder, where browsers put all files flat as well."""
    for path in (folder / file.path, folder / Path(file.path).name):
        if path.is_file():
            return path
    return None


def _verify(model: KnownModel, file: KnownFile, path: Path, source: Path) -> None:
    if not path.is_file():
        raise AssetError(f"{source} lacks {file.path} of model {model.name!r}; fetch it again")
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise AssetError(
            f"{file.path} from {source} has {size:,} bytes, not {file.size:,}; fetch it again"
        )
    if file.sha256 and sha256_of(path) != file.sha256:
        raise AssetError(
            f"{file.path} from {source} is not the known file (another sha256); fetch it again, "
            "or, if you trust it, unpack it and name its folder with --model"
        )


def _unpack(archive: Path, folder: Path, source: str) -> None:
    """Unpack the plain files of a .tar(.gz); a cut or foreign one raises `AssetError`."""
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
                for path in inner[0].iterdir():  # packed with the folder around it
                    path.rename(folder / path.name)
            while tar.fileobj is not None and tar.fileobj.read(1 << 20):
                pass  # to the very end, where the checksum is
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        why = (str(error).splitlines() or [""])[0].rstrip(":")
        raise AssetError(f"{source} is not a whole .tar.gz archive ({why})") from error
