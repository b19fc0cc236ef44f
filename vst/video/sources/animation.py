"""Read animated WebP and PNG: FFmpeg's decoders read neither with opacity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.limits import LIMITS, Limits, check_frames, check_pixels
from vst.core.types import Frame, VideoInfo
from vst.errors import MediaError
from vst.video.sources.base import Source
from vst.video.sources.picture import open_picture_file
from vst.video.sources.pixels import make_frame

SHORTEST = 10
"""Milliseconds; players show a picture with a shorter time for 100."""
SHOWN_INSTEAD = 100


class AnimationSource(Source):
    """Yields the pictures of an animation at their own times, composited over black, or with their
    opacity. The file is decoded once to find these times: no header has them all.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        super().__init__()
        self._path, self._limits = path, limits
        self._lengths: list[int] = []
        self._has_alpha = False
        try:
            with open_picture_file(path) as image:
                (width, height), kind = image.size, (image.format or "").lower()
        except Exception as error:  # Pillow's decoders raise nearly anything on damaged data
            text = " ".join(str(error).split())
            raise MediaError(f"{str(path)!r} is damaged: {text}. Save it again") from error
        check_pixels(repr(str(path)), width, height, limits.pixels)
        for pixels, length in self._decode():
            self._lengths.append(length)
            self._has_alpha |= bool((pixels[..., 3] < 255).any())
        if not self._lengths:
            raise MediaError(f"{str(path)!r} has no readable frame. Give another file")
        total = sum(self._lengths)
        self.info = VideoInfo(
            path=path,
            width=width,
            height=height,
            rate=Fraction(1000 * len(self._lengths), total),
            frames=len(self._lengths),
            duration=total / 1000,
            variable=len(set(self._lengths)) > 1,
            exact_count=True,
            codec=kind,
            pixel_format="rgba",
        )

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        index = passed = 0
        # What could not be decoded is known, and was said, since the file was opened.
        for (pixels, length), _ in zip(self._decode(), self._lengths):
            time, passed = passed / 1000, passed + length
            if end is not None and time >= end - 1e-9:
                return
            if time >= start - 1e-9:
                yield self._make_frame(index, time, pixels)
                index += 1

    def keep_alpha(self) -> bool:
        self.info = replace(self.info, alpha=self._has_alpha)
        return self._has_alpha

    def _make_frame(self, index: int, time: float, pixels: Any) -> Frame:
        if self.info.alpha:
            return make_frame(index, time, pixels)
        share = pixels[..., 3:].astype(np.float32) / 255
        return make_frame(index, time, np.rint(pixels[..., :3] * share).astype(np.uint8))

    def _decode(self) -> Iterator[tuple[Any, int]]:
        """Yield the RGBA of each picture, and the milliseconds for which it is shown."""
        with open_picture_file(self._path) as image:
            count = getattr(image, "n_frames", 1)
            check_frames(repr(str(self._path)), count, self._limits.frames)
            # A picture for programs that show no animation may come first, and is no part of it.
            for number in range(int(getattr(image, "default_image", False)), count):
                try:
                    image.seek(number)
                    pixels = np.array(image.convert("RGBA"), np.uint8)
                except Exception as error:  # Pillow's decoders raise nearly anything
                    self._warn_of_end(number, count, error)
                    return
                length = round(image.info.get("duration", 0))
                yield pixels, length if length > SHORTEST else SHOWN_INSTEAD

    def _warn_of_end(self, number: int, count: int, error: Exception) -> None:
        line = (
            f"{str(self._path)!r} ends early, after {number} frames of {count} "
            f"({' '.join(str(error).split())}); the readable part is used"
        )
        if line not in self.warnings:
            self.warnings.append(line)
