"""``auto`` on real clips, against outlines drawn by hand (`outlines.json`: per clip and frame,
polygons in pixels of a picture 640 pixels wide).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.mask_measures import overlap
from vst.core.types import Frame
from vst.masks.auto import AutoMask
from vst.masks.base import Alpha

ROOT = Path(__file__).parent.parent
VIDEOS = Path(os.environ.get("VST_SHARED") or ROOT.parent / "shared") / "video"
OUTLINES = json.loads((Path(__file__).parent / "outlines.json").read_text(encoding="utf-8"))
WIDTH = 640
PANNED = "Zulko_media_doc_medias_example2.mp4"
"""A landscape under a moving camera."""

pytestmark = pytest.mark.skipif(
    not (VIDEOS / PANNED).exists(), reason=f"the real clips are not in {VIDEOS}: set VST_SHARED"
)


def read_frames(name: str, count: int) -> Iterator[Frame]:
    """The first frames of a clip, 640 pixels wide."""
    capture = cv2.VideoCapture(str(VIDEOS / name))
    for index in range(count):
        is_read, picture = capture.read()
        if not is_read:
            break
        size = (WIDTH, round(WIDTH * picture.shape[0] / picture.shape[1]))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        yield Frame(index, index / 25, np.ascontiguousarray(small[..., ::-1]))
    capture.release()


def draw_outline(polygons: list[list[list[int]]], shape: tuple[int, int]) -> Alpha:
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.array(polygon, np.int32)], 255)
    return mask


def measure_overlaps(name: str) -> list[float]:
    """The overlap (IoU) of each frame with an outline; the mask runs from the clip's start."""
    outlines = {int(index): polygons for index, polygons in OUTLINES[name].items()}
    found = []
    for frame, alpha in AutoMask().apply(read_frames(name, max(outlines) + 10)):
        if frame.index in outlines:
            found.append(overlap(alpha, draw_outline(outlines[frame.index], alpha.shape)))
    return found


@pytest.mark.slow
def test_the_mean_overlap_with_hand_drawn_outlines_is_at_least_070() -> None:
    overlaps = {name: measure_overlaps(name) for name in OUTLINES}
    every = [one for clip in overlaps.values() for one in clip]
    assert len(every) >= 20
    assert np.mean(every) >= 0.7, overlaps
    assert all(np.mean(clip) >= 0.6 for clip in overlaps.values()), overlaps


def test_the_bird_is_found_at_the_start_of_its_clip() -> None:
    outline = OUTLINES["cockatoo.mp4"]["14"]
    found = [alpha for _, alpha in AutoMask().apply(read_frames("cockatoo.mp4", 22))]
    assert overlap(found[14], draw_outline(outline, found[14].shape)) >= 0.85


def test_nothing_is_masked_in_a_landscape_under_a_moving_camera() -> None:
    mask = AutoMask()
    assert not any(alpha.any() for _, alpha in mask.apply(read_frames(PANNED, 20)))
    assert len(mask.warnings) == 1 and "20 of 20 frames" in mask.warnings[0]
    assert "Give 'person' for people, a rectangle around it, or a mask file" in mask.warnings[0]
