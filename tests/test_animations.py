"""Animated WebP and PNG as content: times, opacity, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import clips
from vst.errors import MediaError
from vst.video.sources import detect_source_kind, open_source

TIMES = [40, 40, 80, 200, 40, 40]
"""Milliseconds for which the pictures are shown."""


@pytest.fixture(params=["webp", "png"])
def animation(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Six numbered pictures of 160 x 120, whose right half is transparent."""
    pictures = []
    for picture in clips.draw_numbered_frames(len(TIMES), 160, 120):
        rgba = np.dstack([picture, np.full((120, 160), 255, np.uint8)])
        rgba[:, 140:, 3] = 0
        pictures.append(Image.fromarray(rgba))
    path = tmp_path / f"a.{request.param}"
    exact = {"lossless": True, "exact": True} if request.param == "webp" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=TIMES, **exact)
    return path


def test_the_pictures_of_an_animation_come_at_their_own_times(animation: Path) -> None:
    assert detect_source_kind(animation) == "animation"
    with open_source(animation) as source:
        frames = list(source.frames())
        assert [clips.read_number(frame.picture) for frame in frames] == list(range(6))
        assert [frame.time for frame in frames] == [0, 0.04, 0.08, 0.16, 0.36, 0.4]
        assert (source.info.frames, source.info.duration, source.info.variable) == (6, 0.44, True)
        part = list(source.frames(0.08, 0.36))
    assert [(frame.index, frame.time) for frame in part] == [(0, 0.08), (1, 0.16)]


def test_an_animation_is_on_black_until_its_opacity_is_kept(animation: Path) -> None:
    with open_source(animation) as source:
        assert next(source.frames()).picture[:, 140:].max() == 0
        assert source.keep_alpha()
        frame = next(source.frames())
    assert frame.alpha is not None
    assert (frame.alpha[:, :140] == 255).all() and (frame.alpha[:, 140:] == 0).all()


def test_an_animation_that_is_cut_off_gives_its_readable_part(animation: Path) -> None:
    data = animation.read_bytes()
    animation.write_bytes(data[: len(data) * 2 // 3])
    try:
        with open_source(animation) as source:
            count = len(list(source.frames()))
            assert 0 < count < 6 and source.info.frames == count
            assert "ends early" in " ".join(source.warnings)
    except MediaError as error:  # Pillow refuses a WebP that is not whole
        assert animation.suffix == ".webp" and "damaged" in str(error)


def test_a_still_webp_and_png_are_pictures(tmp_path: Path) -> None:
    for suffix in ("webp", "png"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"still.{suffix}")
        assert detect_source_kind(tmp_path / f"still.{suffix}") == "picture"
