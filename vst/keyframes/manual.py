"""The times that the user names."""

from __future__ import annotations

from collections.abc import Sequence

from vst.core.timecode import format_time
from vst.errors import UsageError
from vst.keyframes.base import Embed, Film, Picked, Picker
from vst.keyframes.survey import is_black, shrunk


class ManualPicker(Picker):
    """Takes exactly ``at``; a black frame among them is taken as well, and said."""

    takes_times = True

    def __init__(self, at: Sequence[float] = ()) -> None:
        super().__init__(at)
        if not self.at:
            raise UsageError("picker 'manual' was given no times; name them: --at 1.5,4,9")

    def pick(self, film: Film, count: int, embed: Embed | None = None) -> Picked:
        duration = film.info.duration
        late = [time for time in self.at if time >= duration]
        if late or self.at[0] < 0:
            wrong = (late or self.at)[0]
            raise UsageError(
                f"the keyframe time {wrong:g} s is not in {film.info.path.name}; "
                f"it goes from 0 to before {format_time(duration)}"
            )
        notes = []
        for time in self.at:
            step = 1 / float(film.info.rate)
            shown = next(iter(film.frames(max(0.0, time - step / 2), time + step)), None)
            if shown is not None and is_black(shrunk(shown.picture)):
                notes.append(f"the frame at {format_time(time)} is black; it is taken as asked")
        return Picked(self.at, tuple(notes))
