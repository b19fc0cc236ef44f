"""Drawn films have the optical flow and the occlusions that they say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vst.samples.motion.clips import KINDS, ClipRecipe, draw_clip, find_photographs, pixel_grid

HEIGHT, WIDTH = 128, 192


def texture(seed: int = 0, deviation: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), deviation)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).reshape(HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_frame_moved_along_the_flow_is_the_frame(kind: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "smooth.png"), texture(4, 6.0))
    photographs = find_photographs(tmp_path)
    clip = draw_clip(ClipRecipe(kind, 3, HEIGHT, WIDTH, 4, tuple(photographs)))
    grid = pixel_grid(HEIGHT, WIDTH)
    for t, (flow, seen) in enumerate(zip(clip.forward, clip.seen_forward)):
        moved = cv2.remap(clip.frames[t + 1], grid + flow, None, cv2.INTER_LINEAR)
        error = np.abs(moved.astype(int) - clip.frames[t]).mean(2)[seen].mean()
        assert seen.mean() > 0.8
        assert error < 7


def test_the_same_seed_gives_the_same_film() -> None:
    first, second = (draw_clip(ClipRecipe("talk", 5, 64, 96, 3)) for _ in range(2))
    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.backward, second.backward)


def test_forward_and_backward_flow_undo_each_other_where_both_are_seen() -> None:
    clip = draw_clip(ClipRecipe("zoom", 6, HEIGHT, WIDTH, 3))
    home = cv2.remap(
        clip.backward[0], pixel_grid(HEIGHT, WIDTH) + clip.forward[0], None, cv2.INTER_LINEAR
    )
    error = np.linalg.norm(home + clip.forward[0], axis=2)[clip.seen_forward[0]]
    assert np.percentile(error, 95) < 0.05


def test_what_passes_behind_a_figure_is_not_seen() -> None:
    clip = draw_clip(ClipRecipe("cross", 3, HEIGHT, WIDTH, 4))
    assert 0 < (~clip.seen_backward).mean() < 0.3
