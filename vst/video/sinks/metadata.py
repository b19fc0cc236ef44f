"""Write the job into the output's metadata, for each kind of file, and read it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from vst.errors import MediaError, MissingFileError, VSTError

TAG = "VST_JOB"
"""The tag in Matroska and WebM."""

MARK = "[vst job] "
"""Precedes the job in the comment of MP4, MOV and GIF, after the content's own comment."""

JOB_FILE = "job.json"
"""Name of the file with the job in a folder of frames."""


def build_job_options(job: str, suffix: str, tags: dict[str, str]) -> list[str]:
    """Build ffmpeg's options that write ``job``; keeps the comment in ``tags``, the content's."""
    own = {key.lower(): value for key, value in tags.items()}.get("comment", "")
    if suffix in (".mkv", ".webm"):
        return ["-metadata", f"{TAG}={job}"] if job else []
    kept = own.split(MARK, 1)[0].rstrip("\n")  # a content written by vst has its own job
    if not job:
        return ["-metadata", f"comment={kept}"] if kept != own else []
    return ["-metadata", f"comment={kept}{chr(10) if kept else ''}{MARK}{job}"]


def read_job(path: str | Path) -> str | None:
    """Read the job from the output at ``path``, or return None. Raises `MissingFileError` and
    `MediaError`.
    """
    output = Path(path)
    if not output.exists():
        raise MissingFileError(f"file or folder {str(path)!r} does not exist. Check the path")
    if output.is_dir():
        return _read_job_file(output)
    if output.suffix.lower() == ".gif":
        return _read_gif_job(output)
    from vst.video.open import open_container

    try:
        with open_container(output) as container:
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
    """Build a comment extension of GIF89a with ``job``: sub-blocks of at most 255 bytes, ended by
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
        raise MediaError(f"{str(path)!r} is not a complete GIF. Write it again") from error
    return None


def _iterate_comments(data: mmap) -> Iterator[bytes]:
    """Yield the comment extensions of a GIF (specification of GIF89a, sections 15 to 27)."""
    if data[:3] != b"GIF":
        raise ValueError("not a GIF")
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
    """Return the size, in bytes, of the color table that these flags of a GIF announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _read_blocks(data: mmap, position: int) -> tuple[bytes, int]:
    parts = []
    while data[position]:
        parts.append(data[position + 1 : position + 1 + data[position]])
        position += 1 + data[position]
    return b"".join(parts), position + 1
