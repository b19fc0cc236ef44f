"""The mask that a job finds is written beside its output, and read back as a mask."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.clips import encode
from vst.api import make_job, stylize
from vst.errors import OutputExistsError, UsageError
from vst.pipeline.checks import check_inputs
from vst.video.sources import open_source

COUNT = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, a picture of a style, and a mask: a soft disc."""
    place = tmp_path_factory.mktemp("save-mask")
    rng = np.random.default_rng(3)
    picture = cv2.resize(rng.integers(0, 255, (9, 12, 3)).astype(np.uint8), (96, 72))
    encode(place / "clip.mp4", [np.roll(picture, 2 * n, 1) for n in range(COUNT)])
    cv2.imwrite(str(place / "style.png"), np.full((32, 32, 3), (40, 90, 220), np.uint8))
    mask = np.zeros((72, 96), np.uint8)
    cv2.circle(mask, (48, 36), 20, 255, -1)
    cv2.imwrite(str(place / "mask.png"), cv2.GaussianBlur(mask, (0, 0), 2))
    return place


def read_grays(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        return [frame.picture[..., 1] for frame in source.frames()]


@pytest.mark.parametrize(("name", "level"), [("matte", 8), ("matte.mkv", 8), ("matte.mp4", 24)])
def test_the_mask_is_written_frame_by_frame(
    folder: Path, tmp_path: Path, name: str, level: int
) -> None:
    """``level``: reading a mask stretches its levels by 8 at either end."""
    mask = folder / "mask.png"
    stylize(
        folder / "clip.mp4", str(folder / "style.png"), tmp_path / "out.mp4", engine="tint",
        mask=mask, save_mask=tmp_path / name,
    )  # fmt: skip
    found = read_grays(tmp_path / name)
    true = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
    assert len(found) == COUNT
    assert all(cv2.absdiff(one, true).max() <= level for one in found)


def test_a_written_mask_is_read_as_the_same_mask(folder: Path, tmp_path: Path) -> None:
    words = folder / "clip.mp4", str(folder / "style.png")
    options = {"engine": "tint", "mask_edge": "soft"}
    stylize(*words, tmp_path / "a", mask=folder / "mask.png", save_mask=tmp_path / "m", **options)
    stylize(*words, tmp_path / "b", mask=tmp_path / "m", **options)
    for one, other in zip(read_grays(tmp_path / "a"), read_grays(tmp_path / "b"), strict=True):
        assert cv2.absdiff(one, other).max() <= 8


def test_a_folder_of_masks_has_the_contents_rate(folder: Path, tmp_path: Path) -> None:
    picture = np.full((72, 96, 3), 90, np.uint8)
    clip = encode(tmp_path / "slow.mp4", [picture] * COUNT, rate=10)
    (tmp_path / "m").mkdir()
    for number in range(COUNT):
        mask = np.full((72, 96), 40 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "m" / f"{number}.png"), mask)
    style = str(folder / "style.png")
    options = {"mask": tmp_path / "m", "save_mask": tmp_path / "found", "engine": "tint"}
    stylize(clip, style, tmp_path / "out.mp4", **options)
    for number, gray in enumerate(read_grays(tmp_path / "found")):
        assert abs(int(gray[30, 40]) - 40 * number) <= 8


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"save_mask": "m/"}, "without a mask"),
        ({"save_mask": "m.gif", "mask": "auto"}, "neither a video nor a folder"),
        ({"save_mask": "out.mp4", "mask": "auto"}, "is in use"),
    ],
)
def test_a_wrong_name_is_refused(folder: Path, options: dict[str, str], text: str) -> None:
    job = make_job(folder / "clip.mp4", str(folder / "style.png"), "out.mp4", **options)
    with pytest.raises(UsageError, match=text):
        check_inputs(job)


def test_a_mask_that_is_there_is_kept(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "m.mkv").write_bytes(b"mine")
    job = make_job(
        folder / "clip.mp4", str(folder / "style.png"), "out.mp4", mask="auto",
        save_mask=tmp_path / "m.mkv",
    )  # fmt: skip
    with pytest.raises(OutputExistsError, match="exists"):
        check_inputs(job)
    assert (tmp_path / "m.mkv").read_bytes() == b"mine"
