"""The input of a study: a short clip of the content at one size, or one picture of it.

All cases get the same file, at the size at which they paint: nothing is resized between painting
and measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from vst.checkpoint.fingerprint import fingerprint_input
from vst.core.files import hash_file
from vst.core.types import Embedding, Frame, Picture
from vst.errors import MediaError, UsageError
from vst.evaluation.measure import PREDICTOR
from vst.imaging.resize import resize
from vst.job import Job, compute_painting_size
from vst.metrics.ssim import ContentSimilarity
from vst.metrics.variation import TotalVariation
from vst.pipeline.parts import open_engine
from vst.plotting import save_picture
from vst.preview import read_middle_picture
from vst.samples import PATTERNS, draw_pattern
from vst.schedule.timeline import NONE, blend_embeddings
from vst.styles.resolve import ResolvedStyle, check_style_exists, resolve_styles
from vst.video.sinks import open_sink
from vst.video.sinks.base import SinkSpec
from vst.video.sources import open_source

SIZE = 256
"""Short side, in pixels, of what is painted, unless another is given: a study is many paintings."""
SECONDS = 2.0
"""Length of the clip, unless another is given."""
INPUTS = "inputs"
CLIP_QUALITY = 8
"""The clip's constant rate factor: close to lossless."""


@dataclass(frozen=True)
class Subject:
    """Content, styles and size, as given. ``start`` and ``seconds`` apply to videos."""

    content: str
    styles: tuple[str, ...]
    size: int = SIZE
    start: float = 0.0
    seconds: float = SECONDS
    predictor: str = PREDICTOR

    def check(self) -> None:
        """Refuse what can be known to be wrong before anything is done."""
        if not self.styles:
            raise UsageError("no style was given. Name one with -s: a picture, a video, or @name")
        for style in self.styles:
            check_style_exists(style)
        with open_source(self.content) as source:
            length = source.info.duration
        if length and self.start >= length:
            raise UsageError(
                f"start {self.start:g}: {self.content} ends after {length:g} s. Give an earlier one"
            )

    def fingerprint(self) -> dict[str, Any]:
        """What a row's result depends on, whatever the case: files by what is in them."""
        return {
            "content": fingerprint_input(self.content),
            "styles": [fingerprint_input(style) for style in self.styles],
            "size": self.size,
            "predictor": self.predictor,
        }

    def span(self) -> dict[str, float]:
        """What of a video is taken."""
        return {"start": self.start, "seconds": self.seconds}

    def names(self) -> str:
        """The content and the styles, for a line of text."""
        styles = ", ".join(Path(style).name for style in self.styles)
        return f"{Path(self.content).name} in {styles}"


def replace_drawn_styles(subject: Subject, folder: Path) -> Subject:
    """Return the subject, checked, with pictures instead of the built-in styles: some engines take
    no style as an embedding.
    """
    subject.check()
    styles = []
    for style in subject.styles:
        name = style.removeprefix("@")
        if style.startswith("@") and name in PATTERNS:
            path = folder / INPUTS / f"{name}.png"
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                save_picture(path, draw_pattern(name))
            style = str(path)
        styles.append(style)
    return replace(subject, styles=tuple(styles))


def write_still(subject: Subject, folder: Path) -> Path:
    """Write the picture to paint: the content, or the frame in its middle, as a PNG."""
    path = input_path(subject, folder, "picture", ".png")
    if not path.is_file():
        picture = read_middle_picture(subject.content)
        width, height = compute_painting_size(subject.size, picture.shape[1], picture.shape[0])
        save_picture(path, resize(picture, width, height))
    return path


def write_clip(subject: Subject, folder: Path) -> Path:
    """Write the clip to paint: a part of the content, without sound, as an MP4."""
    path = input_path(subject, folder, f"clip {subject.span()}", ".mp4")
    if path.is_file():
        return path
    with open_source(subject.content) as source:
        info = source.info
        width, height = compute_painting_size(
            subject.size, info.width, info.height, info.sample_aspect
        )
        # What every browser plays has sides of even length.
        width, height = round_to_even(width), round_to_even(height)
        spec = SinkSpec(path, width, height, info.rate, crf=CLIP_QUALITY, overwrite=True)
        with open_sink(spec) as sink:
            count = 0
            for frame in source.frames(subject.start, subject.start + subject.seconds):
                picture = resize(frame.picture, width, height)
                sink.write(Frame(count, float(count / Fraction(info.rate)), picture))
                count += 1
            if count < 2:
                raise MediaError(
                    f"{subject.content} has {count} frames in {subject.seconds:g} s from "
                    f"{subject.start:g} s on. A study of videos needs two or more"
                )
            sink.finish()
    return path


def round_to_even(length: int) -> int:
    """Round to the nearest even number of pixels."""
    return max(2, round(length / 2) * 2)


def input_path(subject: Subject, folder: Path, kind: str, suffix: str) -> Path:
    """Return the path of an input of this kind; another content, size or span has another path."""
    path = Path(subject.content)
    what = hash_file(path, "blake2b") if path.is_file() else fingerprint_input(subject.content)
    key = blake2b(f"{what} {subject.size} {kind}".encode(), digest_size=6).hexdigest()
    place = folder / INPUTS / f"{key}{suffix}"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def collect_pictures(styles: Sequence[ResolvedStyle]) -> dict[str, Picture]:
    """Return name -> picture of the styles that have one."""
    return {
        style.name: style.picture
        for style in styles
        if style.space is None and not style.is_content
    }


def resolve_subject_styles(subject: Subject) -> list[ResolvedStyle]:
    """Return the subject's styles, as a job takes them."""
    job = Job(subject.content, subject.styles, "")
    return resolve_styles(job.styles, keyframes=job.keyframes, picker=job.picker)


class StillJudge:
    """Measures paintings of one picture; the predictor opens at its first use."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._engine: Any = None
        self._wanted: Embedding | None = None

    def figures(self, content: Picture, painted: Picture) -> dict[str, float]:
        """Total variation, style distance and likeness to the content, of RGB uint8 pictures."""
        if self._engine is None:
            self._engine = open_engine(self.subject.predictor)
            if not hasattr(self._engine, "embed"):
                raise UsageError(
                    f"engine {self.subject.predictor!r} has no style embeddings. "
                    "Choose another predictor"
                )
        if self._wanted is None:
            numbers = [
                np.asarray(style.style, np.float32)
                if style.space
                else self._engine.embed(style.style)
                for style in resolve_subject_styles(self.subject)
                if style.name != NONE
            ]
            self._wanted = blend_embeddings(numbers, [1 / len(numbers)] * len(numbers), "embedding")
        variation = TotalVariation().add(content, painted)
        return {
            "variation": variation,
            "variation_sum": variation * painted.shape[0] * painted.shape[1],
            "style": float(np.linalg.norm(self._engine.embed(painted) - self._wanted)),
            "content_ssim": ContentSimilarity().add(content, painted),
        }

    def close(self) -> None:
        """Let go of the predictor."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
