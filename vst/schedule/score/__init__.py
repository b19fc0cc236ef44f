"""Scores: readable files that define which style applies when, how strong, and with which easing.

`read_score` and `write_score` read and write the file; `Score.timeline` makes the timeline for a
content.
"""

from __future__ import annotations

from vst.schedule.score.model import ALIGNS, PACES, Clock, Score, ScoreKey, ScoreTime, StyleSource
from vst.schedule.score.reading import parse_score, read_score
from vst.schedule.score.sketch import sketch_timeline
from vst.schedule.score.writing import format_score, write_score

__all__ = [
    "ALIGNS",
    "PACES",
    "Clock",
    "Score",
    "ScoreKey",
    "ScoreTime",
    "StyleSource",
    "format_score",
    "parse_score",
    "read_score",
    "sketch_timeline",
    "write_score",
]
