"""Jobs whose inputs or outputs are in object storage: painted from local copies in a working folder
that the next run with the same output continues in, whatever ended the last one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any

from vst import storage
from vst.checkpoint.store import MANIFEST, get_chunk_folder, read_manifest
from vst.core.closable import Closable
from vst.core.locks import Lock
from vst.core.paths import find_cache_folder
from vst.core.types import OnProgress, ignore_progress
from vst.errors import MissingFileError, OutputError, OutputExistsError, UsageError, VSTError
from vst.job import Job
from vst.video.frame_names import parse_output_names
from vst.video.sinks import detect_sink_kind

INPUTS = ("content", "mask", "mask_background", "model", "lut")
"""Fields, besides styles and painted frames, that may be addresses."""
LOCAL_ONLY = ("score", "mask_regions", "save_mask", "sidecar")
"""Fields that have to be local files: a score and regions name further files, the others are
written beside the output.
"""
LOCK = "lock"


def names_objects(job: Job) -> bool:
    """Whether a file of the job is in object storage."""
    named = [getattr(job, name) for name in ("output", *INPUTS, *LOCAL_ONLY)]
    named += [*job.styles, *(text.partition("=")[2] for text in job.painted)]
    return any(storage.is_address(name) for name in named if name)


class ObjectFiles(Closable):
    """Local copies of a job's files. ``job`` is the job with them; `publish` uploads its output.

    While it is open, the working folder is locked. ``names``: local path -> address. Errors that
    leave its ``with`` block name addresses.
    """

    def __init__(self, job: Job, on_progress: OnProgress = ignore_progress) -> None:
        check_addresses(job)
        self.given = job
        self.names: dict[str, str] = {}
        self.folder = find_working_folder(job.output)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock(self.folder / LOCK, repr(job.output))
        self._on_progress = on_progress
        try:
            self.job = self._localize()
        except BaseException:
            self.close()
            raise

    @property
    def output(self) -> Path:
        """Where the output is written here, if it goes to object storage."""
        return get_local_output(self.folder, self.given.output)

    def _localize(self) -> Job:
        job, known = self.given, dict[str, str]()

        def copy(name: str) -> str:
            if not storage.is_address(name):
                return name
            if name not in known:
                inputs = self.folder / "inputs"
                known[name] = str(storage.fetch(name, inputs, self._on_progress))
                self.names[known[name]] = name
            return known[name]

        output = job.output
        if storage.is_address(output):
            storage.check_writable(output)
            fetch_chunks(self.folder, output)
            self._clear_output()
            output = f"{self.output}{'/' if output.endswith('/') else ''}"
            self.names[output] = job.output
        pairs = (text.partition("=") for text in job.painted)
        fields: dict[str, Any] = {name: getattr(job, name) for name in INPUTS}
        fields |= {name: copy(value) for name, value in fields.items() if value}
        fields["styles"] = tuple(copy(style) for style in job.styles)
        fields["painted"] = tuple(f"{time}={copy(picture)}" for time, _, picture in pairs)
        return replace(job, output=output, **fields)

    def _clear_output(self) -> None:
        """Remove a local output that a killed run had not uploaded: it is joined again."""
        self.output.parent.mkdir(exist_ok=True)
        if self.output.is_dir():
            shutil.rmtree(self.output)
        else:
            self.output.unlink(missing_ok=True)

    def keep_chunk(self, paths: Sequence[Path]) -> None:
        """Upload files of a chunk, so that another machine can continue."""
        if storage.is_address(self.given.output):
            for path in paths:
                storage.upload(path, get_chunk_address(self.given.output, path.name))

    def publish(self) -> None:
        """Upload the output, and remove the local copies and the uploaded chunks."""
        output = self.given.output
        if storage.is_address(output):
            check_free(output, overwrite=self.given.overwrite)
            storage.upload(self.output, output.rstrip("/"))
            if not self.given.keep_chunks:
                storage.remove(get_chunk_address(output))
        shutil.rmtree(self.folder / "inputs", ignore_errors=True)
        shutil.rmtree(self.folder / "output", ignore_errors=True)

    def close(self) -> None:
        self._lock.release()
        with contextlib.suppress(OSError):  # it stays if it has files
            for name in ("inputs", "output"):
                (self.folder / name).rmdir()
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, VSTError):
            error.args = (self.restore_names(str(error)), *error.args[1:])
        self.close()

    def restore_names(self, text: str) -> str:
        """Put addresses in the place of local paths."""
        for local, address in sorted(self.names.items(), reverse=True):
            text = text.replace(local, address)
        return text


def replace_names(plain: Any, names: Mapping[str, str]) -> Any:
    """Plain values of a job with addresses in the place of local paths."""
    if isinstance(plain, dict):
        return {key: replace_names(value, names) for key, value in plain.items()}
    if isinstance(plain, list):
        return [replace_names(value, names) for value in plain]
    if not isinstance(plain, str):
        return plain
    time, sign, picture = plain.partition("=")
    return names.get(plain, f"{time}{sign}{names.get(picture, picture)}")


def find_working_folder(output: str) -> Path:
    """The folder for local copies of a job with this output."""
    whole = output if storage.is_address(output) else os.path.realpath(output)
    mark = blake2b(os.fsencode(whole.rstrip("/")), digest_size=10).hexdigest()
    return find_cache_folder() / "objects" / mark


def get_local_output(folder: Path, address: str) -> Path:
    """Where an output with this address is written in the working folder."""
    return folder / "output" / storage.get_name(address)


def get_chunk_address(output: str, *parts: str) -> str:
    """The address of an output's chunks, or of a file there."""
    return storage.join_address(f"{output.rstrip('/')}.vst", *parts)


def check_addresses(job: Job) -> None:
    """Refuse addresses that cannot be used, before anything is downloaded."""
    for name in LOCAL_ONLY:
        value = getattr(job, name)
        if value and storage.is_address(value):
            raise UsageError(f"{name} {value!r} is in object storage. Give a local file")
    if not storage.is_address(job.output):
        if Path(job.output).is_file() and not job.overwrite:
            raise OutputExistsError(
                f"output {job.output!r} exists. Set overwrite=True to replace it"
            )
        return
    if not storage.get_name(job.output.partition("://")[2].partition("/")[2]):
        raise UsageError(
            f"output {job.output!r} names a bucket only. Give a name in it, such as "
            f"{storage.join_address(job.output, 'out.mp4')}"
        )
    if parse_output_names(job.output) is not None:
        folder = job.output.rpartition("/")[0]
        raise UsageError(
            f"output {job.output!r} names single frames, which is for local files. Give a folder, "
            f"such as {folder}/"
        )
    detect_sink_kind(job.output)  # raises for another suffix
    check_free(job.output, overwrite=job.overwrite)


def check_free(output: str, *, overwrite: bool) -> None:
    """Raise `OutputExistsError` where an object exists that may not be replaced."""
    if not overwrite and storage.exists(output):
        raise OutputExistsError(f"output {output!r} exists. Set overwrite=True to replace it")


def fetch_chunks(folder: Path, output: str) -> None:
    """Take over the uploaded chunks of an output, where they are more than those of this machine:
    another one has painted them.
    """
    local = get_local_output(folder, output)
    aside = folder / "fetched"
    shutil.rmtree(aside, ignore_errors=True)
    address = get_chunk_address(output, MANIFEST)
    if not storage.exists(address):
        return
    place = get_chunk_folder(aside / local.name)
    storage.download(address, place / MANIFEST)
    with contextlib.suppress(OutputError):  # damaged: painted again
        if count_kept_frames(aside / local.name) > count_kept_frames(local):
            for name in storage.list_objects(get_chunk_address(output)):
                with contextlib.suppress(MissingFileError):
                    storage.download(get_chunk_address(output, name), place / Path(name).name)
            shutil.rmtree(get_chunk_folder(local), ignore_errors=True)
            local.parent.mkdir(exist_ok=True)
            place.replace(get_chunk_folder(local))
    shutil.rmtree(aside, ignore_errors=True)


def count_kept_frames(output: Path) -> int:
    """The frames of an output's chunks, by its manifest."""
    manifest = read_manifest(output)
    return sum(chunk.frames for chunk in manifest["chunks"]) if manifest is not None else 0


def read_object_manifest(output: str) -> dict[str, Any] | None:
    """The manifest of an interrupted output in object storage; None where there is none."""
    folder = find_working_folder(output)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(folder / LOCK, repr(output))
    try:
        fetch_chunks(folder, output)
        return read_manifest(get_local_output(folder, output))
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            folder.rmdir()
