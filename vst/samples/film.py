"""The style film, and how the sample clips are written: H.264 with AAC sound, by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vst.core.files import atomic_write
from vst.core.types import Picture
from vst.errors import OutputError, UsageError
from vst.samples import tune
from vst.samples.landscape import Landscape
from vst.samples.noise import draw_clouds, make_generator, make_grid
from vst.samples.patterns import draw_pattern

SCENES = ("blue-swirls", "indigo-waves", "warm-dots", "stained-glass", "ink-wash", "fire-impasto")
"""The patterns that the style film shows, in order."""

MARGIN = 1.12  # scenes are drawn this much larger than shown, so that they can move


@dataclass(frozen=True)
class StyleFilm:
    """Painted scenes one after the other, with hard cuts; each drifts, grows and breathes slowly
    while it is shown.

    ``seconds``: length of one scene; ``rate``: frames a second.
    """

    scenes: Sequence[str] = SCENES
    width: int = 480
    height: int = 360
    seconds: float = 2.0
    rate: int = 24

    def frames(self) -> Iterator[Picture]:
        """All frames, in order."""
        for number, name in enumerate(self.scenes):
            yield from self._scene(number, name)

    def _scene(self, number: int, name: str) -> Iterator[Picture]:
        drawn = draw_pattern(name, round(self.width * MARGIN), round(self.height * MARGIN))
        rng = make_generator(500 + number)
        x, y = make_grid(self.height, self.width)
        x, y = x - self.width / 2, y - self.height / 2
        bends = [
            draw_clouds(rng, self.height, self.width, self.height / 1.5, 1) - 0.5 for _ in range(4)
        ]
        count = round(self.seconds * self.rate)
        for index in range(count):
            part = index / max(1, count - 1)
            turn = 2 * np.pi * part
            reach = self.height * 0.016
            bend_x = reach * (np.sin(turn) * bends[0] + np.cos(turn) * bends[1])
            bend_y = reach * (np.sin(turn) * bends[2] + np.cos(turn) * bends[3])
            scale = 1.03 - 0.06 * part if number % 2 else 0.97 + 0.06 * part
            drift = (0.03 * self.width * (part - 0.5) * (1 if number % 2 else -1), 0.0)
            map_x = drawn.shape[1] / 2 + scale * x + bend_x + drift[0]
            map_y = drawn.shape[0] / 2 + scale * y + bend_y + drift[1]
            maps = map_x.astype(np.float32), map_y.astype(np.float32)
            shown = cv2.remap(drawn, *maps, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT_101)
            yield np.asarray(shown, np.uint8)


def draw_photo(width: int = 768, height: int = 512) -> Picture:
    """A photo-like picture of the lake, ``width`` x ``height`` pixels: the README's and the styles
    sheet's.
    """
    return Landscape(width, height, grain=0.006).frame(2.6)


def write_content(
    path: str | os.PathLike[str],
    *,
    width: int = 640,
    height: int = 360,
    rate: int | Fraction = 25,
    duration: float = 6.0,
    sound: bool = True,
) -> Path:
    """Draw the content clip (a lake, with a boat, a balloon and a tune) into a video file; returns
    its path.

    ``duration`` is in seconds, ``rate`` in frames a second; sizes must be even, because H.264
    halves its colors.
    """
    scene = Landscape(width, height, duration)
    return write_clip(
        path,
        scene.frames(float(rate)),
        width,
        height,
        rate,
        tune.synthesize_tune(duration) if sound else None,
    )


def write_style_film(
    path: str | os.PathLike[str],
    *,
    scenes: Sequence[str] = SCENES,
    width: int = 480,
    height: int = 360,
    rate: int = 24,
    seconds: float = 2.0,
) -> Path:
    """Draw the style film (painted scenes, ``seconds`` each, hard cuts) into a video file; returns
    its path.
    """
    film = StyleFilm(tuple(scenes), width, height, seconds, rate)
    return write_clip(path, film.frames(), width, height, rate, None)


def write_clip(
    path: str | os.PathLike[str],
    frames: Iterable[Picture],
    width: int,
    height: int,
    rate: int | Fraction,
    sound: tune.Sound | None,
) -> Path:
    """Write frames (and stereo ``sound`` at `tune.RATE`) as H.264 and AAC; the file appears when it
    is whole.
    """
    if width < 16 or height < 16 or width % 2 or height % 2:
        raise UsageError(
            f"a sample clip of {width}x{height}; "
            "both sides must be even and at least 16: choose such a size"
        )
    path = Path(path)
    try:
        with atomic_write(path) as draft:
            _encode(draft, frames, width, height, Fraction(rate), sound)
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise OutputError(
            f"cannot write the sample clip {path} ({error}); "
            "give a writable .mp4, .mov or .mkv file"
        ) from error
    return path


def _encode(
    path: Path,
    frames: Iterable[Picture],
    width: int,
    height: int,
    rate: Fraction,
    sound: tune.Sound | None,
) -> None:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    options = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream(
            "libx264", rate=rate, options={"crf": "17", "preset": "veryfast"}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        context = video.codec_context
        context.colorspace, context.color_range = (
            1,
            1,
        )  # BT.709, limited: said in the file, and done below
        context.color_primaries, context.color_trc = 1, 1
        audio = (
            container.add_stream("aac", rate=tune.RATE, layout="stereo")
            if sound is not None
            else None
        )
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            step = 1024
            for start in range(0, sound.shape[1], step):
                piece = np.ascontiguousarray(sound[:, start : start + step])
                heard = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
                heard.sample_rate, heard.pts, heard.time_base = (
                    tune.RATE,
                    start,
                    Fraction(1, tune.RATE),
                )
                container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
