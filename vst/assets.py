"""The models that are known: where they lie, how they are fetched, their files, hashes, licence and authors.

A model fetched by its hub handle lies where TensorFlow Hub itself would put it (``<cache>/<sha1 of the handle>``), so
that each finds what the other fetched; unlike TensorFlow Hub's own, the download here resumes, never waits long, and
a half-filled folder is replaced. Beside each folder a small ``.vst.json`` keeps the size and hash of every file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vst.errors import AssetError, MissingFileError
from vst.fetch import PATIENCE, fetch, sha256_of
from vst.frames import OnProgress, silent
from vst.registry import unknown

HUB_HANDLE = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
"""Magenta's model on TensorFlow Hub, which redirects to Kaggle."""
KAGGLE_HANDLE = "https://www.kaggle.com/models/google/arbitrary-image-stylization-v1/tensorFlow1/256/2"
_STORE = "https://storage.googleapis.com/download.tensorflow.org/models/tflite/arbitrary_style_transfer/"
PAINTER_SUFFIX = ".tflite"


@dataclass(frozen=True)
class KnownFile:
    """One file of a model: its path in the folder, bytes and sha256 where known, and its own address if it has one."""

    path: str
    size: int | None = None
    sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class KnownModel:
    """What is known of a model. ``archives``: addresses of one .tar.gz with all the files, best first."""

    name: str
    about: str
    kind: str
    author: str
    licence: str
    files: tuple[KnownFile, ...]
    handle: str = ""
    archives: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size or 0 for file in self.files)


MODELS = {
    "magenta": KnownModel(
        "magenta",
        "Magenta's arbitrary image stylization, from TensorFlow Hub (768 numbers a style)",
        "SavedModel",
        "Google Magenta: Ghiasi, Lee, Kudlur, Dumoulin, Shlens (BMVC 2017)",
        "Apache-2.0",
        (
            KnownFile(
                "saved_model.pb", 2066871, "e881d1356be03f7b9ddc86bf884abec8c1b50103543b13b9c0f90f7e69347c0e"
            ),
            # The index holds a checksum of every tensor, which TensorFlow verifies as it loads: its hash pins the data.
            KnownFile(
                "variables/variables.index", 30228, "335edef640a1eb3cebb8bbba5f1891c5d88004accab307d3f53eb8e132f54a8f"
            ),
            KnownFile("variables/variables.data-00000-of-00001", 92474972),
        ),
        HUB_HANDLE,
        (
            f"{HUB_HANDLE}?tf-hub-format=compressed",
            "https://www.kaggle.com/api/v1/models/google/arbitrary-image-stylization-v1/tensorFlow1/256/2/download",
            "https://storage.googleapis.com/tfhub-modules/google/magenta/arbitrary-image-stylization-v1-256/2.tar.gz",
        ),
    ),
    "magenta-lite": KnownModel(
        "magenta-lite",
        "Magenta's small TFLite pair: predictor and painter of any size (100 numbers a style)",
        "TFLite pair",
        "Google Magenta and the TensorFlow Lite authors",
        "Apache-2.0",
        (
            KnownFile(
                "style_predict_quantized_256.tflite",
                2827952,
                "203dbd6a09da1091ab7e48e8b101aef8c2d81438ad047a5cb150747a977134c1",
                f"{_STORE}style_predict_quantized_256.tflite",
            ),
            KnownFile(
                "style_transfer_quantized_dynamic.tflite",
                244072,
                "69b191c1f1f3f6520634293803a528469015a00269f982ebd38b7850f68d9341",
                f"{_STORE}style_transfer_quantized_dynamic.tflite",
            ),
        ),
    ),
}
"""Name -> model that can be fetched. The embedded model comes with the package and is not in this table."""


@dataclass(frozen=True)
class Place:
    """Where a model lies and what is wrong there (nothing: it can be used)."""

    folder: Path
    problems: tuple[str, ...] = field(default=())

    @property
    def whole(self) -> bool:
        return not self.problems


def cache_folder() -> Path:
    """``TFHUB_CACHE_DIR``, or ``vst/models`` in the user's cache folder: a place that lasts, unlike TF Hub's default."""
    named = os.environ.get("TFHUB_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "vst" / "models"


def known_model(name: str) -> KnownModel:
    """The model of that name; raises `UnknownNameError` with the nearest right one."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    return MODELS[name]


def is_handle(text: str) -> bool:
    """Whether ``text`` is an address or a short handle of TensorFlow Hub or Kaggle rather than a path.

    >>> is_handle("google/magenta/arbitrary-image-stylization-v1-256/2"), is_handle("models/magenta")
    (True, False)
    """
    return "://" in text or bool(re.fullmatch(r"[A-Za-z][\w-]*(/[\w.-]+){2,4}/\d+", text))


def full_handle(text: str) -> str:
    """The full address of a handle: short ones completed, Kaggle's long form shortened, the default's twins made one."""
    handle = text.strip().rstrip("/")
    if "://" not in handle:
        kaggle = handle.count("/") == 4
        handle = ("https://www.kaggle.com/models/" if kaggle else "https://tfhub.dev/") + handle
    handle = re.sub(r"^https?://(www\.)?kaggle\.com/", "https://www.kaggle.com/", handle)
    handle = re.sub(r"/frameworks/([^/]+)/variations/([^/]+)/versions/", r"/\1/\2/", handle)
    handle = handle.split("?")[0]
    return HUB_HANDLE if handle.lower() == KAGGLE_HANDLE.lower() else handle


def archives_of(handle: str) -> tuple[str, ...]:
    """Addresses where the .tar.gz of a full handle may be had, best first."""
    if handle == HUB_HANDLE:
        return MODELS["magenta"].archives
    direct = f"{handle}?tf-hub-format=compressed"
    kaggle = handle.removeprefix("https://www.kaggle.com/models/")
    if kaggle != handle:
        return (f"https://www.kaggle.com/api/v1/models/{kaggle}/download", direct)
    hub = handle.removeprefix("https://tfhub.dev/")
    return (direct, f"https://storage.googleapis.com/tfhub-modules/{hub}.tar.gz") if hub != handle else (direct,)


def folder_of_handle(handle: str) -> Path:
    """The folder of a full handle in the cache, named as TensorFlow Hub names it."""
    return cache_folder() / hashlib.sha1(handle.encode()).hexdigest()


def place_of(model: KnownModel, thorough: bool = False) -> Place:
    """Where a known model lies, and its problems; ``thorough`` reads every file to compare its hash."""
    folder = folder_of_handle(model.handle) if model.handle else cache_folder() / model.name
    if not folder.is_dir():
        return Place(folder, ("not here yet",))
    return Place(folder, tuple(_problems(folder, model.kind, thorough)))


def obtain(model: KnownModel, on_progress: OnProgress = silent, patience: float = PATIENCE) -> Path:
    """The folder of a known model, fetched if it is not there whole. Raises `AssetError` in one line."""
    place = place_of(model)
    if place.whole:
        return place.folder
    if model.handle:
        return _obtain_archive(model.handle, model.archives, place, model.name, on_progress, patience)
    with _fresh(place.folder) as draft:
        for file in model.files:
            target = _downloads() / file.path
            try:
                fetch([file.url or ""], target, sha256=file.sha256, patience=patience, on_progress=on_progress,
                      stage=f"fetch {file.path}")
            except AssetError as error:
                raise AssetError(_no_way(model.name, str(error))) from error
            shutil.move(target, draft / file.path)
        _seal(draft, place.folder, model.handle or model.name)
    return place.folder


def obtain_handle(handle: str, on_progress: OnProgress = silent, patience: float = PATIENCE) -> Path:
    """The folder of the SavedModel that a hub or Kaggle handle names, fetched if it is not there whole."""
    full = full_handle(handle)
    for name, model in MODELS.items():
        if full == model.handle:
            return obtain(MODELS[name], on_progress, patience)
    folder = folder_of_handle(full)
    problems = tuple(_problems(folder, "SavedModel", False)) if folder.is_dir() else ("not here yet",)
    place = Place(folder, problems)
    return folder if place.whole else _obtain_archive(full, archives_of(full), place, "", on_progress, patience)


def from_folder(model: KnownModel, source: Path) -> Path:
    """Take a model's files carried by hand: a folder (or the .tar.gz) with them; return where they lie now."""
    if not source.exists():
        raise MissingFileError(f"{source} is not there; name the folder with {_list_files(model)}")
    target = place_of(model).folder
    with _fresh(target) as draft:
        _gather(model, source, draft)
        for file in model.files:
            _verify(model, file, draft / file.path, source)
        _seal(draft, target, str(source.name))
    return target


def discard(folder: Path) -> bool:
    """Remove a broken model if it lies in the cache, so that it is fetched again; return whether it did."""
    if folder.resolve().parent != cache_folder().resolve() or not folder.exists():
        return False
    _remove(folder)
    return True


def _obtain_archive(
    handle: str, urls: tuple[str, ...], place: Place, name: str, listen: OnProgress, patience: float
) -> Path:
    archive = _downloads() / f"{place.folder.name}.tar.gz"
    try:
        url = fetch(urls, archive, patience=patience, on_progress=listen, stage=f"fetch {name or handle}")
    except AssetError as error:
        raise AssetError(_no_way(name or handle, str(error))) from error
    try:
        with _fresh(place.folder) as draft:
            _unpack(archive, draft, url)
            problems = _problems(draft, "SavedModel", False)
            if problems:
                raise AssetError(f"the archive from {url} is not a whole SavedModel: {problems[0]}")
            for file in known_model(name).files if name else ():
                _verify(known_model(name), file, draft / file.path, Path(url))
            _seal(draft, place.folder, handle)
    except AssetError as error:
        raise AssetError(_no_way(name or handle, str(error))) from error
    finally:
        archive.unlink(missing_ok=True)
    return place.folder


def _no_way(name: str, tried: str) -> str:
    """The one line for a model that cannot be had."""
    known = MODELS.get(name)
    bring = f"on a machine with network fetch {known.archives[0] if known.archives else known.files[0].url}, carry " \
        f"the file{'s' if not known.archives else ''} here and run `vst models pull {name} --from-folder FOLDER`" \
        if known else "download it on a machine with network, unpack it, and give its folder as --model FOLDER"
    return f"model {name!r} cannot be fetched: {tried}; `--engine embedded` works now without it; to bring it: {bring}"


def _list_files(model: KnownModel) -> str:
    return ", ".join(file.path for file in model.files)


def _downloads() -> Path:
    return cache_folder() / "downloads"


def _stamp(folder: Path) -> Path:
    return folder.with_name(folder.name + ".vst.json")


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """An empty folder beside ``target`` to fill; what is left of it afterwards goes."""
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        draft.mkdir(parents=True)
        yield draft
    except AssetError:
        raise
    except OSError as error:
        raise AssetError(
            f"cannot write the model cache {target.parent}: {error.strerror or error}; "
            "free space there, or name another folder in TFHUB_CACHE_DIR"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _seal(draft: Path, target: Path, source: str) -> None:
    """Note every file's size and hash, and move the folder into place at once, over a broken one."""
    files = {
        path.relative_to(draft).as_posix(): {"size": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    _remove(target)
    _stamp(target).write_text(json.dumps({"source": source, "files": files}, indent=1), encoding="utf-8")
    os.replace(draft, target)


def _remove(folder: Path) -> None:
    _stamp(folder).unlink(missing_ok=True)
    if folder.exists():
        aside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
        os.replace(folder, aside)  # at once, so that nobody reads half of it
        shutil.rmtree(aside, ignore_errors=True)


def _problems(folder: Path, kind: str, thorough: bool) -> list[str]:
    """What is missing or damaged in a model's folder, each in a few words."""
    found = []
    try:
        files = json.loads(_stamp(folder).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        files = {}
    for name, entry in files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != entry["size"]:
            found.append(f"{name} has {path.stat().st_size:,} bytes of {entry['size']:,}")
        elif thorough and sha256_of(path) != entry["sha256"]:
            found.append(f"{name} has changed since it was fetched")
    if kind == "SavedModel":
        found += saved_model_problems(folder)
    elif not files:
        found += [f"{kind} was not put here by `vst models pull`"]
    return list(dict.fromkeys(found))


def saved_model_problems(folder: Path) -> list[str]:
    """What a SavedModel folder lacks at a glance: its graph, its index, or a part of its variables."""
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
        f"variables/variables.data-{i:05}-of-{count:05} is missing" for i in range(count) if i not in there
    ]


def _gather(model: KnownModel, source: Path, draft: Path) -> None:
    """Copy a model's files into ``draft`` from a folder or an archive."""
    archives = [source] if source.is_file() else [*source.glob("*.tar.gz"), *source.glob("*.tgz"), *source.glob("*.tar")]
    if source.is_dir() and all(_found(source, file) for file in model.files):
        for file in model.files:
            (draft / file.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(_found(source, file)), draft / file.path)
    elif archives:
        _unpack(archives[0], draft, str(archives[0]))
    else:
        missing = next(file.path for file in model.files if not _found(source, file))
        others = [m.name for m in MODELS.values() if m is not model and all(_found(source, f) for f in m.files)]
        hint = f"; it holds {others[0]}: `vst models pull {others[0]} --from-folder {source}`" if others else ""
        raise MissingFileError(
            f"{source} lacks {missing} of model {model.name!r} (needed: {_list_files(model)}, or their .tar.gz){hint}"
        )


def _found(folder: Path, file: KnownFile) -> Path | None:
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
        raise AssetError(f"{file.path} from {source} has {size:,} bytes, not {file.size:,}; fetch it again")
    if file.sha256 and sha256_of(path) != file.sha256:
        raise AssetError(f"{file.path} from {source} is not the known file (another sha256); fetch it again")


def _unpack(archive: Path, folder: Path, source: str) -> None:
    """Unpack the plain files of a .tar(.gz); a cut or foreign one raises `AssetError`."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                path = folder / os.path.normpath(member.name)
                if not member.isfile() or ".." in Path(member.name).parts or Path(member.name).is_absolute():
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                stream = tar.extractfile(member)
                if stream is not None:
                    with stream, path.open("wb") as target:
                        shutil.copyfileobj(stream, target)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise AssetError(f"{source} is not a whole .tar.gz archive ({error})") from error
