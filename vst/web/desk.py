"""What is seen at once: thumbnails, the picture of the score, single painted moments."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import OutputError, UsageError, VSTError
from vst.job import LARGEST_BY_DEFAULT, Job
from vst.notebook.display import swatch
from vst.plotting import plot_score, resize_to
from vst.preview import FramePreviewer
from vst.schedule.score import StyleSource
from vst.styles.library import builtin_styles
from vst.styles.resolve import resolve_styles
from vst.video.sources import open_source
from vst.web.form import job_of_form, number, read_form
from vst.web.rooms import Kept, Room, Shown

THUMBNAIL = 240
"""Longer side, in pixels, of the pictures of styles."""
WIDEST = 1280
"""Longer side of a moment on the page; it is painted at the job's own size."""
PLOT = (320, 1600)
"""Least and largest width of the picture of a score."""

LATEST = 1e6
"""Seconds of a content up to which a moment can be asked for."""

log = logging.getLogger(__name__)


def jpeg(picture: Picture, longest: int, quality: int = 85) -> bytes:
    """A picture as JPEG, its longer side at most ``longest`` pixels."""
    height, width = picture.shape[:2]
    part = min(1.0, longest / max(height, width))
    small = resize_to(picture, round(width * part), round(height * part)) if part < 1 else picture
    return encoded(small, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def encoded(picture: Picture, ending: str, settings: list[int] | None = None) -> bytes:
    """A picture in the bytes of a file."""
    fine, packed = cv2.imencode(ending, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings or [])
    if not fine:
        raise OutputError(f"a picture of {picture.shape[1]}x{picture.shape[0]} cannot be stored")
    return packed.tobytes()


class Desk:
    """Paints single moments for all rooms, one after the other: the engine stays open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moments = FramePreviewer()
        self._swatches: dict[str, bytes] = {}
        self._swatched = threading.Event()

    def warm(self) -> None:
        """Paint the built-in styles and open the engine, before the first visitor wants them."""
        threading.Thread(target=self._warm, name="vst warming", daemon=True).start()

    def _warm(self) -> None:
        try:
            engine = None
            for name, style in builtin_styles().items():
                painted = swatch(style.embedding, style.space)
                if painted is not None:
                    self._swatches[name] = jpeg(painted, THUMBNAIL)
            with self._lock:
                engine = self._moments.engine_of(Job("", ("none",), ""))
                grey = np.full((64, 64, 3), 128, np.uint8)
                engine.prepare({"first": grey})
        except Exception:
            log.exception("the engine could not be opened ahead")
        finally:
            self._swatched.set()

    def expect(self, file: Kept) -> None:
        """Get ready for moments of a content that was just brought: the engine makes a function for
        its size, which takes longer than painting does.
        """
        threading.Thread(
            target=self._expect, args=(file,), name="vst getting ready", daemon=True
        ).start()

    def _expect(self, file: Kept) -> None:
        job = Job(str(file.path), (f"@{next(iter(builtin_styles()))}",), f"{file.path}.mp4")
        try:
            with self._lock:
                self._moments.paint(job, file.about["duration"] / 2)
        except VSTError as error:  # it will be said to whoever asks for a moment
            log.info("not ready for %s: %s", file.name, error)

    def swatch(self, name: str) -> bytes:
        """The picture of a built-in style; waits while they are being painted."""
        if name not in builtin_styles():
            raise UsageError(f"no built-in style {name!r}")
        while name not in self._swatches and not self._swatched.wait(0.05):
            pass
        return self._swatches.get(name) or jpeg(np.full((2, 3, 3), 128, np.uint8), 3)

    def looks(self, room: Room, file: Kept, keyframes: int, picker: str) -> list[Shown]:
        """The looks of an uploaded style, with their thumbnails in the room."""
        found = []
        with self._lock:
            job = Job(str(file.path), ("none",), "")
            embed = getattr(self._moments.engine_of(job), "embed", None)
            looks = resolve_styles(
                [str(file.path)], keyframes=keyframes, picker=picker, embed=embed
            )
        film = len(looks) > 1 or looks[0].name != file.path.stem
        for count, look in enumerate(looks, 1):
            number = room.new_id()
            place = room.folder / f"look-{number}.jpg"
            place.write_bytes(jpeg(look.picture, THUMBNAIL))
            thumbnail = Kept(number, place, f"{number}.jpg", "look")
            stem = file.name.rpartition(".")[0]
            source = StyleSource(file.path.name, round(look.time, 3) if film else None)
            name = f"{stem} {count}" if film else stem
            shown = Shown(number, name, source, number, round(look.time, 3))
            room.files[number] = thumbnail
            room.looks[number] = shown
            found.append(shown)
        return found

    def moment(self, room: Room, sent: Mapping[str, Any]) -> dict[str, Any]:
        """The content at a time, and the same painted: two JPEGs, and the seconds it took."""
        began = time.perf_counter()
        with self._lock:
            job = self._job(room, sent)
            at = number("time", sent.get("time"), 0, LATEST)
            moment = self._moments.paint(job, at)
        return {
            "before": jpeg(moment.content, WIDEST),
            "after": jpeg(moment.painting, WIDEST),
            "seconds": round(time.perf_counter() - began, 3),
            "weights": {
                name: round(share, 3)
                for name, share in moment.played.timeline.at(at).weights.items()
            },
        }

    def plot(self, room: Room, sent: Mapping[str, Any]) -> bytes:
        """The curves of the score, as PNG; ``width`` pixels wide, ``dark`` or light."""
        width = int(min(max(number("width", sent.get("width")), PLOT[0]), PLOT[1]))
        with self._lock:
            job = self._job(room, sent)
            played = self._moments.arranged(job)
            with open_source(job.content) as source:
                length = max(source.info.duration - 1 / float(source.info.rate), 1e-3)
        thumbnails = {look.name: look.picture for look in played.looks if look.space is None}
        for look in played.looks:
            if look.space is not None and not look.is_content:
                raw = np.frombuffer(self._swatches.get(look.name, b"\0"), np.uint8)
                picture = cv2.imdecode(raw, cv2.IMREAD_COLOR)
                if picture is not None:
                    thumbnails[look.name] = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        thumbnails.pop("none", None)
        dark = bool(sent.get("dark"))
        return encoded(
            plot_score(played.timeline, thumbnails, length, width=width, dark=dark), ".png"
        )

    def close(self) -> None:
        """Let go of the engine."""
        with self._lock:
            self._moments.close()

    def _job(self, room: Room, sent: Mapping[str, Any]) -> Job:
        job = job_of_form(read_form(room, sent), room.folder)
        return replace(job, overwrite=True, size=job.size or LARGEST_BY_DEFAULT)


def still(file: Kept, at: float) -> bytes:
    """A frame of an uploaded video, as JPEG."""
    at = number("time", at)
    with open_source(file.path) as source:
        return jpeg(source.at(min(max(at, 0.0), source.info.duration)), WIDEST)
