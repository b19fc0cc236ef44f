"""The score: a file, readable by a person, that says which style is played when, how strong, and
how the change feels.

`read_score` and `write_score` are the file's two ends, `Score.timeline` makes the timeline of a
content.
"""

from __future__ import annotations

from vst.schedule.score.model import ALIGNS, PACES, Clock, Moment, Score, ScoreKey, StyleSource
from vst.schedule.score.reading import parse_score, read_score
from vst.schedule.score.sketch import sketch_timeline
from vst.schedule.score.writing import score_text, write_score

__all__ = [
    "ALIGNS",
    "PACES",
    "Clock",
    "Moment",
    "Score",
    "ScoreKey",
    "StyleSource",
    "parse_score",
    "read_score",
    "score_text",
    "sketch_timeline",
    "write_score",
]
