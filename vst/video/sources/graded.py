"""A content seen through a lookup table of colors."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.types import Frame, Picture
from vst.errors import MediaError
from vst.video.sources.base import Source

FORMAT = "rgb48le"
"""FFmpeg's name of the pictures that pass the filter."""


class LutFilter:
    """Maps the colors of pictures, RGB uint8 of one size after another, by FFmpeg's ``lut3d``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._graph: Any = None
        self._shape: tuple[int, ...] = ()

    def __call__(self, picture: Picture) -> Picture:
        import av

        if self._graph is None or self._shape != picture.shape:
            self._graph, self._shape = self._build(picture.shape), picture.shape
        # In 16 bits, for the filter cuts off what is behind the last bit.
        deep = picture.astype(np.uint16) * 257
        self._graph.push(av.VideoFrame.from_ndarray(deep, format=FORMAT))
        mapped = self._graph.pull().to_ndarray(format=FORMAT)
        return np.asarray((mapped.astype(np.uint32) + 128) // 257, np.uint8)

    def _build(self, shape: tuple[int, ...]) -> Any:
        import av
        from av.filter import Graph

        graph = Graph()
        try:
            start = graph.add_buffer(
                width=shape[1],
                height=shape[0],
                format=av.VideoFormat(FORMAT, shape[1], shape[0]),
                time_base=Fraction(1, 1000),
            )
            lut = graph.add("lut3d", file=str(self._path), interp="tetrahedral")
            start.link_to(lut)
            lut.link_to(graph.add("buffersink"))
            graph.configure()
        except (av.FFmpegError, ValueError, OSError) as error:
            raise MediaError(
                f"lut {str(self._path)!r} cannot be read as a table ({error}). Export it again"
            ) from error
        return graph


class GradedSource(Source):
    """The frames of another source with their colors mapped; it closes that source."""

    def __init__(self, source: Source, lut: Path) -> None:
        super().__init__()
        self._source, self._filter = source, LutFilter(lut)
        self.info, self.warnings = source.info, source.warnings

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        for frame in self._source.frames(start, end):
            yield Frame(frame.index, frame.time, self._filter(frame.picture), frame.alpha)

    def at(self, time: float) -> Picture:
        return self._filter(self._source.at(time))

    def keep_alpha(self) -> bool:
        found = self._source.keep_alpha()
        self.info = self._source.info
        return found

    def close(self) -> None:
        self._source.close()
