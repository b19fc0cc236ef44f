"""Pick the middle of equal segments, as the report did."""

from __future__ import annotations

from vst.core.timecode import format_time
from vst.errors import MediaError
from vst.keyframes.base import Embed, KeyframeSelection, Picker
from vst.keyframes.survey import FrameSurvey, survey_frames
from vst.video.sources.base import FrameReader

AROUND = 1.0
"""Seconds around a middle that are surveyed first: enough to tell a blurred frame from a soft shot.
Where no frame in them is usable, the whole segment is surveyed.
"""
CONTEXT = 1.5
"""Seconds before and after those that are surveyed with them: a fade shows by what it leads to."""


class MiddlePicker(Picker):
    """Divides the video into ``count`` equal segments and takes the middle of each.

    Where that frame has a fault, or is a near twin of an earlier keyframe, the nearest usable
    frame of the segment replaces it.
    """

    def pick(
        self, source: FrameReader, count: int, embed: Embed | None = None
    ) -> KeyframeSelection:
        segments = max(1, min(count, source.info.frames))
        length = source.info.duration / segments
        times: list[float] = []
        notes: list[str] = []
        seen = FrameSurvey()
        for segment in range(segments):
            middle = (segment + 0.5) * length
            edges = (segment * length, (segment + 1) * length)
            near = (max(edges[0], middle - AROUND), min(edges[1], middle + AROUND))
            time, note = _choose_frame(source, middle, near, seen, segment)
            if note and near != edges:
                time, note = _choose_frame(source, middle, edges, seen, segment)
            if note:
                notes.append(f"keyframe {segment + 1}: {note}")
            if time is not None:
                times.append(time)
        if not times:
            times, notes = (
                [0.5 * source.info.duration],
                [*notes, "no frame is better than the middle"],
            )
        return KeyframeSelection(tuple(times), tuple(notes))


def _choose_frame(
    source: FrameReader, middle: float, span: tuple[float, float], seen: FrameSurvey, segment: int
) -> tuple[float | None, str | None]:
    """Choose a time within ``span``; return it (None: no usable frame) and a note. Adds the chosen
    picture to ``seen``.
    """
    try:
        # One frame earlier: the frame shown at the start of the span begins before it.
        start = span[0] - CONTEXT - 1 / float(source.info.rate)
        end = min(source.info.duration, span[1] + CONTEXT)
        here = survey_frames(source, max(0.0, start), end)
    except MediaError:
        return None, f"no frame from {format_time(span[0])} to {format_time(span[1])} can be read"
    shown = here.find_frame_at(middle)
    fault = here.describe_fault(shown)
    twin = None if fault else _find_duplicate(seen, here, shown)
    if fault is None and twin is None:
        _remember(seen, here, shown, middle)
        return middle, None
    verb = "shows only" if fault == "credits" else "is"
    said = f"the frame at {format_time(middle)} {verb} {fault}"
    if twin is not None:
        said = f"the frame at {format_time(middle)} is the same as that at {format_time(twin)}"
    candidates = here.faultless
    if fault == "blank" and all(here.blank):  # a style of plain colors has no other frames
        candidates = here.usable
    inside = [n for n in candidates if span[0] - 1e-6 <= here.times[n] < span[1]]
    for number in sorted(inside, key=lambda n: abs(here.times[n] - middle)):
        if _find_duplicate(seen, here, number) is None:
            if number == shown:
                _remember(seen, here, number, middle)
                return middle, None
            _remember(seen, here, number, here.times[number])
            return here.times[number], f"{said}; {format_time(here.times[number])} is taken instead"
    return None, f"{said}, and so is its segment; there is one keyframe fewer"


def _find_duplicate(seen: FrameSurvey, here: FrameSurvey, number: int) -> float | None:
    """Return the time of an earlier keyframe that shows the same picture, or None."""
    both = FrameSurvey(thumbnails=[here.thumbnails[number], *seen.thumbnails])
    same = both.find_duplicate(0, list(range(1, len(both.thumbnails))), here.median_step)
    return None if same is None else seen.times[same - 1]


def _remember(seen: FrameSurvey, here: FrameSurvey, number: int, time: float) -> None:
    seen.times.append(time)
    seen.thumbnails.append(here.thumbnails[number])
