"""Files in object storage (``s3://``, ``gs://``), by fsspec (an extra: ``cloud``).

An object appears under its name when its upload is complete, or not at all: the stores themselves
see to that. Every call is tried again while the store fails or cannot be reached.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from vst.core.types import OnProgress, Progress, ignore_progress
from vst.errors import DependencyError, MediaError, MissingFileError, OutputError, VSTError

T = TypeVar("T")

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
"""Scheme of an address -> the package that fsspec needs for it."""
TRIES = 8
"""Attempts at a call, besides those of the packages themselves."""
PAUSE_SECONDS, LONGEST_PAUSE = 0.2, 10.0
"""Pause after the first attempt; it doubles with each one."""
PART_SIZE = 8 << 20
"""Bytes that are read in one call: what an interrupted download reads again at most."""
PART_SUFFIX = ".part"
NO_RIGHTS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "NoAuthTokenError",
    "DefaultCredentialsError",
)
"""Names of the packages' errors that mean: this machine has no credentials."""


def is_address(name: str) -> bool:
    """Whether a name is an address in object storage."""
    return re.match(rf"({'|'.join(PACKAGES)})://", name) is not None


def join_address(address: str, *parts: str) -> str:
    """Append names to the address of a folder."""
    return "/".join((address.rstrip("/"), *parts))


def get_name(address: str) -> str:
    """The last part of an address: the name of the object or folder."""
    return PurePosixPath(address.rstrip("/")).name


def exists(address: str) -> bool:
    """Whether there is an object, or a folder with objects; raises `MediaError`."""
    return bool(_call(address, lambda store, path: store.exists(path)))


def list_matches(pattern: str) -> list[str]:
    """The addresses that match one with ``*``, ``?`` or ``[``, sorted; raises `MissingFileError`
    where there is none.
    """
    scheme = pattern.partition("://")[0]
    found = _call(pattern, lambda store, path: store.glob(path))
    if not found:
        raise MissingFileError(f"no object matches {pattern!r}. Check the pattern")
    return sorted(f"{scheme}://{name}" for name in found)


def list_objects(address: str) -> dict[str, str]:
    """The objects of a folder, or the object itself under the name ``""``: relative name -> a mark
    that changes with its content. Raises `MissingFileError` where there is none.
    """

    def search(store: Any, path: str) -> dict[str, str]:
        found = store.find(path, detail=True)
        if not found:
            raise FileNotFoundError(path)
        return {
            name.removeprefix(path.rstrip("/")).lstrip("/"): _mark_version(about)
            for name, about in found.items()
        }

    return _call(address, search)


def _mark_version(about: dict[str, Any]) -> str:
    """A text that changes with the content of an object: from its size and the store's checksum."""
    sums = next((str(about[name]) for name in ("ETag", "md5Hash", "crc32c") if name in about), "")
    text = f"{about.get('size')} {sums or about.get('LastModified') or about.get('updated')}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


def fetch(address: str, folder: Path, on_progress: OnProgress = ignore_progress) -> Path:
    """Download an object, or all objects of a folder, into a folder of ``folder`` that is named
    after the content; returns the local path. What is there already is not read again, and an
    interrupted download continues.
    """
    versions = list_objects(address)
    mark = blake2b(repr(sorted(versions.items())).encode(), digest_size=8).hexdigest()
    place = folder / mark / (get_name(address) or "objects")
    for number, name in enumerate(sorted(versions)):
        on_progress(Progress("download", number, len(versions), detail={"unit": "files"}))
        target = place / name if name else place
        if place not in (target, *target.parents) or ".." in PurePosixPath(name).parts:
            raise MediaError(f"{address!r} has an object with the name {name!r}. Rename it")
        if not target.is_file():
            download(join_address(address, name) if name else address, target)
    if list_objects(address) != versions:
        raise MediaError(f"{address!r} was changed while it was read. Run again")
    return place


def download(address: str, target: Path) -> None:
    """Download one object to the file ``target``; continues what an interrupted call has left."""
    size = int(_call(address, lambda store, path: store.info(path)["size"]))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}{PART_SUFFIX}")
    with draft.open("ab") as file:
        if file.tell() > size:
            file.truncate(0)
        while (start := file.tell()) < size:
            end = min(start + PART_SIZE, size)
            file.write(_call(address, lambda store, path, s=start, e=end: _read(store, path, s, e)))
    draft.replace(target)


def _read(store: Any, path: str, start: int, end: int) -> bytes:
    block: bytes = store.cat_file(path, start=start, end=end)
    if len(block) != end - start:
        raise ConnectionError(f"{len(block)} bytes came instead of {end - start}")
    return block


def upload(path: Path, address: str) -> None:
    """Upload a file, or the files of a folder, and check that all of it arrived."""
    if path.is_dir():
        for each in sorted(one for one in path.rglob("*") if one.is_file()):
            upload(each, join_address(address, each.relative_to(path).as_posix()))
        return

    def send(store: Any, place: str) -> None:
        store.put_file(str(path), place)
        found = store.info(place)["size"]
        if found != path.stat().st_size:
            raise ConnectionError(f"{found} bytes arrived of {path.stat().st_size}")

    _call(address, send, writes=True)


def remove(address: str) -> None:
    """Remove an object, or all objects of a folder, where there are any."""

    def clear(store: Any, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            store.rm(path, recursive=True)

    _call(address, clear, writes=True)


def check_writable(address: str) -> None:
    """Raise `OutputError` unless objects can be written beside ``address``."""
    probe = f"{address.rstrip('/')}.vst-check"
    _call(probe, lambda store, path: store.pipe_file(path, b"vst"), writes=True)
    remove(probe)


def _open_store(address: str) -> Any:
    """The file system of an address; raises `DependencyError`."""
    scheme = address.partition("://")[0]
    package = PACKAGES[scheme]
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError as error:
        needs = f"{scheme}:// needs fsspec and {package}"
        if package != "s3fs":  # the extra has what most people need
            raise DependencyError(
                f"{needs}, which are not installed. Install them: pip install fsspec {package}"
            ) from error
        raise DependencyError.of_extra(needs, "cloud") from error


def _call(address: str, work: Callable[..., T], *, writes: bool = False) -> T:
    """Return ``work(store, path)``, tried again while the store fails."""
    store = _open_store(address)
    path = address.partition("://")[2]
    tries = 0
    while True:
        try:
            return work(store, path)
        except VSTError:
            raise
        except Exception as error:  # each package raises its own
            tries += 1
            if tries == TRIES or not _may_pass(error):
                raise _explain(error, address, store, writes=writes) from error
        time.sleep(min(LONGEST_PAUSE, PAUSE_SECONDS * 2 ** (tries - 1)))


def _may_pass(error: Exception) -> bool:
    """Whether the next attempt may succeed."""
    lasting = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError)
    return not isinstance(error, lasting) and type(error).__name__ not in NO_RIGHTS


def _explain(error: Exception, address: str, store: Any, *, writes: bool) -> VSTError:
    """The error in words: no such bucket or object, no rights, or a store that fails."""
    kind: type[VSTError] = OutputError if writes else MediaError
    why = " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
    if isinstance(error, FileNotFoundError):
        scheme, _, path = address.partition("://")
        bucket = path.partition("/")[0]
        if not _has_bucket(store, bucket):
            return MissingFileError(
                f"the bucket '{scheme}://{bucket}' of {address!r} does not exist. Check its name, "
                "or create it"
            )
        return MissingFileError(f"{address!r} does not exist. Check the address")
    if isinstance(error, PermissionError) or type(error).__name__ in NO_RIGHTS:
        act = "written" if writes else "read"
        return kind(
            f"{address!r} may not be {act} ({why}). Give this machine credentials with that right: "
            "those of the command line of your cloud, or for s3:// AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY"
        )
    return kind(
        f"{address!r} cannot be reached ({why}), tried {TRIES} times. Check the network and the "
        "store, and run again: what has been done is kept"
    )


def _has_bucket(store: Any, bucket: str) -> bool:
    """Whether a bucket exists, as far as can be seen."""
    try:
        store.ls(bucket)
    except FileNotFoundError:
        return False
    except Exception:  # no right to list it, or the store fails: it may exist
        return True
    return True
