"""Equal segments, the middle of each: the way of the report that this project grew from."""

from __future__ import annotations

from vst.keyframes.base import Film, Picker


class MiddlePicker(Picker):
    """Cuts the film into ``count`` segments of one length and takes the middle of each."""

    def times(self, film: Film, count: int) -> list[float]:
        segments = max(1, min(count, film.info.frames))
        length = film.info.duration / segments
        return [(segment + 0.5) * length for segment in range(segments)]
