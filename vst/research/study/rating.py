"""Pairs of videos, shown blind: which pair is next, what an answer means, and the ranking."""

from __future__ import annotations

import json
import random
import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from vst.errors import MissingFileError, UsageError
from vst.research.study.ranking import Standing
from vst.research.study.votes import CHOICES, QUESTIONS, Votes, compute_standings

PLAYABLE = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".mov": "video/mp4"}
"""Endings of files that browsers play -> their media type."""
OPEN_PAIRS = 64
"""Pairs that may be open at once; older ones are forgotten."""

Group = Mapping[str, Path]
"""Paintings of one content: name -> file. Only such are shown as a pair."""


@dataclass(frozen=True)
class Pair:
    """Two videos as the page shows them; the page gets only the token."""

    token: str
    left: str
    right: str
    files: Mapping[str, Path]


class Rating:
    """A rating of groups of videos, pair by pair, with the answers in ``votes``."""

    def __init__(
        self, groups: Sequence[Group], votes: Votes, chance: random.Random | None = None
    ) -> None:
        if not any(len(group) > 1 for group in groups):
            raise UsageError("fewer than two videos to compare. Give a folder with two or more")
        self.groups = list(groups)
        self.votes = votes
        self.names = sorted({name for group in groups for name in group})
        self._chance = chance or secrets.SystemRandom()
        self._open: OrderedDict[str, Pair] = OrderedDict()
        self._guard = threading.Lock()

    def next_pair(self) -> Pair:
        """Choose a pair among those with the fewest answers, with random sides."""
        asked: Counter[frozenset[str]] = Counter()
        for vote in self.votes.all():
            asked[frozenset((vote.left, vote.right))] += 1
        with self._guard:
            for pair in self._open.values():
                asked[frozenset((pair.left, pair.right))] += 1
            pairs = [(g, two) for g in self.groups for two in combinations(sorted(g), 2)]
            fewest = min(asked[frozenset(two)] for _, two in pairs)
            few = [one for one in pairs if asked[frozenset(one[1])] == fewest]
            group, two = self._chance.choice(few)
            left, right = self._chance.sample(list(two), 2)
            files = {"left": group[left], "right": group[right]}
            pair = Pair(secrets.token_urlsafe(16), left, right, files)
            self._open[pair.token] = pair
            while len(self._open) > OPEN_PAIRS:
                self._open.popitem(last=False)
        return pair

    def file(self, token: str, side: str) -> Path | None:
        """Return the file on one side of an open pair; None for any other pair."""
        with self._guard:
            pair = self._open.get(token)
        return pair.files.get(side) if pair else None

    def answer(self, token: str, answers: Mapping[str, Any]) -> bool:
        """Store the answers on a pair, and close it; False if it is no longer open.

        ``answers``: question -> left, right or same, for every question.
        """
        wrong = [name for name in QUESTIONS if answers.get(name) not in CHOICES]
        if wrong:
            raise UsageError(f"no answer to {wrong[0]!r}; allowed are {', '.join(CHOICES)}")
        with self._guard:
            pair = self._open.pop(token, None)
        if pair is None:
            return False
        for question in QUESTIONS:
            self.votes.add(question, pair.left, pair.right, str(answers[question]))
        return True

    def standings(self) -> dict[str, list[Standing]]:
        """Return question -> ranking."""
        return compute_standings(self.names, self.votes.all())


def read_group(path: Path) -> Group:
    """List the paintings in a folder: those that a study recorded, or every video in it."""
    if not path.is_dir():
        raise MissingFileError(
            f"{str(path)!r} is not a folder. Give one with videos, or that `vst study video` wrote"
        )
    listed = path / "video.json"
    if listed.is_file():
        try:
            rows = json.loads(listed.read_text(encoding="utf-8"))["rows"]
            return {
                row["name"]: resolve_inside(path, row["video"]) for row in rows if row.get("video")
            }
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{str(listed)!r} is not a list of a study's videos: {error}"
            ) from error
    found = sorted(one for one in path.iterdir() if one.suffix.lower() in PLAYABLE)
    return {one.stem: one for one in found if one.is_file()}


def resolve_inside(folder: Path, name: str) -> Path:
    """Resolve a file of a list, if it lies within the list's folder and browsers play it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or path.suffix.lower() not in PLAYABLE:
        raise UsageError(f"{name!r} is not a video within {str(folder)!r}. Remove it from the list")
    return path
