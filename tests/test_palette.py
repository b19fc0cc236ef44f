"""Colors without strokes, and lookup tables in and out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.clips import encode
from vst.core.types import Picture
from vst.errors import MediaError
from vst.imaging.color import recolor_painting
from vst.imaging.cube_file import SIDE, check_cube, write_cube
from vst.imaging.palette import (
    fit_palette,
    measure_palette,
    pool_palettes,
    recolor_by_palette,
)
from vst.samples import draw_photo
from vst.schedule.timeline import Mix
from vst.video.sources import open_source
from vst.video.sources.graded import GradedSource, LutFilter

CONTENT = draw_photo(160, 100)


@pytest.fixture(scope="module")
def painting() -> Picture:
    """Warm colors with little contrast, in coarse blocks: another palette, other strokes."""
    blocks = np.random.default_rng(1).integers(0, 70, (10, 16, 3)) + np.array([150, 90, 40])
    return np.asarray(cv2.resize(blocks.astype(np.uint8), (160, 100), interpolation=0), np.uint8)


def test_the_content_gets_the_paintings_palette(painting: Picture) -> None:
    graded = measure_palette(recolor_by_palette(CONTENT, painting))
    wanted = measure_palette(painting)
    assert np.abs(graded.mean - wanted.mean).max() < 1.5
    assert np.allclose(np.diag(graded.covariance), np.diag(wanted.covariance), rtol=0.25, atol=4)


def test_the_strokes_stay_away(painting: Picture) -> None:
    """What is one color in the content is one color in the result."""
    flat = CONTENT.copy()
    flat[20:60, 30:90] = (90, 140, 60)
    graded = recolor_painting("only", flat, painting)
    assert np.ptp(graded[20:60, 30:90].reshape(-1, 3), axis=0).max() == 0


def test_a_picture_in_its_own_palette_stays(painting: Picture) -> None:
    assert cv2.absdiff(recolor_by_palette(CONTENT, CONTENT), CONTENT).max() <= 1


def test_an_even_content_stays_even_however_rich_the_palette(painting: Picture) -> None:
    gray = np.full_like(CONTENT, 120)
    gray[::7] += 1  # grain
    assert np.ptp(recolor_by_palette(gray, painting).astype(int), axis=(0, 1)).max() <= 6


def test_masked_colors_do_not_count(painting: Picture) -> None:
    alpha = np.zeros(CONTENT.shape[:2], np.uint8)
    alpha[:, :80] = 255
    mixed = np.where(alpha[..., None] > 0, painting, np.uint8(255))
    graded = recolor_by_palette(CONTENT, np.asarray(mixed, np.uint8), alpha)
    whole = measure_palette(graded, alpha)
    assert np.abs(whole.mean - measure_palette(painting, alpha).mean).max() < 2


def test_palettes_pooled_are_the_palette_of_both_pictures(painting: Picture) -> None:
    both = measure_palette(np.concatenate([CONTENT, painting]))
    pooled = pool_palettes([measure_palette(CONTENT), measure_palette(painting)])
    assert np.allclose(pooled.mean, both.mean, atol=0.5)
    assert np.allclose(pooled.covariance, both.covariance, rtol=0.1, atol=5)


def test_a_mix_of_color_modes_fades_between_them(painting: Picture) -> None:
    from vst.pipeline.stages import recolor

    half = recolor(Mix({"a": 1.0}, palette={"only": 0.5, "style": 0.5}), CONTENT, painting)
    graded = recolor_by_palette(CONTENT, painting)
    wanted = (graded.astype(float) + painting) / 2
    assert np.abs(half - wanted).max() <= 1


def test_a_written_table_is_the_map(tmp_path: Path, painting: Picture) -> None:
    look = fit_palette(measure_palette(CONTENT), measure_palette(painting))
    write_cube(tmp_path / "look.cube", look.apply, 'a "look"')
    check_cube(tmp_path / "look.cube")
    by_table = LutFilter(tmp_path / "look.cube")(CONTENT)
    direct = recolor_by_palette(CONTENT, painting)
    assert np.mean(cv2.absdiff(by_table, direct)) < 1.5


def test_the_table_that_changes_nothing_changes_nothing(tmp_path: Path) -> None:
    write_cube(tmp_path / "none.cube", lambda colors: colors, "none")
    clip = encode(tmp_path / "clip.mp4", [CONTENT] * 3)
    with open_source(clip) as plain, open_source(clip) as inner:
        graded = GradedSource(inner, tmp_path / "none.cube")
        for one, other in zip(plain.frames(), graded.frames()):
            assert (one.picture == other.picture).all() and one.time == other.time
        assert (graded.at(0.05) == plain.at(0.05)).all()


def test_a_job_sees_its_content_through_the_table(run: Callable[..., Any], tmp_path: Path) -> None:
    write_cube(tmp_path / "negative.cube", lambda colors: 1 - colors, "negative")
    clip = encode(tmp_path / "clip.mp4", [CONTENT] * 3)
    out = f"{tmp_path / 'frames'}/"
    done = run(
        "stylize", clip, "-s", "none", "--engine", "tint", "--lut", tmp_path / "negative.cube",
        "-o", out, "--progress", "none",
    )  # fmt: skip
    assert done.code == 0, done.err
    shown = cv2.imread(str(sorted(Path(out).glob("*.png"))[0]))[..., ::-1]
    with open_source(clip) as source:
        assert cv2.absdiff(255 - source.at(0), np.ascontiguousarray(shown)).max() <= 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello", "is not a three-dimensional table"),
        ("LUT_1D_SIZE 4\n0 0 0\n", "is not a three-dimensional table"),
        ("LUT_3D_SIZE 2\n0 0 0\n", "has 1 rows of 8"),
        ("LUT_3D_SIZE 999\n0 0 0\n", "of 2 to 129"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bad.cube").write_text(text, encoding="utf-8")
    with pytest.raises(MediaError, match=says):
        check_cube(tmp_path / "bad.cube")


def test_the_colors_of_a_style_become_a_table(run: Callable[..., Any], tmp_path: Path) -> None:
    clip = encode(tmp_path / "clip.mp4", [CONTENT] * 4)
    cv2.imwrite(str(tmp_path / "red.png"), np.full((20, 20, 3), (20, 20, 230), np.uint8))
    look = tmp_path / "look.cube"
    words = ["lut", clip, "-s", tmp_path / "red.png", "--engine", "tint", "-o", look]
    done = run(*words, "--progress", "none")
    assert done.code == 0, done.err
    check_cube(look)
    assert len(look.read_text(encoding="utf-8").splitlines()) == 2 + SIDE**3
    assert run(*words).code != 0  # it exists
