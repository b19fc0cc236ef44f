"""What the page shows without a job: thumbnails, the plot of the score, single painted frames."""

from __future__ import annotations

import base64
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
from vst.imaging.resize import resize
from vst.job import DEFAULT_MAX_SIDE, Job
from vst.masks.base import Alpha
from vst.notebook.display import SWATCH, paint_swatch
from vst.pipeline.estimate import estimate
from vst.preview import FramePreviewer
from vst.samples import draw_photo
from vst.schedule.score import StyleSource
from vst.schedule.timeline import NONE
from vst.styles.library import load_builtin_styles
from vst.styles.resolve import StyleReading, resolve_styles
from vst.video.sources import open_source
from vst.web.drawn import DrawnMasks, cut_sent_box
from vst.web.form import build_job, name_styles, parse_rectangle, read_form
from vst.web.marks import sample_curves
from vst.web.numbers import parse_number
from vst.web.sessions import PageStyle, Session, StoredFile

THUMBNAIL = 240
"""Longer side, in pixels, of the pictures of styles."""
WIDEST = 1280
"""Longer side of a painted frame on the page; it is painted at the job's own size."""
SMALLEST_STILL = 32
"""Least value of the longer side of a frame, in pixels."""
LATEST = 1e6
"""Latest time of a frame, in seconds."""
CLIP_FRAMES = 24
"""Painted frames of the transition that is played before rendering."""
CLIP_SIZE = 144
"""Short side at which they are painted, in pixels."""
CLIP_SIDE = 400
"""Longer side at which they are sent, in pixels."""
ESTIMATED_FRAMES = 20
"""First frames of a job that are painted to estimate what it takes."""

log = logging.getLogger(__name__)


def encode_jpeg(picture: Picture, longest: int, quality: int = 85) -> bytes:
    """Encode a picture as JPEG, its longer side at most ``longest`` pixels."""
    height, width = picture.shape[:2]
    part = min(1.0, longest / max(height, width))
    small = resize(picture, round(width * part), round(height * part)) if part < 1 else picture
    return encode_picture(small, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_picture(picture: Picture, ending: str, settings: list[int] | None = None) -> bytes:
    """Encode a picture as the bytes of a file."""
    fine, packed = cv2.imencode(ending, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings or [])
    if not fine:
        raise OutputError(f"a picture of {picture.shape[1]}x{picture.shape[0]} cannot be stored")
    return packed.tobytes()


def encode_data_url(packed: bytes, kind: str) -> str:
    """Encode bytes as a data URL."""
    return f"data:{kind};base64," + base64.b64encode(packed).decode("ascii")


def encode_mask(alpha: Alpha | None) -> dict[str, Any]:
    """Encode a mask for the page: gray, PNG; None where there is none."""
    if alpha is None:
        return {"mask": None}
    packed = encode_picture(np.asarray(cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), np.uint8), ".png")
    return {"mask": encode_data_url(packed, "image/png")}


def keep_style(session: Session, name: str, source: StyleSource, picture: Picture) -> PageStyle:
    """Put a style and its thumbnail into the session."""
    number = session.new_id()
    path = session.folder / f"style-{number}.jpg"
    packed = encode_jpeg(picture, THUMBNAIL)
    session.reserve(path, len(packed))
    try:
        path.write_bytes(packed)
    finally:
        session.release(path)
    session.keep_file(StoredFile(number, path, f"{number}.jpg", "thumbnail"))
    return session.keep_style(PageStyle(number, name, source, number, source.at or 0.0))


class Previews:
    """Paints single frames for all sessions, one at a time, with an engine that stays open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._previewer = FramePreviewer()
        self._drawn = DrawnMasks()
        self._swatches: dict[str, bytes] = {}
        self._swatched = threading.Event()

    def warm(self) -> None:
        """Paint the built-in styles and open the engine before the first visitor needs them."""
        threading.Thread(target=self._warm, name="vst warming", daemon=True).start()

    def _warm(self) -> None:
        try:
            for name, style in load_builtin_styles().items():
                painted = paint_swatch(style.embedding, style.space)
                if painted is not None:
                    self._swatches[name] = encode_jpeg(painted, THUMBNAIL)
            with self._lock:
                engine = self._previewer.open_engine(Job("", ("none",), ""))
                gray = np.full((64, 64, 3), 128, np.uint8)
                engine.prepare({"first": gray})
        except Exception:
            log.exception("the engine could not be opened in advance")
        finally:
            self._swatched.set()

    def expect(self, file: StoredFile) -> None:
        """Warm up for an uploaded content: the engine compiles a function for its size, which takes
        longer than painting a frame.
        """
        job = Job(str(file.path), (f"@{next(iter(load_builtin_styles()))}",), f"{file.path}.mp4")
        try:
            with self._lock:
                self._previewer.paint(job, file.about["duration"] / 2)
        except (VSTError, OSError) as error:  # the request for a frame reports it
            log.info("no warm-up for %s: %s", file.name, error)

    def swatch(self, name: str) -> bytes:
        """Return the picture of a built-in style, or of none; wait while they are being painted."""
        if name == NONE:
            return encode_jpeg(draw_photo(*SWATCH), THUMBNAIL)
        if name not in load_builtin_styles():
            raise UsageError(f"no built-in style {name!r}")
        while name not in self._swatches and not self._swatched.wait(0.05):
            pass
        return self._swatches.get(name) or encode_jpeg(np.full((2, 3, 3), 128, np.uint8), 3)

    def take_styles(
        self, session: Session, file: StoredFile, keyframes: int, picker: str
    ) -> list[PageStyle]:
        """Take the keyframes of an uploaded style, and put their thumbnails into the session."""
        found = []
        with self._lock:
            job = Job(str(file.path), ("none",), "")
            embed = getattr(self._previewer.open_engine(job), "embed", None)
            styles = resolve_styles(
                [str(file.path)],
                keyframes=keyframes,
                picker=picker,
                reading=StyleReading(embed),
            )
        is_video = len(styles) > 1 or styles[0].name != file.path.stem
        for count, style in enumerate(styles, 1):
            stem = file.name.rpartition(".")[0]
            source = StyleSource(file.path.name, round(style.time, 3) if is_video else None)
            name = f"{stem} {count}" if is_video else stem
            found.append(keep_style(session, name, source, style.picture))
        return found

    def paint_frame(self, session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Paint the content at one time: two JPEGs, the style weights, and the seconds it took."""
        began = time.perf_counter()
        with self._lock:
            job = self._job(session, sent)
            at = parse_number("time", sent.get("time"), 0, LATEST)
            frame = self._previewer.paint(job, at)
        mix = frame.schedule.timeline.at(at).weights
        return {
            "before": encode_jpeg(frame.content, WIDEST),
            "after": encode_jpeg(frame.painting, WIDEST),
            "seconds": round(time.perf_counter() - began, 3),
            "weights": {
                number: round(float(mix.get(name, 0.0)), 3)
                for number, name in name_styles(read_form(session, sent)).items()
            },
        }

    def paint_clip(self, session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Paint small frames along the whole content: JPEGs and their times in seconds."""
        with self._lock:
            job = self._job(session, sent)
            form = read_form(session, sent)
            span = max(form.seconds - 1 / form.content.about["rate"], 0.0)
            times = [job.start + span * index / (CLIP_FRAMES - 1) for index in range(CLIP_FRAMES)]
            frames = self._previewer.paint_clip(job, times, CLIP_SIZE)
        return {"frames": [encode_jpeg(one, CLIP_SIDE, 80) for one in frames], "times": times}

    def estimate(self, session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Estimate what rendering takes, by painting the job's first frames: seconds, frames,
        bytes of the file, and the size of its pictures.
        """
        with self._lock:
            job = replace(build_job(read_form(session, sent), session.folder), overwrite=True)
            engine = self._previewer.open_engine(job)
            try:
                found = estimate(job, frames=ESTIMATED_FRAMES, engine=engine)
            finally:
                self._previewer.forget_styles()  # the trial has prepared the engine for others
        return {
            "seconds": found.seconds,
            "frames": found.frames,
            "bytes": found.bytes,
            "size": found.size,
        }

    def sample_curves(self, session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Sample the curves of the score."""
        with self._lock:
            schedule = self._previewer.build_schedule(self._job(session, sent))
        return sample_curves(read_form(session, sent), schedule.timeline)

    def find_mask(self, session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Find the mask that drawn ones make of a frame."""
        with self._lock:
            return encode_mask(self._drawn.find(session, sent))

    def cut_box(self, session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Find the mask of what is in a box."""
        with self._lock:
            return encode_mask(cut_sent_box(session, sent, parse_rectangle(sent.get("box"))))

    def close(self) -> None:
        """Close the engine."""
        with self._lock:
            self._previewer.close()

    def _job(self, session: Session, sent: Mapping[str, Any]) -> Job:
        job = build_job(read_form(session, sent), session.folder)
        return replace(job, overwrite=True, size=job.size or DEFAULT_MAX_SIDE)


def read_still(file: StoredFile, at: float, side: int = WIDEST) -> bytes:
    """Return a frame of an uploaded video as JPEG, its longer side at most ``side`` pixels."""
    at = parse_number("time", at)
    with open_source(file.path) as source:
        picture = source.at(min(max(at, 0.0), source.info.duration))
    return encode_jpeg(picture, min(max(side, SMALLEST_STILL), WIDEST))
