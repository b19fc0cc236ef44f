"""Find people in one picture by MediaPipe's selfie segmenter, looking twice.

The network sees any picture as a square of 256 pixels, in which a standing figure is small. So a
second look goes to the part of the picture where the first one, or the frame before, has people.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.assets import get_known_model, obtain_model
from vst.core.types import Picture
from vst.imaging.resize import resize
from vst.masks.grabcut import SoftMask
from vst.nets.lite_interpreter import open_interpreter, translate_lite_errors

MODEL = "person"
"""Name of the segmenter among the models that `vst models pull` brings."""
REMEDY = f"Download it again with `vst models pull {MODEL}`."
THREADS = 1
"""Threads of the interpreter: the painter needs the others."""
MARGIN = 0.15
"""Share of the people's width and height that the second look adds on each side."""
SMALLEST = 0.1
"""Area, relative to the largest piece's, from which a piece of the mask is kept."""

WIDEST = 1.8
"""Longer side by shorter side up to which a picture is seen at once."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of a picture, in pixels."""


class PersonFinder:
    """Runs the segmenter. Fetches it where it is not installed; raises `AssetError` then."""

    def __init__(self) -> None:
        model = get_known_model(MODEL)
        self._path: Path = obtain_model(model) / model.files[0].path
        self._network: Any = None

    def find(self, picture: Picture, size: tuple[int, int], known: SoftMask) -> SoftMask:
        """Return the probability of a person, (height, width) of ``size``.

        ``known``: that of the frame before, of the same size; zeros where there is none.
        """
        first = self._look_over(picture, size)
        people = keep_pieces((first > 0.5) | (known > 0.5))
        if not people.any():
            return first
        left, top, right, bottom = box = find_box(people)
        found = np.zeros(size, np.float32)
        part = crop(picture, box, size)
        found[top:bottom, left:right] = self._look(part, (bottom - top, right - left))
        kept = keep_pieces(found > 0.5).astype(np.uint8)
        # The soft edge of what is kept lies outside of it.
        return found * cv2.dilate(kept, np.ones((5, 5), np.uint8))

    def measure_agreement(self, picture: Picture, size: tuple[int, int]) -> float:
        """Return how far three looks agree, 0..1: at the whole picture, at the part with people,
        and at the mirror image of that part. Of things that it was not trained on, the network
        finds something else each time.
        """
        first = self._look_over(picture, size)
        people = keep_pieces(first > 0.5)
        if not people.any():
            return 0.0
        left, top, right, bottom = box = find_box(people)
        part, shape = crop(picture, box, size), (bottom - top, right - left)
        look = self._look(part, shape) > 0.5
        mirrored = self._look(np.ascontiguousarray(part[:, ::-1]), shape)[:, ::-1] > 0.5
        return min(overlap(first[top:bottom, left:right] > 0.5, look), overlap(look, mirrored))

    def _look_over(self, picture: Picture, size: tuple[int, int]) -> SoftMask:
        """Look at the whole picture; at a very wide or tall one in overlapping parts."""
        height, width = picture.shape[:2]
        tall = height > width
        long, short = max(height, width), min(height, width)
        count = max(1, math.ceil(long / short / WIDEST))
        part = min(long, round(short * WIDEST))
        found = np.zeros(size, np.float32)
        for number in range(count):
            start = round((long - part) * number / max(1, count - 1))
            along = slice(start, start + part)
            scale = max(size) / long
            there = slice(round(start * scale), round((start + part) * scale))
            seen = picture[along] if tall else picture[:, along]
            place = found[there] if tall else found[:, there]
            look = self._look(np.ascontiguousarray(seen), (place.shape[0], place.shape[1]))
            np.maximum(place, look, out=place)
        return found

    def _look(self, picture: Picture, size: tuple[int, int]) -> SoftMask:
        """Run the network on a whole picture; returns its mask at ``size``, height first."""
        if self._network is None:
            self._network = open_interpreter(self._path, THREADS, REMEDY)
            self._network.allocate_tensors()
        slot = self._network.get_input_details()[0]
        side = int(slot["shape"][1])
        square = resize(picture, side, side).astype(np.float32) / 255
        with translate_lite_errors(self._path):
            self._network.set_tensor(slot["index"], square[None])
            self._network.invoke()
            result = self._network.get_output_details()[0]["index"]
            found = self._network.get_tensor(result)[0, ..., -1]
        return np.asarray(cv2.resize(found, size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def crop(picture: Picture, box: Box, size: tuple[int, int]) -> Picture:
    """Return the part of a picture that a box of a mask of ``size``, height first, covers."""
    left, top, right, bottom = box
    x, y = picture.shape[1] / size[1], picture.shape[0] / size[0]
    rows = slice(round(top * y), round(bottom * y))
    return np.ascontiguousarray(picture[rows, round(left * x) : round(right * x)])


def overlap(one: Any, other: Any) -> float:
    """Return the intersection over the union of two masks (bool)."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def keep_pieces(mask: Any) -> Any:
    """Return a mask (bool) without the pieces that are small beside the largest one."""
    count, names, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.isin(names, np.flatnonzero(areas >= max(1, SMALLEST * areas.max())))


def find_box(mask: Any) -> Box:
    """Return the part of the picture that a mask covers, with `MARGIN` around it."""
    height, width = mask.shape
    x, y, wide, high = cv2.boundingRect(mask.astype(np.uint8))
    beside, above = round(MARGIN * wide) + 1, round(MARGIN * high) + 1
    return (
        max(0, x - beside),
        max(0, y - above),
        min(width, x + wide + beside),
        min(height, y + high + above),
    )
