"""Scene changes are found; motion, fades and flashes of noise are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vst.core.types import Picture
from vst.video.scene_cuts import CutDetector
from vst.video.sources import open_source


def texture(seed: int, size: tuple[int, int] = (180, 640)) -> Picture:
    """Soft coloured blobs, wider than a frame so that it can be panned over."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 9), None, 0, 255, cv2.NORM_MINMAX)


def cuts_of(frames: list[Picture]) -> list[int]:
    detector = CutDetector()
    return [index for index, frame in enumerate(frames) if detector.is_cut(frame)]


def test_each_scene_s_first_frame_is_found() -> None:
    scenes = [texture(seed)[:, :320] // 2 + seed * 30 for seed in range(4)]
    frames = [scene for scene in scenes for _ in range(12)]
    assert cuts_of(frames) == [12, 24, 36]


def test_a_pan_is_no_cut() -> None:
    wide = texture(1)
    assert cuts_of([wide[:, x : x + 320] for x in range(0, 320, 16)]) == []


def test_a_fade_is_no_cut() -> None:
    picture = texture(2)[:, :320].astype(float)
    assert cuts_of([(picture * part).astype(np.uint8) for part in np.linspace(1, 0, 25)]) == []


def test_noise_is_no_cut() -> None:
    rng = np.random.default_rng(0)
    base = texture(3)[:, :320].astype(int)
    frames = [
        np.clip(base + rng.normal(0, 12, base.shape), 0, 255).astype(np.uint8) for _ in range(12)
    ]
    assert cuts_of(frames) == []


def test_letterbox_bars_do_not_hide_a_cut() -> None:
    def boxed(picture: Picture) -> Picture:
        return np.pad(picture, ((180, 180), (0, 0), (0, 0)))

    frames = [boxed(texture(seed)[:, :320] // 2 + seed * 60) for seed in (0, 1) for _ in range(8)]
    assert cuts_of(frames) == [8]


@pytest.mark.parametrize(
    ("clip", "cuts"),
    [
        ("bikes.mp4", [30, 76, 137, 187, 242]),
        ("scene_cuts.mp4", [30, 76, 137, 187, 242]),
        ("cockatoo.mp4", []),
        ("bigbuckbunny.mp4", []),
    ],
)
def test_the_cuts_of_real_clips_are_found(shared: Path, clip: str, cuts: list[int]) -> None:
    with open_source(shared / "video" / clip) as source:
        assert cuts_of([cv2.resize(frame.picture, (160, 90)) for frame in source.frames()]) == cuts
