"""Equal segments, the middle of each: the way of the report that this project grew from."""

from __future__ import annotations

from vst.core.timecode import format_time
from vst.errors import MediaError
from vst.keyframes.base import Embed, Film, Picked, Picker
from vst.keyframes.survey import Survey, survey

AROUND = 1.0
"""Seconds before and after a middle that are looked at: enough to tell a blurred frame from a soft
scene. Only where none of them will do, the whole segment is.
"""


class MiddlePicker(Picker):
    """Cuts the film into ``count`` segments of one length and takes the middle of each.

    Where that frame is black, blurred, or the same as an earlier keyframe, the nearest one of the
    segment that is not goes in its place.
    """

    def pick(self, film: Film, count: int, embed: Embed | None = None) -> Picked:
        segments = max(1, min(count, film.info.frames))
        length = film.info.duration / segments
        times: list[float] = []
        notes: list[str] = []
        seen = Survey()
        for segment in range(segments):
            middle = (segment + 0.5) * length
            edges = (segment * length, (segment + 1) * length)
            near = (max(edges[0], middle - AROUND), min(edges[1], middle + AROUND))
            time, note = _best(film, middle, near, seen, segment)
            if note and near != edges:
                time, note = _best(film, middle, edges, seen, segment)
            if note:
                notes.append(f"keyframe {segment + 1}: {note}")
            if time is not None:
                times.append(time)
        if not times:
            times, notes = (
                [0.5 * film.info.duration],
                [*notes, "no frame is better than the middle"],
            )
        return Picked(tuple(times), tuple(notes))


def _best(
    film: Film, middle: float, span: tuple[float, float], seen: Survey, segment: int
) -> tuple[float | None, str | None]:
    """The time to take within ``span``, and what to say of it; ``seen`` takes up its picture."""
    try:
        # A frame earlier, because what is shown at the start of the span began before it.
        here = survey(film, max(0.0, span[0] - 1 / float(film.info.rate)), span[1])
    except MediaError:
        return None, f"no frame from {format_time(span[0])} to {format_time(span[1])} can be read"
    shown = here.shown_at(middle)
    fault = here.fault(shown)
    twin = None if fault else _twin(seen, here, shown)
    if fault is None and twin is None:
        _remember(seen, here, shown, middle)
        return middle, None
    said = f"the frame at {format_time(middle)} is {fault}"
    if twin is not None:
        said = f"the frame at {format_time(middle)} is the same as that at {format_time(twin)}"
    inside = [n for n in here.good if span[0] - 1e-6 <= here.times[n] < span[1]]
    for number in sorted(inside, key=lambda n: abs(here.times[n] - middle)):
        if _twin(seen, here, number) is None:
            _remember(seen, here, number, here.times[number])
            return here.times[number], f"{said}; {format_time(here.times[number])} is taken instead"
    return None, f"{said}, and so is its segment; there is one keyframe less"


def _twin(seen: Survey, here: Survey, number: int) -> float | None:
    """The time of an earlier keyframe that shows the same picture."""
    both = Survey(small=[here.small[number], *seen.small])
    same = both.same(0, list(range(1, len(both.small))))
    return None if same is None else seen.times[same - 1]


def _remember(seen: Survey, here: Survey, number: int, time: float) -> None:
    seen.times.append(time)
    seen.small.append(here.small[number])
