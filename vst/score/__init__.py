"""The score: a file, readable by a person, that says which style is played when, how strong, and
how the change feels.

`read_score` and `write_score` are the file's two ends, `Score.timeline` makes the timeline of a
content, `looks_of_score` opens the styles, `plot_score` draws what is played.
"""

from __future__ import annotations

from vst.draw.scores import plot_score
from vst.score.looks import check_files, looks_of_score
from vst.score.model import ALIGNS, PACES, Clock, Moment, Score, ScoreKey, StyleSource
from vst.score.reading import parse_score, read_score
from vst.score.sketch import sketch_timeline
from vst.score.writing import score_text, write_score

__all__ = [
    "ALIGNS",
    "PACES",
    "Clock",
    "Moment",
    "Score",
    "ScoreKey",
    "StyleSource",
    "check_files",
    "looks_of_score",
    "parse_score",
    "plot_score",
    "read_score",
    "score_text",
    "sketch_timeline",
    "write_score",
]
