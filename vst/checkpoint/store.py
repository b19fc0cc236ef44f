"""The folder of chunks: a long video is painted in parts that are kept, so that an interrupted run
can be resumed.

The folder ``out.mp4.vst/`` has a manifest (what is painted, from which inputs, by which versions)
and for each chunk a picture track and the state that the next chunk starts from. A chunk is written
under another name, synced to the disk and renamed; only then does the manifest list it. The folder
is removed when the output is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vst.checkpoint.fingerprint import has_earlier_stabilizer, rename_fingerprints
from vst.checkpoint.handover import ChunkStart, decode_start
from vst.checkpoint.planner import ChunkRule
from vst.core.files import atomic_write, hash_file, move_file, retry_stale, sync_to_disk
from vst.core.locks import Lock
from vst.core.state_io import State, load_state, save_state
from vst.errors import OutputError, UsageError

FORMAT = 1
"""Version of the manifest's format."""
STYLES_FINGERPRINT = "looks of the styles"
"""The fingerprint that is known only once the engine is open; the text is the manifest's key."""
MANIFEST, LOCK, JOINING = "manifest.json", "lock", "joining"
MANIFEST_DRAFT = f".{Path(MANIFEST).stem}."
"""How the name of a manifest begins that a killed run had not finished writing."""
MANY_CHUNKS = 200
"""Chunks from which on the manifest, which lists all of them, is not written after each ..."""
LISTING_PAUSE = 20.0
"""... but after pauses of so many times the seconds that writing it takes."""
UNFINISHED = ".unfinished"
LISTINGS = 3
"""How often the folder is listed when it is removed: NFS may show what was in it before."""
STATE_SUFFIX = ".npz"
LARGEST_MANIFEST = 64_000_000
"""Bytes of a manifest at most."""


@dataclass(frozen=True)
class Chunk:
    """A whole chunk: the names of its files, how many frames it has, the time of its first frame in
    seconds, and the checksums of its files. ``last``: the video ends with it.
    """

    track: str
    state: str
    frames: int
    first: float
    track_sum: str
    state_sum: str
    last: bool


def get_chunk_folder(output: str | os.PathLike[str]) -> Path:
    """The folder of an output's chunks."""
    path = Path(output)
    return path.with_name(f"{path.name}.vst")


def read_manifest(output: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The manifest of the output's chunks; None where there is none."""
    path = get_chunk_folder(output) / MANIFEST
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ValueError("too large")
        plain = json.loads(retry_stale(lambda: path.read_text(encoding="utf-8")))
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError("of another format")
        plain["chunks"] = [Chunk(**one) for one in plain["chunks"]]
        for part in ("job", "folder", "about", "published"):
            plain[part]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{str(path)!r} cannot be read ({error}); remove {str(path.parent)!r} to start over"
        ) from error
    return plain


def is_published(output: str | os.PathLike[str], manifest: Mapping[str, Any]) -> bool:
    """Whether the file under the output's name was assembled from the chunks of this manifest."""
    try:
        return manifest["published"] is not None and manifest["published"] == _identify_file(
            Path(output)
        )
    except OSError:
        return False


def _identify_file(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns]


class ChunkFolder:
    """The chunks of one output, locked by one run.

    ``on_kept`` gets the files of each chunk that is kept, the manifest last.

    ``about``: the fingerprints of what is painted, name -> plain value. ``rule``: where chunks end;
    an existing folder keeps its own. ``job``: plain values, kept for whoever resumes it.

    Opening it takes the lock, refuses the chunks of another job (`UsageError`), and drops what is
    not whole.
    """

    def __init__(
        self,
        output: Path,
        about: Mapping[str, Any],
        rule: ChunkRule,
        job: Mapping[str, Any] | None = None,
    ) -> None:
        self.output = output
        self.rule = rule
        self.path = get_chunk_folder(output)
        self.about: dict[str, Any] = json.loads(json.dumps(about))
        self.job = dict(job or {})
        self.chunks: dict[int, Chunk] = {}
        self.on_kept: Callable[[Sequence[Path]], None] = lambda paths: None
        self._styles_before: Any = None
        self._is_listed = True
        self._next_listing = 0.0
        self._make()
        with _as_output_error(self.path):
            self._lock = Lock(self.path / LOCK, repr(str(output)))
        try:
            with _as_output_error(self.path):
                self._load()
        except BaseException:
            self._lock.release()
            with contextlib.suppress(OSError):
                self.path.rmdir()
            raise

    def _make(self) -> None:
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise OutputError(
                f"{str(self.path)!r} is not a folder of vst, but the chunks of "
                f"{str(self.output)!r} need that name. Move it away"
            )
        with _as_output_error(self.path):
            self.path.mkdir(exist_ok=True)

    def _load(self) -> None:
        manifest = read_manifest(self.output)
        if manifest is None:
            foreign = [path.name for path in self.path.iterdir() if not _is_ours(path.name)]
            if foreign:
                raise OutputError(
                    f"{str(self.path)!r} has other files ({foreign[0]!r}). Move it away"
                )
        else:
            if manifest.get("rule") is not None:
                self.rule = ChunkRule.read(manifest["rule"])
            if has_earlier_stabilizer(manifest["about"]):
                raise UsageError(
                    f"{str(self.path)!r} was painted with a stabilizer of an earlier version, "
                    "which is gone. Remove that folder to start over"
                )
            before = rename_fingerprints(manifest["about"], self.about)
            self._styles_before = before.get(STYLES_FINGERPRINT)
            self._check_same({**before, STYLES_FINGERPRINT: self.about.get(STYLES_FINGERPRINT)})
            self.chunks = {
                number: chunk
                for number, chunk in enumerate(manifest["chunks"])
                if self._is_whole(chunk)
            }
        self._clean()
        self._write_manifest()

    def add_fingerprint(self, name: str, value: Any) -> None:
        """Add what becomes known once the engine is open; refuses the chunks of another job."""
        if self._styles_before not in (None, value):
            self._check_same({**self.about, name: self._styles_before})
        self.about[name] = value
        with _as_output_error(self.path):
            self._write_manifest()

    def _check_same(self, before: Mapping[str, Any]) -> None:
        for name in sorted({*before, *self.about}):
            old, new = before.get(name), self.about.get(name)
            if old != new:
                is_option = name.startswith("option ")  # the rest are checksums
                change = f" ({_shorten(old)}, now {_shorten(new)})" if is_option else ""
                label = "set of keyframes" if name == STYLES_FINGERPRINT else name
                raise UsageError(
                    f"{str(self.path)!r} was started with another {label.removeprefix('option ')}"
                    f"{change}. Give the same again, or remove that folder to start over"
                )

    def _is_whole(self, chunk: Chunk) -> bool:
        try:
            return (
                hash_file(self._inside(chunk.track), "blake2b") == chunk.track_sum
                and hash_file(self._inside(chunk.state), "blake2b") == chunk.state_sum
            )
        except OSError:
            return False

    def _inside(self, name: str) -> Path:
        """A file of this folder, whatever path the manifest has."""
        return self.path / Path(name).name

    def _clean(self) -> None:
        """Remove the unfinished files of an interrupted run."""
        listed = {name for chunk in self.chunks.values() for name in (chunk.track, chunk.state)}
        for path in self.path.iterdir():
            if path.name.startswith("chunk-") and path.name not in listed:
                path.unlink(missing_ok=True)
            elif path.name.startswith(MANIFEST_DRAFT):
                path.unlink(missing_ok=True)
            elif path.name.startswith(JOINING):
                shutil.rmtree(path, ignore_errors=True)

    @property
    def tracks(self) -> list[Path]:
        """The picture tracks, in order."""
        return [self._inside(self.chunks[number].track) for number in sorted(self.chunks)]

    @property
    def frames(self) -> int:
        """How many frames the chunks have."""
        return sum(chunk.frames for chunk in self.chunks.values())

    @property
    def missing(self) -> int | None:
        """The number of the first missing chunk; None where all are there."""
        number = 0
        while number in self.chunks:
            if self.chunks[number].last:
                return None
            number += 1
        return number

    def load_start(self, number: int) -> ChunkStart | None:
        """What chunk ``number`` starts from; None for the first."""
        if number == 0:
            return None
        state = load_state(self._inside(self.chunks[number - 1].state))
        return decode_start(state["carried"])

    def load_times(self) -> list[float]:
        """The times of all frames in seconds, for a video of variable rate."""
        found: list[float] = []
        for number in sorted(self.chunks):
            state = load_state(self._inside(self.chunks[number].state))
            found += [float(time) for time in state["times"]]
        return found

    def get_unfinished_path(self, number: int, suffix: str) -> Path:
        """Where a file of chunk ``number`` is written before it is whole."""
        return get_unfinished_path(self.path, number, suffix)

    def seal(
        self, number: int, written: Path, state: State, *, frames: int, first: float, last: bool
    ) -> None:
        """Keep the track ``written`` of chunk ``number``, and the ``state`` at its end."""
        with _as_output_error(self.path):
            aside = self.get_unfinished_path(number, STATE_SUFFIX)
            save_state(aside, state)
            self.adopt(number, written, aside, frames=frames, first=first, last=last)

    def adopt(
        self, number: int, track: Path, state: Path, *, frames: int, first: float, last: bool
    ) -> None:
        """Keep the files of chunk ``number``, which are in this folder under other names."""
        with _as_output_error(self.path):
            kept = [self.path / f"chunk-{number:05d}{path.suffix}" for path in (track, state)]
            sync_to_disk(track)
            sync_to_disk(state)
            sums = hash_file(track, "blake2b"), hash_file(state, "blake2b")
            move_file(track, kept[0])
            move_file(state, kept[1])
            self.chunks[number] = Chunk(kept[0].name, kept[1].name, frames, first, *sums, last)
            if self._lists_each or time.monotonic() >= self._next_listing:
                self._write_manifest()
                kept.append(self.path / MANIFEST)
            else:
                self._is_listed = False
        self.on_kept(kept)

    @property
    def _lists_each(self) -> bool:
        """Whether the manifest is written after each chunk, however long that takes."""
        return len(self.chunks) < MANY_CHUNKS

    def _write_manifest(self, published: list[int] | None = None) -> None:
        began, listed = time.monotonic(), []
        for number in range(max(self.chunks, default=-1) + 1):
            if number in self.chunks:
                listed.append(asdict(self.chunks[number]))
            else:  # keeps its place in the list: it will be painted again
                listed.append(asdict(Chunk("", "", 0, 0.0, "", "", False)))
        plain = {
            "format": FORMAT,
            "job": self.job,
            "folder": str(Path.cwd()),
            "about": {**self._get_styles_before(), **self.about},
            "rule": self.rule.as_dict(),
            "chunks": listed,
            "published": published,
        }
        with atomic_write(self.path / MANIFEST, sync=True) as draft:
            draft.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
        sync_to_disk(self.path)
        self._is_listed = True
        now = time.monotonic()
        self._next_listing = now + LISTING_PAUSE * (now - began)

    def _get_styles_before(self) -> dict[str, Any]:
        return {STYLES_FINGERPRINT: self._styles_before} if self._styles_before is not None else {}

    def record_published(self, finished: Path) -> None:
        """Record the file that is about to appear under the output's name, so that a run that is
        interrupted just then is known to have ended.
        """
        with _as_output_error(self.path):
            self._write_manifest(_identify_file(finished))

    def close(self, *, keep: bool) -> None:
        """Remove unfinished files and release the lock; ``keep``: leave the chunks, if any."""
        going = not (keep and self.chunks)
        if not (going or self._is_listed):
            with contextlib.suppress(OSError):
                self._write_manifest()
        for _ in range(LISTINGS if going else 1):  # the first may be late, on a network
            self._remove_files(going)
        self._lock.release()
        if going:
            with contextlib.suppress(OSError):  # files of others stay, with their folder
                self.path.rmdir()

    def _remove_files(self, going: bool) -> None:
        """Remove the unfinished files, and those of whole chunks if the folder is ``going``."""
        with contextlib.suppress(OSError):
            for path in self.path.iterdir():
                if path.name.startswith(JOINING):
                    shutil.rmtree(path, ignore_errors=True)
                elif (
                    path.name != LOCK and _is_ours(path.name) and (going or UNFINISHED in path.name)
                ):
                    path.unlink(missing_ok=True)


def get_unfinished_path(folder: Path, number: int, suffix: str) -> Path:
    """Where a file of chunk ``number`` is written before it is whole."""
    return folder / f"chunk-{number:05d}{UNFINISHED}{suffix}"


def _is_ours(name: str) -> bool:
    return name == LOCK or name.startswith(("chunk-", MANIFEST, MANIFEST_DRAFT, JOINING))


def _shorten(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


@contextlib.contextmanager
def _as_output_error(folder: Path) -> Iterator[None]:
    """Raise what the operating system refuses as an error of the output."""
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"the chunks in {str(folder)!r} cannot be written ({error.strerror or error}). Free "
            "space there or choose another output, and run again"
        ) from error
