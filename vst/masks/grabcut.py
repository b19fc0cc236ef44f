"""Cut the foreground out along colors and edges, by GrabCut (Rother et al., "GrabCut", 2004)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.imaging.optical_flow import Gray, sample, shrink_fast
from vst.masks.base import Alpha
from vst.masks.moving import find_texture

UNSURE = 0.022
"""Half the width of the band along the outline that each frame segments again, as a share of the
short side.
"""
MARGIN = 0.12
"""Width of the background around the foreground that GrabCut sees, as a share of the short side."""
FOREGROUND_MARKS = (cv2.GC_FGD, cv2.GC_PR_FGD)
"""GrabCut's labels of foreground pixels, the odd ones."""

RING = 0.15
"""Width of the surroundings of a rectangle, as a share of the short side."""
COMMON = 1.0
"""A color is probably background if it is this many times as frequent around the rectangle."""

LEAK = 8
"""Pixels that the flow leaks over an outline: about a patch."""
FAR = 0.06
"""Distance to what has ever moved, as a share of the short side, from which a pixel is doubted."""

SoftMask = npt.NDArray[np.float32]
"""(height, width), 0..1, at the working size."""


@dataclass
class ColorModels:
    """GrabCut's mixtures of Gaussians of the background's and the foreground's colors. A following
    frame starts from them, which saves clustering its colors: half of GrabCut's time.
    """

    background: Any = field(default_factory=lambda: np.zeros((1, 65), np.float64))
    foreground: Any = field(default_factory=lambda: np.zeros((1, 65), np.float64))
    is_known: bool = False


def is_foreground(marks: Any) -> npt.NDArray[np.bool_]:
    """Return the pixels labeled as foreground or probable foreground."""
    return np.asarray((marks & 1) > 0)


def mark_outline(share: SoftMask, background: Any, moving: Any) -> Any:
    """Return GrabCut's labels for a nearly known foreground: the band along its outline is
    undecided, and so is what moves unlike its side.
    """
    reach = max(2, round(UNSURE * min(share.shape)))
    inside = (share > 0.5).astype(np.uint8)
    near = cv2.dilate(inside, make_disc(reach)) > 0
    marks = np.full(share.shape, cv2.GC_BGD, np.uint8)
    marks[near] = cv2.GC_PR_BGD
    marks[inside > 0] = cv2.GC_PR_FGD
    core = cv2.erode(inside, make_disc(reach)) > 0
    marks[core] = cv2.GC_FGD
    marks[background & near] = cv2.GC_BGD
    # Pixels that seem to move with the outline reach half a window beyond it.
    marks[(cv2.erode(moving.astype(np.uint8), make_disc(2)) > 0) & near] = cv2.GC_FGD
    return marks


def correct_marks(marks: Any, same: Any, moving: Any, gray: Any) -> None:
    """Correct labels in place: ``same`` pixels show the known background, ``moving`` ones are a
    foreground.
    """
    labeled = is_foreground(marks)
    # An even pixel looks like any other: its color and its neighbors decide.
    marks[same & labeled] = cv2.GC_PR_BGD
    marks[same & labeled & find_texture(gray)] = cv2.GC_BGD
    added = moving & (marks == cv2.GC_BGD) & ~same
    ring = cv2.dilate(added.astype(np.uint8), make_disc(4)) > 0
    marks[ring & (marks == cv2.GC_BGD)] = cv2.GC_PR_BGD
    marks[added] = cv2.GC_PR_FGD
    core = cv2.erode((moving & ~same).astype(np.uint8), make_disc(LEAK)) > 0
    marks[core] = cv2.GC_FGD


def doubt_unsupported(marks: Any, support: SoftMask) -> None:
    """Label in place as probable background what is far from all that has ever moved."""
    near = cv2.dilate((support > 0.1).astype(np.uint8), make_disc(round(FAR * min(marks.shape))))
    marks[(near == 0) & is_foreground(marks)] = cv2.GC_PR_BGD


def mark_moving(moving: npt.NDArray[np.bool_]) -> Any:
    """Return GrabCut's labels for a foreground of which the moving pixels are known."""
    marks = np.full(moving.shape, cv2.GC_BGD, np.uint8)
    pieces = moving.astype(np.uint8)
    marks[cv2.dilate(pieces, make_disc(LEAK)) > 0] = cv2.GC_PR_BGD
    marks[pieces > 0] = cv2.GC_PR_FGD
    marks[cv2.erode(pieces, make_disc(5)) > 0] = cv2.GC_FGD
    return marks


def mark_rectangle(picture: Picture, box: tuple[float, float, float, float]) -> Any:
    """Return GrabCut's labels for a foreground inside left, top, right and bottom.

    Colors that are as frequent around the rectangle as in it are probably background.
    """
    height, width = picture.shape[:2]
    left, right = (int(np.clip(round(x), 0, width)) for x in (box[0], box[2]))
    top, bottom = (int(np.clip(round(y), 0, height)) for y in (box[1], box[3]))
    marks = np.full((height, width), cv2.GC_BGD, np.uint8)
    marks[top:bottom, left:right] = cv2.GC_PR_FGD
    inside = marks == cv2.GC_PR_FGD
    reach = max(4, round(RING * min(height, width)))
    ring = np.zeros((height, width), bool)
    ring[max(0, top - reach) : bottom + reach, max(0, left - reach) : right + reach] = True
    ring &= ~inside
    if inside.any() and ring.sum() > inside.sum() / 20:
        around = _count_colors(picture, ring)
        within = _count_colors(picture, inside)
        bins = _bin_colors(picture)
        likely = around[bins] > COMMON * within[bins]
        if (inside & ~likely).sum() > 0.05 * inside.sum():
            marks[inside & likely] = cv2.GC_PR_BGD
    return marks


def _bin_colors(picture: Picture) -> npt.NDArray[np.int64]:
    """Return the number of each pixel's color among 16 x 16 x 16."""
    coarse = picture.astype(np.int64) >> 4
    return np.asarray((coarse[..., 0] * 16 + coarse[..., 1]) * 16 + coarse[..., 2], np.int64)


def _count_colors(picture: Picture, part: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return how frequent each of the colors is in a part of the picture, summing to 1."""
    counts = np.bincount(_bin_colors(picture)[part], minlength=4096).astype(np.float64)
    return counts / max(1.0, counts.sum())


def close_pieces(moving: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Drop specks from what moves, close its gaps and keep the largest pieces."""
    height, width = moving.shape
    reach = max(1, round(0.012 * min(height, width)))
    pieces = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_OPEN, make_disc(reach))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_CLOSE, make_disc(3 * reach))
    return np.asarray(keep_largest_pieces(pieces) > 0)


def drop_unsupported(cut: npt.NDArray[np.uint8], support: SoftMask, least: float) -> Any:
    """Drop the pieces of a 0/1 mask of which ``support`` (0..1) covers less than ``least``."""
    count, names = cv2.connectedComponents(cut, connectivity=4)
    if count < 2:
        return cut
    sizes = np.bincount(names.ravel(), minlength=count)
    sums = np.bincount(names.ravel(), support.ravel().astype(np.float64), minlength=count)
    kept = sums >= least * sizes
    kept[0] = False
    return kept[names].astype(np.uint8)


def run_grabcut(
    picture: Picture, marks: Any, rounds: int, models: ColorModels | None = None
) -> npt.NDArray[np.uint8]:
    """Run GrabCut on the labeled part and its surroundings; return 1 for the foreground, uint8
    (height, width).

    ``models``: the colors of the frame before, which this one updates.
    """
    models = models if models is not None else ColorModels()
    height, width = marks.shape
    found = np.zeros((height, width), np.uint8)
    points = cv2.findNonZero((marks != cv2.GC_BGD).astype(np.uint8))
    if points is None:
        return found
    margin = round(MARGIN * min(height, width))
    x, y, wide, high = cv2.boundingRect(points)
    rows = slice(max(0, y - margin), min(height, y + high + margin))
    columns = slice(max(0, x - margin), min(width, x + wide + margin))
    part = np.ascontiguousarray(marks[rows, columns])
    foreground = is_foreground(part)
    if foreground.sum() < 16 or (~foreground).sum() < 16:
        # One side is too small to learn its colors: keep the labels.
        found[rows, columns] = foreground
        return found
    cv2.setRNGSeed(0)  # GrabCut starts its color clusters at random
    view = np.ascontiguousarray(picture[rows, columns])
    colors = models.background, models.foreground
    mode = cv2.GC_EVAL if models.is_known else cv2.GC_INIT_WITH_MASK
    cv2.grabCut(view, part, None, *colors, rounds, mode)
    models.is_known = True
    cut = is_foreground(part).astype(np.uint8)
    found[rows, columns] = keep_largest_pieces(cut)
    return found


def keep_largest_pieces(mask: Any) -> Any:
    """Keep the largest connected component of a 0/1 mask and those of at least a fifth of its
    area.
    """
    count, names, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.isin(names, np.flatnonzero(areas * 5 >= areas.max())).astype(np.uint8)


def soften(cut: npt.NDArray[np.uint8]) -> SoftMask:
    """Blur the edge of a 0/1 mask to about two pixels."""
    return np.asarray(cv2.GaussianBlur(cut.astype(np.float32), (0, 0), 0.8), np.float32)


def make_disc(radius: int) -> Any:
    """Make a round structuring element for morphology."""
    side = 2 * radius + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def upsample_guided(
    share: SoftMask, picture: Picture, contrast: float, level: float = 0.5
) -> Alpha:
    """Enlarge the mask to the picture's size, align its edge with the picture's (He & Sun, "Fast
    guided filter", 2015), and raise its ``contrast`` around ``level``.
    """
    height, width = picture.shape[:2]
    found = cv2.resize(sharpen(share, 1.0), (width, height), interpolation=cv2.INTER_LINEAR)
    if share.shape != (height, width):
        # Few pixels are near the edge: to enlarge the filter there alone takes half the time.
        places = cv2.findNonZero(cv2.inRange(found, 5, 250))
        if places is not None:
            places = places.reshape(-1, 2)
            x, y = places.T
            guide: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
            slope, offset = fit_guided_filter(share, shrink_fast(guide, *share.shape))
            scale = np.array([share.shape[1] / width, share.shape[0] / height])
            where = ((places + 0.5) * scale - 0.5).astype(np.float32)
            edge = sample_at(slope, where) * guide[y, x] + sample_at(offset, where)
            found[y, x] = sharpen(np.asarray(edge, np.float32), 1.0).ravel()
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    return np.asarray(cv2.LUT(found, sharpen(levels, contrast, level).ravel()), np.uint8)


def fit_guided_filter(share: SoftMask, guide: Gray) -> tuple[SoftMask, SoftMask]:
    """Return slope and offset that make the mask of its gray picture (0..255), at each pixel."""
    window = (7, 7)
    small = guide.astype(np.float32) / 255
    mean, mean_share = cv2.blur(small, window), cv2.blur(share, window)
    together = cv2.blur(small * share, window) - mean * mean_share
    slope: Any = together / (cv2.blur(small * small, window) - mean * mean + 1e-3)
    offset: Any = mean_share - slope * mean
    return cv2.blur(slope, window) / np.float32(255), cv2.blur(offset, window)


def sample_at(array: SoftMask, where: npt.NDArray[np.float32]) -> SoftMask:
    """Sample an array at positions (count, 2): x then y."""
    side = 1024  # OpenCV samples at positions in rows of less than 32,768
    folded = np.resize(where, (-(-len(where) // side), side, 2))
    return np.asarray(sample(array, folded).ravel()[: len(where)], np.float32)


def sharpen(share: SoftMask, contrast: float, level: float = 0.5) -> Alpha:
    """Raise the contrast of a mask (0..1), and return it as 0..255: ``level`` becomes one half."""
    offset = 255 * (0.5 - level * contrast)
    found = cv2.addWeighted(share, 255 * contrast, share, 0.0, offset, dtype=cv2.CV_8U)
    return np.asarray(found, np.uint8)
