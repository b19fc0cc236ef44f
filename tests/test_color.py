"""Whose colors a painting has."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vst.core.types import Picture
from vst.errors import UsageError
from vst.imaging.color import (
    COLOR_SPACES,
    COLORS,
    match_histograms,
    mix_content_color,
    prepare_style,
    recolor_painting,
)
from vst.samples import draw_pattern, draw_photo


@pytest.fixture(scope="module")
def photo() -> Picture:
    return draw_photo(160, 96)


@pytest.fixture(scope="module")
def painting() -> Picture:
    return cv2.resize(draw_pattern("fire-impasto", 160, 96), (160, 96))


@pytest.mark.parametrize("space", COLOR_SPACES)
def test_the_content_s_colors_with_the_painting_s_brightness(
    space: str, photo: Picture, painting: Picture
) -> None:
    # Moderate colors: those that no RGB has at another brightness are cut off.
    dull, soft = photo // 3 + 90, painting // 3 + 80
    code = COLOR_SPACES[space][0]
    result = mix_content_color(dull, soft, space)
    channels = [cv2.cvtColor(x, code).astype(int) for x in (result, soft, dull)]
    assert np.abs(channels[0] - channels[1])[..., 0].mean() < 1.5
    assert np.abs(channels[0] - channels[2])[..., 1:].mean() < 1.5


@pytest.mark.parametrize("space", COLOR_SPACES)
def test_the_painting_itself_comes_back_from_its_own_colors(space: str, painting: Picture) -> None:
    assert np.abs(mix_content_color(painting, painting, space).astype(int) - painting).mean() < 2


def test_each_way_is_nearer_to_the_content_s_colors(photo: Picture, painting: Picture) -> None:
    lab = [
        cv2.cvtColor(recolor_painting(way, photo, painting), cv2.COLOR_RGB2Lab)[..., 1:].astype(int)
        for way in ("style", "blend", "content")
    ]
    wanted = cv2.cvtColor(photo, cv2.COLOR_RGB2Lab)[..., 1:].astype(int)
    away = [np.abs(one - wanted).mean() for one in lab]
    assert away[0] > 1.5 * away[1] > 1.5 * away[2]
    assert recolor_painting("style", photo, painting) is painting


def test_a_matched_style_has_the_content_s_palette(photo: Picture, painting: Picture) -> None:
    result = match_histograms(painting, photo)
    assert result.shape == painting.shape and result.dtype == np.uint8
    lab = [cv2.cvtColor(x, cv2.COLOR_RGB2Lab).reshape(-1, 3) for x in (result, photo, painting)]
    for level in (10, 50, 90):
        got, wanted, had = (np.percentile(x.astype(float), level, axis=0) for x in lab)
        assert np.abs(got - wanted).max() < 8
        assert np.abs(got - wanted).sum() < np.abs(had - wanted).sum()
    assert np.abs(match_histograms(photo, photo).astype(int) - photo).mean() < 2


def test_a_style_of_one_color_becomes_one_color(photo: Picture) -> None:
    flat = np.full((20, 20, 3), 90, np.uint8)
    assert np.ptp(match_histograms(flat, photo).reshape(-1, 3), axis=0).max() == 0
    assert (match_histograms(photo, flat).astype(int) - 90).max() <= 2


def test_only_blend_prepares_the_style(photo: Picture, painting: Picture) -> None:
    for way in COLORS:
        assert (prepare_style(way, painting, photo) is painting) == (way != "blend")


def test_wrong_names_and_sizes_are_answered(photo: Picture, painting: Picture) -> None:
    with pytest.raises(UsageError, match=r"'contnt'.*content"):
        recolor_painting("contnt", photo, painting)
    with pytest.raises(UsageError, match="ycrcb"):
        mix_content_color(photo, painting, "ycbcr")
    with pytest.raises(UsageError, match="Resize one"):
        mix_content_color(photo[:-1], painting)
