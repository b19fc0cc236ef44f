"""The job in the output's metadata: how it is written for each kind of file, and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from vst.errors import MediaError, MissingFileError, VSTError

TAG = "VST_JOB"
"""The tag in Matroska and WebM."""

MARK = "[vst job] "
"""Begins the job in the comment of MP4 and MOV, and in that of a GIF; the content's own comment
stands before it.
"""

JOB_FILE = "job.json"
"""The file in a folder of frames."""


def build_job_options(job: str, suffix: str, tags: dict[str, str]) -> list[str]:
    """ffmpeg's options that write ``job``; ``tags`` are the content's, whose comment is kept."""
    own = {key.lower(): value for key, value in tags.items()}.get("comment", "")
    if suffix in (".mkv", ".webm"):
        return ["-metadata", f"{TAG}={job}"] if job else []
    kept = own.split(MARK, 1)[0].rstrip("\n")  # a content that vst wrote has a job of its own
    if not job:
        return ["-metadata", f"comment={kept}"] if kept != own else []
    return ["-metadata", f"comment={kept}{chr(10) if kept else ''}{MARK}{job}"]


def read_job(path: str | Path) -> str | None:
    """The job that was written into the output at ``path``, as it was given; None where there is
    none.
    """
    place = Path(path)
    if not place.exists():
        raise MissingFileError(f"there is no file or folder {str(path)!r}; check the path")
    if place.is_dir():
        return _read_job_file(place)
    if place.suffix.lower() == ".gif":
        return _read_gif_job(place)
    from vst.video.open import open_container

    try:
        with open_container(place) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except MediaError:
        raise
    except (VSTError, OSError) as error:
        raise MediaError(f"{str(path)!r} cannot be read: {error}") from error
    if TAG.lower() in tags:
        return tags[TAG.lower()]
    _, found, job = tags.get("comment", "").partition(MARK)
    return job if found else None


def _read_job_file(folder: Path) -> str | None:
    try:
        notes = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
        job = notes.get("job")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError) as error:
        raise MediaError(f"{str(folder / JOB_FILE)!r} is damaged: {error}") from error
    return str(job) if job else None


def build_comment_block(job: str) -> bytes:
    """A comment extension of GIF89a that holds ``job``: sub-blocks of at most 255 bytes, ended by
    an empty one.
    """
    data = (MARK + job).encode("utf-8")
    parts = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"\x21\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _read_gif_job(path: Path) -> str | None:
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            for comment in _iterate_comments(data):
                if comment.startswith(MARK.encode()):
                    return comment[len(MARK) :].decode("utf-8", errors="replace")
    except OSError as error:
        raise MediaError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except (IndexError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise MediaError(f"{str(path)!r} is no whole GIF; write it anew") from error
    return None


def _iterate_comments(data: mmap) -> Iterator[bytes]:
    """The comment extensions of a GIF (specification of GIF89a, sections 15 to 27)."""
    if data[:3] != b"GIF":
        raise ValueError("no GIF")
    position = 13 + count_table_bytes(data[10])
    while data[position] != 0x3B:
        if data[position] == 0x21:
            label = data[position + 1]
            block, position = _read_blocks(data, position + 2)
            if label == 0xFE:
                yield block
        elif data[position] == 0x2C:
            _, position = _read_blocks(data, position + 11 + count_table_bytes(data[position + 9]))
        else:
            raise IndexError(position)


def count_table_bytes(flags: int) -> int:
    """How long the table of colours is that these flags of a GIF announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _read_blocks(data: mmap, position: int) -> tuple[bytes, int]:
    parts = []
    while data[position]:
        parts.append(data[position + 1 : position + 1 + data[position]])
        position += 1 + data[position]
    return b"".join(parts), position + 1
