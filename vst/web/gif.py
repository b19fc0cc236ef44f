"""A GIF of a painting, small enough to send in a message."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vst.imaging.resize import resize
from vst.video.sinks import open_sink
from vst.video.sinks.base import SinkSpec
from vst.video.sources import open_source
from vst.web.queue import QueuedTask
from vst.web.sessions import Session, StoredFile

SECONDS = 12.0
"""Longest GIF: the first seconds of a longer painting."""
SIDE = 480
"""Longer side of the picture, in pixels."""
RATE = 12
"""Most frames a second."""
BYTES_PER_PIXEL = 4.0
"""Bytes for each pixel while the GIF is written, from above: it is stored losslessly first."""


def make_gif(session: Session, task: QueuedTask) -> StoredFile:
    """Write the GIF of a task's painting into the session; return the one that it has if it has
    one.
    """
    number = task.outcome.get("gif")
    if number in session.files:
        return session.file(number)
    video = session.file(task.outcome["video"])
    path = task.folder / "painted.gif"
    kept = StoredFile(session.new_id(), path, f"{Path(video.name).stem}.gif", "result")
    with open_source(video.path) as source:
        info = source.info
        share = min(1.0, SIDE / max(info.width, info.height))
        width, height = (max(2, round(side * share)) for side in (info.width, info.height))
        rate = min(Fraction(RATE), info.rate)
        count = float(min(SECONDS, info.duration) * rate) + 1
        session.reserve(path, round(count * width * height * BYTES_PER_PIXEL))
        try:
            with open_sink(SinkSpec(path, width, height, rate, overwrite=True)) as sink:
                written = 0
                for frame in source.frames(0.0, SECONDS):
                    if frame.time >= written / float(rate) - 1e-6:
                        sink.write(replace(frame, picture=resize(frame.picture, width, height)))
                        written += 1
                sink.finish()
        finally:
            session.release(path)
    session.keep_file(kept)
    task.outcome["gif"] = kept.id
    task.save()
    return kept
