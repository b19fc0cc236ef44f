"""``person``: people are found whether they move or not, and their outline is held steady."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.mask_measures import frames_of, overlap, own_flicker
from vst.assets import get_known_model, install_from_folder
from vst.core.types import Frame, Picture
from vst.errors import UsageError
from vst.masks.base import Alpha
from vst.masks.grabcut import SoftMask
from vst.masks.open import open_mask
from vst.masks.person import PersonMask
from vst.masks.person_finder import PersonFinder, find_box, keep_pieces
from vst.masks.seen_background import FORGOTTEN, SeenBackground
from vst.samples.figure import FigureClip

ROOT = Path(__file__).parent.parent
SEGMENTER = Path(os.environ.get("VST_SHARED") or ROOT.parent / "shared") / "segment"
CLIP = FigureClip(count=12)
TRUE = [CLIP.layers(index).alpha for index in range(CLIP.count)]

needs_model = pytest.mark.skipif(
    not SEGMENTER.is_dir(), reason=f"the segmenter is not in {SEGMENTER}: set VST_SHARED"
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The segmenter, in a cache of its own."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "models"))
    install_from_folder(get_known_model("person"), SEGMENTER)


class RoughFinder:
    """Finds what a true mask has, with an edge that differs in every frame."""

    def __init__(self, true: list[Alpha]) -> None:
        self.true = iter(true)
        self.chance = np.random.default_rng(2)

    def find(self, picture: Picture, size: tuple[int, int], known: SoftMask) -> SoftMask:
        import cv2

        share = cv2.resize(next(self.true), size[::-1], interpolation=cv2.INTER_AREA) / 255
        noise = cv2.GaussianBlur(self.chance.normal(0, 1.2, size).astype(np.float32), (0, 0), 1.5)
        return np.asarray((share + noise).clip(0, 1), np.float32)


@pytest.fixture
def rough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks whose network is a `RoughFinder`."""
    monkeypatch.setattr("vst.masks.person.PersonFinder", lambda: RoughFinder(TRUE))


def masks_of(mask: PersonMask, frames: list[Frame]) -> list[Alpha]:
    return [alpha for _, alpha in mask.apply(iter(frames))]


def test_the_flow_holds_a_rough_outline_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of somebody who stands still; where an outline moves, the flow along it is not trusted."""
    count = 8
    frames = [Frame(n, n / 25, CLIP.layers(6).picture) for n in range(count)]
    monkeypatch.setattr("vst.masks.person.PersonFinder", lambda: RoughFinder([TRUE[6]] * count))
    held = own_flicker(masks_of(PersonMask(), frames), [TRUE[6]] * count)[0]
    monkeypatch.setattr("vst.masks.person.REMEMBERED", 0.0)
    loose = own_flicker(masks_of(PersonMask(), frames), [TRUE[6]] * count)[0]
    assert held < 0.7 * loose


def test_inverted_the_people_are_the_background(rough: None) -> None:
    plain = masks_of(PersonMask(), frames_of(CLIP)[:3])
    inverted = masks_of(PersonMask(inverted=True), frames_of(CLIP)[:3])
    assert all((255 - a == b).all() for a, b in zip(plain, inverted))


def test_where_nobody_is_nothing_is_masked_and_a_warning_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = [np.zeros_like(TRUE[0])] * 3
    monkeypatch.setattr("vst.masks.person.PersonFinder", lambda: RoughFinder(empty))
    monkeypatch.setattr("vst.masks.person.LEAST", 0.2)  # the noise alone is no person
    mask = PersonMask()
    assert not any(alpha.any() for alpha in masks_of(mask, frames_of(CLIP)[:3]))
    assert len(mask.warnings) == 1 and "no person was found in 3 of 3 frames" in mask.warnings[0]


def test_specks_are_dropped_and_a_second_person_is_kept() -> None:
    mask = np.zeros((60, 100), bool)
    mask[10:50, 10:30] = True
    mask[20:40, 60:70] = True
    mask[5:8, 90:93] = True
    kept = keep_pieces(mask)
    assert kept[30, 20] and kept[30, 65] and not kept[6, 91]


def test_the_second_look_has_a_margin_inside_the_picture() -> None:
    mask = np.zeros((60, 100), bool)
    mask[0:40, 50:70] = True
    assert find_box(mask) == (46, 0, 74, 47)


def test_a_wide_picture_is_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is seen in about its own shape, and together they cover the picture."""
    finder = PersonFinder.__new__(PersonFinder)
    shapes = []

    def look(picture: Picture, size: tuple[int, int]) -> SoftMask:
        shapes.append(picture.shape[:2])
        return np.ones(size, np.float32)

    monkeypatch.setattr(finder, "_look", look)
    found = finder._look_over(np.zeros((100, 470, 3), np.uint8), (50, 235))
    assert shapes == [(100, 180)] * 3
    assert found.min() == 1


def draw_passing(index: int) -> tuple[Picture, np.ndarray]:
    """Somebody in green who walks past a red sail, and the mask that a segmenter makes of it: once
    they are near, the sail is taken for a part of them.
    """
    rng = np.random.default_rng(index)
    picture = np.full((96, 160, 3), (90, 120, 160), np.uint8)
    picture[30:60, 70:90] = (200, 60, 40)
    left = 4 + 6 * index
    picture[20:90, left : left + 24] = (40, 150, 60)
    picture += rng.integers(0, 3, picture.shape).astype(np.uint8)
    share = np.zeros((96, 160), np.float32)
    share[20:90, left : left + 24] = 1
    if index >= 6:
        share[30:60, 70:90] = 1
    return picture, share


def test_what_was_seen_before_is_not_a_part_of_who_walks_past_it() -> None:
    known = SeenBackground()
    still = np.zeros((96, 160, 2), np.float32)
    for index in range(9):
        picture, share = draw_passing(index)
        if index:
            share = known.exclude(share, picture, still, share)
        known.remember(share, picture)
        left = 4 + 6 * index
        assert share[25:85, left + 3 : left + 21].min() == 1  # who walks
    assert share[33:57, 80:87].max() < 0.1  # the sail, where it is not hidden


def test_who_stood_unnoticed_is_found_after_a_second() -> None:
    known = SeenBackground()
    still = np.zeros((96, 160, 2), np.float32)
    picture, share = draw_passing(6)
    known.remember(np.where(np.arange(160) < 66, share, np.float32(0)), picture)
    shares = [known.exclude(share, picture, still, share) for _ in range(FORGOTTEN + 2)]
    assert shares[0][40, 85] < 0.1 and shares[-1][40, 85] == 1


def test_an_unknown_addition_to_the_name_is_refused() -> None:
    with pytest.raises(UsageError, match="'person' or 'person:invert'"):
        open_mask("person:left")


@needs_model
def test_a_drawn_figure_is_found(installed: None) -> None:
    mask = open_mask("person")
    found = masks_of(mask, frames_of(CLIP))
    assert np.mean([overlap(a, b) for a, b in zip(found, TRUE)]) >= 0.92
    assert mask.warnings == []


@pytest.fixture
def still() -> Iterator[list[Frame]]:
    """The figure stands, and so does the camera."""
    picture = CLIP.layers(6).picture
    yield [Frame(index, index / 25, picture) for index in range(4)]


@needs_model
def test_a_figure_that_stands_still_is_found(installed: None, still: list[Frame]) -> None:
    found = masks_of(open_mask("person:invert"), still)
    assert overlap(255 - found[-1], TRUE[6]) >= 0.9
