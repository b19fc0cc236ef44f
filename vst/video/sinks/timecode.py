"""The content's timecode and reel, for the first frame of the output."""

from __future__ import annotations

import contextlib

from vst.core.smpte import shift_timecode
from vst.errors import UsageError
from vst.video.sinks.base import SinkSpec


def find_start_timecode(spec: SinkSpec, first: float) -> str:
    """Return the timecode of the frame at ``first`` seconds of the content; empty where the content
    has none, or none that can be read.
    """
    if spec.content is None or not spec.content.timecode:
        return ""
    with contextlib.suppress(UsageError):
        return shift_timecode(spec.content.timecode, spec.content.rate, first, spec.rate)
    return ""


def build_timecode_options(spec: SinkSpec, first: float) -> list[str]:
    """Build ffmpeg's options that write timecode and reel; MP4 holds no reel."""
    timecode = find_start_timecode(spec, first)
    if not timecode:
        return []
    reel = spec.content.reel if spec.content is not None else ""
    named = ["-metadata:s:v:0", f"reel_name={reel}"] if reel else []
    return ["-timecode", timecode, "-metadata:s:v:0", f"timecode={timecode}", *named]
