"""Several regions of the picture, each with styles of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.clips import encode
from vst.api import make_job, stylize
from vst.core.types import Frame, Picture
from vst.errors import MissingFileError, UsageError
from vst.masks.regions import Region, RegionsMask, cover_lower, read_regions
from vst.pipeline.checks import check_inputs
from vst.video.sources import open_source

COUNT, HEIGHT, WIDTH = 6, 72, 96
RED, BLUE = (210, 40, 30), (20, 60, 220)
LEFT, MIDDLE, RIGHT = (36, 12), (36, 48), (36, 84)
"""Pixels, y and x, well inside of the two regions and of what is in neither."""


def save(path: Path, picture: Picture) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def draw_labels(left: int = 80, middle: int = 200) -> Picture:
    """A label picture: the left third, the middle third, and black."""
    labels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    labels[:, :32], labels[:, 32:64] = left, middle
    return labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, two styles, label pictures, and a mask of the left third."""
    place = tmp_path_factory.mktemp("regions")
    rng = np.random.default_rng(3)
    picture = cv2.resize(rng.integers(60, 200, (9, 12, 3)).astype(np.uint8), (WIDTH, HEIGHT))
    encode(place / "clip.mp4", [picture] * COUNT)
    for name, color in (("red", RED), ("blue", BLUE)):
        save(place / f"{name}.png", np.full((32, 32, 3), color, np.uint8))
    for index in range(COUNT):
        save(place / "labels" / f"{index:03}.png", draw_labels())
    save(place / "left.png", np.where(draw_labels() == 80, np.uint8(255), np.uint8(0)))
    return place


def paint(folder: Path, out: Path, styles: list[str], **options: Any) -> list[Picture]:
    paths = [style if style == "none" else str(folder / style) for style in styles]
    options = {"engine": "tint", "stabilize": "off", **options}
    stylize(folder / "clip.mp4", paths, out, **options)
    with open_source(out) as source:
        return [frame.picture for frame in source.frames()]


def assert_alike(one: Picture, other: Picture, place: tuple[int, int]) -> None:
    y, x = place
    near = np.s_[y - 4 : y + 4, x - 4 : x + 4]
    assert cv2.absdiff(one[near], other[near]).max() <= 12


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    """The first frame painted as a whole in each style, and as filmed."""
    place = tmp_path_factory.mktemp("whole")
    names = ("red.png", "blue.png", "none")
    return {name: paint(folder, place / name.partition(".")[0], [name])[0] for name in names}


@pytest.mark.parametrize("edge", ["inpainted", "soft", "gaussian"])
def test_label_pictures_take_the_styles_in_order(
    folder: Path, tmp_path: Path, whole: dict[str, Picture], edge: str
) -> None:
    labels = folder / "labels"
    styles = ["red.png", "blue.png"]
    found = paint(folder, tmp_path / "out", styles, mask_regions=labels, mask_edge=edge)
    assert len(found) == COUNT
    if edge == "inpainted":  # the others show the painter black or blurred surroundings
        assert_alike(found[0], whole["red.png"], LEFT)
        assert_alike(found[0], whole["blue.png"], MIDDLE)
    assert cv2.absdiff(found[0], whole["none"])[:, 70:].max() <= 2
    assert found[0][LEFT][0] > found[0][LEFT][2] and found[0][MIDDLE][2] > found[0][MIDDLE][0]


def test_what_is_in_no_region_takes_the_background(
    folder: Path, tmp_path: Path, whole: dict[str, Picture]
) -> None:
    found = paint(
        folder, tmp_path / "out", ["red.png", "red.png"], mask_regions=folder / "labels",
        mask_background=folder / "blue.png",
    )  # fmt: skip
    assert_alike(found[0], whole["blue.png"], RIGHT)
    assert_alike(found[0], whole["red.png"], LEFT)


def test_a_file_gives_each_region_a_mask_and_a_score(
    folder: Path, tmp_path: Path, whole: dict[str, Picture]
) -> None:
    (folder / "turn.yaml").write_text(
        "styles: {a: red.png, b: blue.png}\nkeys: [{at: 0, style: a}, {at: 100%, style: b}]\n",
        encoding="utf-8",
    )
    (folder / "regions.yaml").write_text(
        "labels: labels\nregions:\n  actor: {mask: left.png, score: turn.yaml}\n"
        "  sea: {label: 200, styles: [red.png]}\n",
        encoding="utf-8",
    )
    found = paint(folder, tmp_path / "out", [], mask_regions=folder / "regions.yaml")
    assert_alike(found[0], whole["red.png"], LEFT)
    assert_alike(found[-1], whole["blue.png"], LEFT)
    assert_alike(found[-1], whole["red.png"], MIDDLE)
    assert cv2.absdiff(found[0], whole["none"])[:, 70:].max() <= 2


def test_the_jobs_styles_are_those_outside_of_a_files_regions(
    folder: Path, tmp_path: Path, whole: dict[str, Picture]
) -> None:
    (folder / "one.yaml").write_text(
        "regions: {a: {mask: left.png, styles: [none]}}\n", encoding="utf-8"
    )
    found = paint(folder, tmp_path / "out", ["blue.png"], mask_regions=folder / "one.yaml")
    assert_alike(found[0], whole["blue.png"], RIGHT)
    assert_alike(found[0], whole["none"], LEFT)


def test_mattes_are_written_for_each_region_and_read_back(folder: Path, tmp_path: Path) -> None:
    styles = ["red.png", "blue.png"]
    mattes = tmp_path / "mattes"
    options = {"mask_regions": folder / "labels", "save_mask": mattes}
    once = paint(folder, tmp_path / "a", styles, **options)
    assert sorted(one.name for one in mattes.iterdir()) == ["200", "80"]
    assert len(list((mattes / "80").glob("*.png"))) == COUNT
    again = paint(folder, tmp_path / "b", styles[::-1], mask_regions=mattes)  # 200 comes first
    assert all(cv2.absdiff(a, b).max() <= 2 for a, b in zip(once, again, strict=True))


def test_earlier_regions_cover_later_ones() -> None:
    top, below = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    top[:2], top[2] = 255, 102
    stacked = cover_lower([top, below])
    assert (stacked[..., 1] == 255 - top).all()


def test_labels_are_colors_in_a_video_as_well(folder: Path, tmp_path: Path) -> None:
    labels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    labels[:, :32] = (200, 30, 30)
    path = encode(tmp_path / "labels.mp4", [labels] * 3)
    regions = [Region("red", str(path), (200, 30, 30), ("none",))]
    with RegionsMask(regions) as mask:
        frame = Frame(0, 0.0, labels)
        [(_, alpha)] = mask.apply(iter([frame]))
    assert alpha.shape == (HEIGHT, WIDTH, 1)
    assert (alpha[:, :26, 0] == 255).all() and not alpha[:, 40:].any()


def test_labels_that_come_later_count(tmp_path: Path) -> None:
    for index in range(5):
        labels = draw_labels(middle=200 if index == 4 else 0)
        save(tmp_path / f"{index}.png", labels)
    assert [region.name for region in read_regions(str(tmp_path), ["a", "b"])] == ["80", "200"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "is empty"),
        ("styles: {}", "not a file of regions"),
        ("regions: {}", "not 1 to 16 names"),
        ("regions: {a: {mask: left.png}}", "needs styles or a score"),
        ("regions: {a: {styles: [red.png]}}", "needs a mask or a label"),
        ("regions: {a: {label: 3, styles: [red.png]}}", "a label without pictures"),
        ("regions: {a/b: {mask: left.png, styles: [red.png]}}", "not a name"),
        ("regions: {a: {mask: left.png, style: red.png}}", "unknown key 'style'"),
        ("labels: labels\nregions: {a: {label: 300, styles: [red.png]}}", "is not a label"),
        ("regions: {a: {mask: no.png, styles: [red.png]}}", "region a: mask .*does not exist"),
        ("regions: {a: {mask: left.png, styles: [no.png]}}", "neither a file, a folder"),
        ("regions: {a: {mask: left.png, score: no.yaml}}", "does not exist"),
    ],
)
def test_a_wrong_file_is_named(folder: Path, text: str, error: str) -> None:
    path = folder / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    job = make_job(folder / "clip.mp4", [], "out.mp4", mask_regions=path)
    with pytest.raises((UsageError, MissingFileError), match=error):
        check_inputs(job)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mask_regions": "labels"}, r"2 regions \(80, 200\), but there are 1 styles"),
        ({"mask_regions": "labels", "mask": "auto"}, "beside mask_regions"),
        ({"mask_regions": "nothing"}, "does not exist"),
        ({"mask_regions": "labels", "save_mask": "m.mkv"}, "Give a folder"),
        ({"mask_regions": "labels", "save_mask": "m/a.####.png"}, "Give a folder"),
    ],
)
def test_a_wrong_job_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], error: str
) -> None:
    monkeypatch.chdir(folder)
    job = make_job("clip.mp4", "red.png", "out.mp4", **options)
    with pytest.raises((UsageError, MissingFileError), match=error):
        check_inputs(job)


def test_photographs_are_not_label_pictures(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    save(tmp_path / "a.png", noise)
    with pytest.raises(UsageError, match="not label pictures"):
        read_regions(str(tmp_path), ["a"])
