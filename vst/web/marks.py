"""What the page's timeline shows: the styles' curves, and the cuts and beats of a content."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from vst.errors import UsageError
from vst.schedule.alignment import find_cut_times
from vst.schedule.timeline import Timeline
from vst.video.beats import find_beats_in_file
from vst.video.sources import open_source
from vst.web.form import Form, name_styles
from vst.web.sessions import StoredFile

POINTS = 161
"""Points of a curve."""
SEARCHED_FRAMES = 20_000
"""Frames from the start of a content in which cuts are sought."""


def sample_curves(form: Form, timeline: Timeline) -> dict[str, Any]:
    """Sample the weight of each style over the painted part of the content: the seconds of its
    first and last frame, and evenly spaced weights by the style's id.
    """
    start = form.trim[0] if form.trim else 0.0
    last = max(start + form.seconds - 1 / form.content.about["rate"], start)
    times = [start + (last - start) * index / (POINTS - 1) for index in range(POINTS)]
    mixes = [timeline.at(time).weights for time in times]
    weights = {
        number: [round(float(mix.get(name, 0.0)), 3) for mix in mixes]
        for number, name in name_styles(form).items()
    }
    return {"start": start, "last": last, "weights": weights}


def find_marks(file: StoredFile) -> dict[str, list[float]]:
    """Find the cuts and the beats of a content, in seconds."""
    with open_source(file.path) as source:
        searched = takewhile(lambda frame: frame.index < SEARCHED_FRAMES, source.frames())
        cuts, info = find_cut_times(searched), source.info
    try:
        beats = find_beats_in_file(info.path, info.origin) if info.audio else []
    except UsageError:
        beats = []
    last = info.duration
    return {
        "cuts": [round(time, 3) for time in cuts],
        "beats": [round(time, 3) for time in beats if time < last],
    }
