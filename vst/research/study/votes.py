"""Votes on pairs of videos in a JSON file; each is on the disk before it is acknowledged."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vst.core.closable import Closable
from vst.core.files import atomic_write
from vst.core.locks import Lock
from vst.errors import MediaError, OutputError
from vst.research.study.ranking import Preference, Standing, rank

QUESTIONS = {"look": "Which looks better?", "smooth": "Which is smoother?"}
"""What is asked of each pair, as the reports' user study did."""
CHOICES = {"left": 1.0, "same": 0.5, "right": 0.0}
"""What can be answered -> how far the left one has won."""


@dataclass(frozen=True)
class Vote:
    """One answer to one question on one pair, with the sides as shown."""

    question: str
    left: str
    right: str
    choice: str
    when: str


class Votes(Closable):
    """The votes in one file, locked by one process; threads may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        try:
            self._lock = Lock(path.with_name(f".{path.name}.lock"), f"{str(path)!r}")
        except OSError as error:
            raise OutputError(
                f"votes cannot be kept in {str(path)!r}: {error.strerror or error}. "
                "Give a writable folder"
            ) from error
        try:
            self._votes = read_votes(path)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Release the file."""
        self._lock.release()

    def __len__(self) -> int:
        return len(self._votes)

    def all(self) -> list[Vote]:
        """Every vote so far, the oldest first."""
        with self._guard:
            return list(self._votes)

    def add(self, question: str, left: str, right: str, choice: str) -> None:
        """Keep a vote; when this returns it is on the disk."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with self._guard:
            votes = [*self._votes, Vote(question, left, right, choice, now)]
            write_whole(
                self.path, json.dumps({"votes": [asdict(vote) for vote in votes]}, indent=1)
            )
            self._votes = votes


def read_votes(path: Path) -> list[Vote]:
    """Read the votes in a file; none if it does not exist."""
    if not path.exists():
        return []
    wanted = {part.name for part in fields(Vote)}
    try:
        found = [
            Vote(**{name: str(one[name]) for name in wanted})
            for one in json.loads(path.read_text(encoding="utf-8"))["votes"]
        ]
        if any(vote.choice not in CHOICES for vote in found):
            raise ValueError("unknown choice")
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise MediaError(
            f"{str(path)!r} holds no readable votes: {error}. Move it away to start over"
        ) from error
    return found


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically."""
    try:
        with atomic_write(path, sync=True) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{str(path)!r} cannot be written: {error.strerror or error}. "
            "Check the free space on the disk and the permissions"
        ) from error


def compute_standings(names: Sequence[str], votes: Iterable[Vote]) -> dict[str, list[Standing]]:
    """Return question -> ranking, by the votes on videos in ``names``."""
    known = set(names)
    asked: dict[str, list[Preference]] = {question: [] for question in QUESTIONS}
    for vote in votes:
        if vote.question in asked and vote.left in known and vote.right in known:
            asked[vote.question].append(Preference(vote.left, vote.right, CHOICES[vote.choice]))
    return {question: rank(names, found) for question, found in asked.items()}


def to_plain(found: dict[str, list[Standing]]) -> dict[str, Any]:
    """Convert rankings to plain values, for JSON."""
    return {question: [place.as_dict() for place in places] for question, places in found.items()}
