"""Take the keyframe times that the user names."""

from __future__ import annotations

from collections.abc import Sequence

from vst.core.timecode import format_time
from vst.errors import UsageError
from vst.imaging.resize import shrink_short_side
from vst.keyframes.base import Embed, KeyframeSelection, Picker
from vst.keyframes.survey import SMALL, is_black
from vst.video.sources.base import FrameReader


class ManualPicker(Picker):
    """Takes exactly ``at``; a black frame gets a note but is taken too."""

    takes_times = True

    def __init__(self, at: Sequence[float] = ()) -> None:
        super().__init__(at)
        if not self.at:
            raise UsageError("picker 'manual' needs times: at is empty. Give some: --at 1.5,4,9")

    def pick(
        self, source: FrameReader, count: int, embed: Embed | None = None
    ) -> KeyframeSelection:
        duration = source.info.duration
        late = [time for time in self.at if time >= duration]
        if late or self.at[0] < 0:
            wrong = (late or self.at)[0]
            raise UsageError(
                f"at: {wrong:g} s is outside {source.info.path.name}. "
                f"Give times from 0 to before {format_time(duration)}"
            )
        notes = []
        for time in self.at:
            step = 1 / float(source.info.rate)
            shown = next(iter(source.frames(max(0.0, time - step / 2), time + step)), None)
            if shown is not None and is_black(shrink_short_side(shown.picture, SMALL)):
                notes.append(f"the frame at {format_time(time)} is black; it is taken as asked")
        return KeyframeSelection(self.at, tuple(notes))
