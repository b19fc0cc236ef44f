"""Masks find the figure and stay with it; edges keep each style on its own side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.mask_measures import frames_of, halos, overlap, own_flicker, spreading
from vst.core.types import Frame, Picture, VideoInfo
from vst.errors import UsageError
from vst.imaging.extend_colors import extend_colors
from vst.masks import EDGES, MASKS
from vst.masks.auto import LOOKAHEAD, PATIENCE, AutoMask
from vst.masks.base import Alpha, Mask, MaskParts
from vst.masks.doubt import Doubts
from vst.masks.file import FileMask
from vst.masks.inpainted import InpaintedEdge
from vst.masks.letterbox import find_window
from vst.masks.motion import (
    compute_affine_flow,
    estimate_background_motion,
    scale_matrix,
    warp_affine,
)
from vst.masks.rectangle import check_rectangle
from vst.samples.figure import FigureClip

CLIP = FigureClip(count=16)
TRUE = [CLIP.layers(index).alpha for index in range(CLIP.count)]


def masks_of(mask: Mask, frames: Sequence[Frame]) -> list[Alpha]:
    found = list(mask.apply(iter(frames)))
    assert [frame.index for frame, _ in found] == [frame.index for frame in frames]
    for frame, alpha in found:
        assert alpha.shape == frame.picture.shape[:2] and alpha.dtype == np.uint8
    return [alpha for _, alpha in found]


# Auto


@pytest.mark.parametrize("rectangle", [None, (0.25, 0.05, 0.28, 0.93)])
def test_the_figure_is_found_and_followed(rectangle: tuple[float, ...] | None) -> None:
    mask = AutoMask(rectangle)
    found = masks_of(mask, frames_of(CLIP))
    shares = [overlap(a, b) for a, b in zip(found, TRUE)]
    assert np.mean(shares) >= 0.9 and min(shares) >= 0.85
    own, moved = own_flicker(found, TRUE)
    assert own <= 0.6 * moved
    assert mask.warnings == []


def test_it_is_found_anew_after_a_cut_and_few_frames_are_held() -> None:
    other = FigureClip(count=9, seed=8, pace=-2.6, pan=-0.4)
    night = [Frame(n + 9, (n + 9) / 25, 255 - other.layers(n).picture) for n in range(9)]
    read = 0

    def counted() -> Iterator[Frame]:
        nonlocal read
        for frame in [*frames_of(CLIP)[:9], *night]:
            read += 1
            yield frame

    found = []
    for frame, alpha in AutoMask().apply(counted()):
        assert read - frame.index <= LOOKAHEAD + 1
        found.append(alpha)
    true = [*TRUE[:9], *(other.layers(n).alpha for n in range(9))]
    shares = [overlap(a, b) for a, b in zip(found, true)]
    assert np.mean(shares[:9]) > 0.85 and np.mean(shares[9:]) > 0.8


def test_where_nothing_moves_nothing_is_masked_and_it_is_said() -> None:
    still = [Frame(n, n / 25, CLIP.layers(0).background) for n in range(8)]
    mask = AutoMask()
    assert not np.stack(masks_of(mask, still)).any()
    assert len(mask.warnings) == 1 and "0:00.000 to the end" in mask.warnings[0]
    assert masks_of(AutoMask(), []) == []


def test_a_large_picture_is_looked_at_small() -> None:
    large = FigureClip(960, 540, count=7, pace=7.2, pan=1.8)
    found = masks_of(AutoMask(), frames_of(large))
    shares = [overlap(found[n], large.layers(n).alpha) for n in range(7)]
    assert np.mean(shares) > 0.85


def test_letterbox_bars_are_left_out() -> None:
    bars = ((24, 24), (0, 0), (0, 0))
    noise = np.random.default_rng(3)
    framed = []
    for frame in frames_of(CLIP)[:9]:
        picture = np.pad(frame.picture, bars, constant_values=16)
        picture = picture + noise.integers(0, 3, picture.shape)
        framed.append(Frame(frame.index, frame.time, picture.astype(np.uint8)))
    assert find_window([framed[0].picture]) == (slice(24, 204), slice(0, 320))
    found = masks_of(AutoMask(), framed)
    assert all(not one[:20].any() and not one[-20:].any() for one in found)
    assert np.mean([overlap(one[24:-24], true) for one, true in zip(found, TRUE)]) > 0.85
    night = np.random.default_rng(4).integers(0, 60, (90, 160, 3)).astype(np.uint8)
    night[45:] += 120
    assert find_window([night]) == (slice(0, 90), slice(0, 160))


def test_a_rectangle_around_two_figures_leaves_out_the_background_between_them() -> None:
    frames, true = [], []
    for index in range(8):
        layers = CLIP.layers(index)
        shifted = np.roll(layers.alpha, 110, 1)
        share = shifted[..., None] / 255
        picture = np.roll(layers.figure, 110, 1) * share + layers.picture * (1 - share)
        frames.append(Frame(index, index / 25, np.rint(picture).astype(np.uint8)))
        true.append(np.maximum(layers.alpha, shifted))
    found = masks_of(AutoMask((0.25, 0.05, 0.65, 0.93)), frames)
    assert np.mean([overlap(a, b) for a, b in zip(found, true)]) > 0.8
    between = [one[60:120, 175:205] for one in found]
    assert np.mean(between) < 0.15 * 255


def test_what_begins_to_move_was_foreground_before() -> None:
    """A thing stands for 30 frames, then moves: it is found in the frames that waited for it."""
    background = np.random.default_rng(1).integers(60, 200, (90, 160, 3)).astype(np.uint8)
    background = cv2.GaussianBlur(background, (0, 0), 2)
    frames, true = [], []
    for index in range(46):
        left = 50 + 3 * max(0, index - 30)
        picture, alpha = background.copy(), np.zeros((90, 160), np.uint8)
        picture[30:62, left : left + 30] = background[10:42, 20:50] // 2 + (90, 0, 0)
        alpha[30:62, left : left + 30] = 255
        frames.append(Frame(index, index / 25, picture.astype(np.uint8)))
        true.append(alpha)
    mask = AutoMask()
    found = [alpha for _, alpha in mask.apply(iter(frames))]
    overlaps = [overlap(one, other) for one, other in zip(found, true)]
    assert min(overlaps[16:40]) > 0.7, overlaps
    assert not any(one.any() for one in found[: 30 - LOOKAHEAD - PATIENCE])


def test_a_foreground_as_large_as_a_background_is_doubted() -> None:
    doubts = Doubts()
    large, small = np.ones((90, 160), np.float32), np.zeros((90, 160), np.float32)
    small[30:60, 50:90] = 1
    for index, share in enumerate((small, large, large, small, None)):
        doubts.record(index / 25, share)
    missing, doubtful = doubts.format_warnings("a rectangle around it")
    assert "1 of 5 frames (from 0:00.160 to the end)" in missing
    assert "2 of 5 frames (from 0:00.040 to 0:00.120) covers 100% of the picture" in doubtful
    assert "seems to be background" in doubtful and "vst preview --mask auto" in doubtful


@pytest.mark.parametrize(
    "wrong", [(0.1, 0.2, 0.3), (0.5, 0, 0.6, 1), (0, 0, 0, 1), (-0.1, 0, 1, 1)]
)
def test_a_wrong_rectangle_is_answered(wrong: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match=r"left, top, width and height.*0\.3,0\.1"):
        check_rectangle(wrong)


# From a file


class MadeFilm:
    def __init__(self, pictures: Sequence[Picture], rate: int = 25) -> None:
        height, width = pictures[0].shape[:2]
        count = len(pictures)
        self.pictures, self.rate = pictures, rate
        self.info = VideoInfo(Path("mask.mp4"), width, height, Fraction(rate), count, count / rate)

    def frames(self, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        for index, picture in enumerate(self.pictures):
            yield Frame(index, index / self.rate, picture)


def as_pictures(masks: Sequence[Alpha]) -> list[Picture]:
    return [np.repeat(mask[..., None], 3, 2) for mask in masks]


def test_a_mask_video_goes_along_with_the_content() -> None:
    found = masks_of(FileMask(MadeFilm(as_pictures(TRUE))), frames_of(CLIP))
    assert all(overlap(a, b) > 0.98 for a, b in zip(found, TRUE))
    late = [Frame(n, (n + 4) / 25, CLIP.layers(0).picture) for n in range(3)]
    assert overlap(masks_of(FileMask(MadeFilm(as_pictures(TRUE))), late)[0], TRUE[4]) > 0.98


def test_one_picture_is_the_mask_of_all_frames_and_is_resized() -> None:
    small = as_pictures([cv2.resize(TRUE[0], (160, 90), interpolation=cv2.INTER_AREA)])
    mask = FileMask(MadeFilm(small))
    found = masks_of(mask, frames_of(CLIP)[:4])
    assert all(overlap(one, TRUE[0]) > 0.93 for one in found)
    inverted = masks_of(FileMask(MadeFilm(small), inverted=True), frames_of(CLIP)[:1])[0]
    assert (inverted == 255 - found[0]).all()
    assert mask.warnings == []


def test_a_mask_video_that_ends_early_is_said() -> None:
    mask = FileMask(MadeFilm(as_pictures(TRUE[:5])))
    found = masks_of(mask, frames_of(CLIP)[:9])
    assert (found[8] == found[4]).all()
    assert len(mask.warnings) == 1 and "ends at 0:00.200" in mask.warnings[0]


def test_both_tables_name_what_is_there() -> None:
    assert MASKS["auto"] is AutoMask and MASKS["file"] is FileMask
    assert set(EDGES) == {"blurred", "soft", "resized", "gaussian", "inpainted"}


# Edges


@pytest.mark.parametrize("name", EDGES)
def test_far_from_the_outline_each_side_is_its_own_painting(name: str) -> None:
    layers = CLIP.layers(3)

    def flat(picture: Picture, which: str) -> Picture:
        assert picture.shape == layers.picture.shape and picture.dtype == np.uint8
        return np.full_like(picture, 200 if which == "foreground" else 50)

    result = EDGES[name]().composite(layers.picture, layers.alpha, flat)
    assert result.shape == layers.picture.shape and result.dtype == np.uint8
    assert (result[layers.alpha == 0].mean()) == pytest.approx(50, abs=8)
    assert (result[cv2.erode(layers.alpha, np.ones((15, 15))) == 255] > 160).all()
    assert (result[:, :40] == 50).all()


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("value", [0, 255])
def test_a_mask_of_one_side_only_is_that_side(name: str, value: int) -> None:
    layers = CLIP.layers(0)
    alpha = np.full_like(layers.alpha, value)
    which = "foreground" if value else "background"
    edge = EDGES[name]()
    parts = edge.parts(layers.picture, alpha)
    assert (getattr(parts, which) == layers.picture).all()
    result = edge.join(parts, alpha, parts.foreground, parts.background)
    assert np.abs(result.astype(int) - layers.picture).max() <= 1


@pytest.mark.parametrize("name", EDGES)
def test_a_mask_of_another_size_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="picture's size"):
        EDGES[name]().parts(CLIP.layers(0).picture, TRUE[0][:-1])


def test_inpainting_halves_the_best_halo_of_the_report_s_ways() -> None:
    clip = FigureClip(count=10)
    measured = {name: sum(halos(EDGES[name](), clip, spreading, 2)) for name in EDGES}
    best = min(value for name, value in measured.items() if name != "inpainted")
    assert measured["gaussian"] == best  # as the report found
    assert measured["inpainted"] <= 0.5 * best


@pytest.mark.slow
def test_it_does_so_with_the_embedded_engine() -> None:
    from tools.draw_masks import make_painter

    clip, paint = FigureClip(count=10), make_painter()
    measured = {name: sum(halos(EDGES[name](), clip, paint, 2)) for name in EDGES}
    best = min(value for name, value in measured.items() if name != "inpainted")
    assert measured["inpainted"] <= 0.5 * best


def test_what_was_seen_of_the_ground_comes_back_and_what_is_made_up_is_steady() -> None:
    edge = InpaintedEdge()
    grounds, errors = [], []
    for index in range(CLIP.count):
        layers = CLIP.layers(index)
        ground = edge.parts(layers.picture, layers.alpha).background
        hidden = layers.alpha > 0
        errors.append(np.abs(ground.astype(int) - layers.background)[hidden].mean())
        grounds.append(ground)
    first = InpaintedEdge()
    last = CLIP.layers(CLIP.count - 1)
    alone = first.parts(last.picture, last.alpha).background
    hidden = last.alpha > 0
    # With what was seen before, the ground is nearer to the truth than made up from one frame.
    assert errors[-1] < 0.75 * np.abs(alone.astype(int) - last.background)[hidden].mean()
    both = (TRUE[-1] > 250) & (TRUE[-2] > 250)
    assert np.abs(grounds[-1].astype(int) - grounds[-2])[both].mean() < 6
    edge.reset()
    again = edge.parts(last.picture, last.alpha).background
    assert (again == alone).all()


def test_colours_are_spread_from_what_is_known() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30], picture[:, 30:] = (200, 40, 40), (40, 40, 200)
    known = np.zeros((40, 60), bool)
    known[10:30, 5:15] = known[10:30, 45:55] = True
    filled = extend_colors(picture, known)
    assert (filled[known] == picture[known]).all()
    assert filled[2, 2].tolist() == pytest.approx([200, 40, 40], abs=12)
    assert filled[2, 57].tolist() == pytest.approx([40, 40, 200], abs=12)
    assert 60 < filled[20, 30, 0] < 180


def test_the_ground_s_motion_is_found_beside_a_moving_figure() -> None:
    matrix = np.array([[1.01, 0.0, 2.0], [0.0, 1.01, -1.0]])
    flow = compute_affine_flow(matrix, 90, 160)
    flow[30:60, 40:90] += 9
    found = estimate_background_motion(flow)
    assert np.abs(found - matrix).max() < 0.01
    larger = compute_affine_flow(scale_matrix(found, 2), 180, 320)
    assert (
        np.abs(
            larger[::2, ::2].mean((0, 1)) / 2 - compute_affine_flow(matrix, 90, 160).mean((0, 1))
        ).max()
        < 0.05
    )
    assert warp_affine(TRUE[0], np.eye(2, 3)) is TRUE[0]


def test_parts_know_nothing_of_other_edges() -> None:
    assert MaskParts(TRUE[0], TRUE[0]).extra == {}


# By name


def test_a_mask_is_opened_by_its_name(tmp_path: Path) -> None:
    from vst.errors import MissingFileError
    from vst.masks.open import make_edge, open_mask
    from vst.plotting import save_picture

    assert open_mask("auto").warnings == []
    mask = open_mask("auto:0.25,0.05,0.28,0.93")
    assert isinstance(mask, AutoMask) and mask.rectangle == (0.25, 0.05, 0.28, 0.93)
    save_picture(tmp_path / "mask.png", as_pictures(TRUE)[0])
    opened = open_mask(str(tmp_path / "mask.png"), inverted=True)
    assert overlap(255 - masks_of(opened, frames_of(CLIP)[:2])[1], TRUE[0]) > 0.98
    opened.close()
    assert isinstance(make_edge("inpainted"), InpaintedEdge)
    with pytest.raises(MissingFileError, match=r"'nothing\.mp4'.*'auto'"):
        open_mask("nothing.mp4")
    with pytest.raises(UsageError, match="not a list of numbers"):
        open_mask("auto:left")
    with pytest.raises(UsageError, match="Swap the styles"):
        open_mask("auto", inverted=True)
    with pytest.raises(UsageError, match="did you mean 'inpainted'"):
        make_edge("inpaint")
