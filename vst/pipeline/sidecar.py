"""A file beside the output that shows an editor where styles change: OpenTimelineIO or an EDL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vst.core.files import atomic_write
from vst.core.smpte import count_dropped, format_timecode, parse_timecode, shift_timecode
from vst.core.types import VideoInfo
from vst.errors import OutputError, OutputExistsError, UsageError
from vst.job import Job
from vst.schedule.timeline import Timeline

SUFFIXES = (".otio", ".edl")


@dataclass(frozen=True)
class StyleChange:
    """A style that is reached: its frame of the output, from 0, and its name."""

    frame: int
    name: str


@dataclass(frozen=True)
class CutSheet:
    """The output as an editor sees it. ``start``: the number of its first frame's timecode;
    ``drops``: whether that is drop-frame.
    """

    name: str
    reel: str
    rate: Fraction
    frames: int
    start: int
    drops: bool
    changes: tuple[StyleChange, ...]


def check_sidecar(job: Job) -> None:
    """Refuse a name that cannot be written."""
    if job.sidecar is None:
        return
    path = Path(job.sidecar)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"sidecar {job.sidecar!r} is neither OpenTimelineIO nor an EDL. Give a name that ends "
            f"in {' or '.join(SUFFIXES)}"
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(f"the folder of sidecar {job.sidecar!r} does not exist. Create it")
    if path.exists() and not job.overwrite:
        raise OutputExistsError(f"sidecar {job.sidecar!r} exists. Set overwrite=True to replace it")


def describe_output(job: Job, info: VideoInfo, timeline: Timeline, frames: int) -> CutSheet:
    """Describe the finished output of ``frames`` frames."""
    rate, start, drops = job.fps or info.rate, 0, count_dropped(job.fps or info.rate) > 0
    if info.timecode:
        text = shift_timecode(info.timecode, info.rate, job.start, rate)
        start, drops = parse_timecode(text, rate)
    changes = []
    for key in timeline.keys:
        frame = round((key.time - job.start) / job.speed * rate)
        changes.append(StyleChange(min(max(0, frame), frames - 1), format_mix(key.weights)))
    name = Path(job.output).name
    return CutSheet(name, info.reel, rate, frames, start, drops, tuple(changes))


def format_mix(weights: Mapping[str, float]) -> str:
    """Format the styles of a key: "ink-wash", or "60 % ink-wash, 40 % sea"."""
    shown = {name: weight for name, weight in weights.items() if weight > 0.005}
    if len(shown) == 1:
        return next(iter(shown))
    return ", ".join(f"{weight:.0%} {name}".replace("%", " %") for name, weight in shown.items())


def write_sidecar(path: Path, sheet: CutSheet) -> None:
    """Write the file, by its suffix; it appears when it is whole."""
    make = format_edl if path.suffix.lower() == ".edl" else format_otio
    try:
        with atomic_write(path) as draft:
            draft.write_text(make(sheet), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"sidecar {str(path)!r} cannot be written ({error.strerror or error}). The output is "
            "complete; give another name and run again"
        ) from error


def format_edl(sheet: CutSheet) -> str:
    """Format a CMX 3600 list of one event, with a locator at each style."""

    def at(frame: int) -> str:
        return format_timecode(sheet.start + frame, sheet.rate, sheet.drops)

    reel = "".join(sign for sign in sheet.reel.upper() if sign.isalnum())[:8] or "AX"
    span = f"{at(0)} {at(sheet.frames)}"
    lines = [
        f"TITLE: {Path(sheet.name).stem}",
        f"FCM: {'DROP FRAME' if sheet.drops else 'NON-DROP FRAME'}",
        "",
        f"001  {reel:<8} V     C        {span} {span}",
        f"* FROM CLIP NAME: {sheet.name}",
        *(f"* LOC: {at(one.frame)} BLUE    {one.name}" for one in sheet.changes),
    ]
    return "\n".join(lines) + "\n"


def format_otio(sheet: CutSheet) -> str:
    """Format a timeline of one clip, with a marker at each style."""
    whole = _make_range(sheet.start, sheet.frames, sheet.rate)
    markers = [
        {
            "OTIO_SCHEMA": "Marker.2",
            "name": one.name,
            "color": "BLUE",
            "marked_range": _make_range(sheet.start + one.frame, 1, sheet.rate),
            "metadata": {"vst": {"style": one.name}},
        }
        for one in sheet.changes
    ]
    clip = {
        "OTIO_SCHEMA": "Clip.1",
        "name": sheet.name,
        "source_range": whole,
        "media_reference": {
            "OTIO_SCHEMA": "ExternalReference.1",
            "target_url": sheet.name,
            "available_range": whole,
            "metadata": {"reel": sheet.reel} if sheet.reel else {},
        },
        "markers": markers,
    }
    track = {"OTIO_SCHEMA": "Track.1", "name": "V1", "kind": "Video", "children": [clip]}
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": Path(sheet.name).stem,
        "global_start_time": _make_time(sheet.start, sheet.rate),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]},
    }
    return json.dumps(timeline, indent=1, ensure_ascii=False) + "\n"


def _make_time(frames: int, rate: Fraction) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}


def _make_range(start: int, frames: int, rate: Fraction) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _make_time(start, rate),
        "duration": _make_time(frames, rate),
    }
