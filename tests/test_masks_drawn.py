"""``drawn:FOLDER``: masks drawn for some frames are followed through the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.clips import encode
from tests.mask_measures import overlap
from vst.api import make_job, stylize
from vst.checkpoint.fingerprint import fingerprint_job, restore_job
from vst.core.types import Picture
from vst.errors import MediaError, MissingFileError, UsageError
from vst.masks.base import Alpha
from vst.masks.drawn import DrawnMask, cut_box, list_corrections
from vst.masks.open import open_mask
from vst.pipeline.checks import check_inputs
from vst.pipeline.record import build_record
from vst.plotting import save_picture
from vst.samples.figure import FigureClip
from vst.video.sources import open_source

CLIP = FigureClip(count=26, seed=11)
LAST = CLIP.count - 1


def save_mask(path: Path, alpha: Alpha) -> Path:
    path.parent.mkdir(exist_ok=True)
    save_picture(path, np.asarray(cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), np.uint8))
    return path


def follow(content: Path, folder: Path) -> tuple[list[Alpha], list[str]]:
    """The masks of all frames, and the warnings."""
    with open_source(content) as source, DrawnMask(str(folder), str(content)) as mask:
        return [alpha for _, alpha in mask.apply(source.frames())], mask.warnings


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A drawn clip of a second, its true masks, those of its first and its last frame as pictures,
    and what is found with them.
    """
    folder = tmp_path_factory.mktemp("drawn")
    layers = [CLIP.layers(index) for index in range(CLIP.count)]
    true = [one.alpha for one in layers]
    file = encode(folder / "shot.mp4", [one.picture for one in layers], rate=25)
    drawn = folder / "masks"
    save_mask(drawn / "shot_0000.000.png", true[0])
    save_mask(drawn / "1.png", true[LAST])
    found, warnings = follow(file, drawn)
    return {
        "file": file, "folder": drawn, "true": true, "found": found, "warnings": warnings,
        "pictures": [one.picture for one in layers],
    }  # fmt: skip


def test_with_a_drawn_mask_a_second_the_figure_is_followed(shot: dict[str, Any]) -> None:
    overlaps = [overlap(a, b) for a, b in zip(shot["found"], shot["true"])][1:LAST]
    assert np.mean(overlaps) >= 0.9 and min(overlaps) >= 0.8
    assert shot["warnings"] == []


def test_at_its_own_frame_a_drawn_mask_is_as_it_was_drawn(shot: dict[str, Any]) -> None:
    assert (shot["found"][0] == shot["true"][0]).all()
    assert (shot["found"][LAST] == shot["true"][LAST]).all()


def test_a_correction_improves_the_frames_around_it(shot: dict[str, Any], tmp_path: Path) -> None:
    middle = LAST // 2
    for name in ("shot_0000.000.png", "1.png"):
        (tmp_path / name).write_bytes((shot["folder"] / name).read_bytes())
    save_mask(tmp_path / f"{middle / 25}.png", shot["true"][middle])
    found, _ = follow(shot["file"], tmp_path)
    near = [index for index in range(middle - 4, middle + 5) if index != middle]
    before = np.mean([overlap(shot["found"][index], shot["true"][index]) for index in near])
    assert np.mean([overlap(found[index], shot["true"][index]) for index in near]) > before


def test_frames_may_be_asked_for_in_any_order(shot: dict[str, Any]) -> None:
    with open_source(shot["file"]) as source:
        frames = list(source.frames())
    mask = DrawnMask(str(shot["folder"]), str(shot["file"]))
    for index in (17, 4):
        alpha = mask.find(frames[index].picture, frames[index].time)
        assert alpha is not None and (alpha == shot["found"][index]).all()


def test_a_drawn_mask_holds_for_its_shot_and_a_warning_names_the_others(
    shot: dict[str, Any], tmp_path: Path
) -> None:
    other = [255 - picture[:, ::-1] for picture in shot["pictures"][:6]]
    file = encode(tmp_path / "cut.mp4", [*shot["pictures"][:6], *other], rate=25)
    save_mask(tmp_path / "masks" / "0.png", shot["true"][0])
    found, warnings = follow(file, tmp_path / "masks")
    assert min(overlap(a, b) for a, b in zip(found[:6], shot["true"])) > 0.75
    assert not any(alpha.any() for alpha in found[6:])
    assert len(warnings) == 1 and "no drawn mask was found in 6 of 12 frames" in warnings[0]


def test_a_box_finds_the_figure_in_it(shot: dict[str, Any]) -> None:
    rows, columns = np.nonzero(shot["true"][0] > 127)
    box = (
        columns.min() / CLIP.width - 0.02,
        rows.min() / CLIP.height - 0.02,
        np.ptp(columns) / CLIP.width + 0.04,
        np.ptp(rows) / CLIP.height + 0.04,
    )
    assert overlap(cut_box(box, shot["pictures"][0]), shot["true"][0]) > 0.8


def test_a_box_in_a_text_file_is_followed_like_a_mask(shot: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "0.txt").write_text("0.2,0.05,0.3,0.9\n", encoding="utf-8")
    found, _ = follow(shot["file"], tmp_path)
    assert np.mean([overlap(a, b) for a, b in zip(found[:9], shot["true"])]) > 0.7


def test_an_empty_drawing_says_that_the_foreground_is_gone(
    shot: dict[str, Any], tmp_path: Path
) -> None:
    save_mask(tmp_path / "0.png", np.zeros_like(shot["true"][0]))
    found, warnings = follow(shot["file"], tmp_path)
    assert not any(alpha.any() for alpha in found) and warnings == []


def test_a_smaller_drawing_is_enlarged(shot: dict[str, Any], tmp_path: Path) -> None:
    small = cv2.resize(shot["true"][0], (160, 90), interpolation=cv2.INTER_AREA)
    save_mask(tmp_path / "0.png", np.asarray(small, np.uint8))
    with open_source(shot["file"]) as source:
        first = next(source.frames())
    alpha = DrawnMask(str(tmp_path), str(shot["file"])).find(first.picture, 0.0)
    assert alpha is not None and overlap(alpha, shot["true"][0]) > 0.95


def test_a_job_paints_inside_of_it_alone(shot: dict[str, Any], tmp_path: Path) -> None:
    out, matte, style = tmp_path / "painted", tmp_path / "matte", tmp_path / "red.png"
    save_picture(style, np.full((32, 32, 3), (230, 60, 40), np.uint8))
    stylize(
        shot["file"], style, out, mask=f"drawn:{shot['folder']}", save_mask=matte,
        engine="tint", stabilize="off", end=0.2,
    )  # fmt: skip
    saved = cv2.imread(str(sorted(matte.glob("*.png"))[3]), cv2.IMREAD_GRAYSCALE)
    assert (saved == shot["found"][3]).all()
    painted: Picture = cv2.imread(str(sorted(out.glob("*.png"))[3]))[..., ::-1]
    with open_source(shot["file"]) as source:
        content = [frame.picture for frame in source.frames()][3]
    away = cv2.absdiff(np.ascontiguousarray(painted), content).max(axis=2)
    outside = cv2.dilate(shot["found"][3], np.ones((5, 5), np.uint8)) == 0
    assert away[outside].max() == 0
    assert away[shot["found"][3] == 255].mean() > 5


def test_a_resumed_run_notices_another_drawing(shot: dict[str, Any], tmp_path: Path) -> None:
    save_mask(tmp_path / "0.png", shot["true"][0])
    job = make_job(shot["file"], "@ink-wash", "out.mp4", mask=f"drawn:{tmp_path}")
    before = fingerprint_job(job)["mask"]
    save_mask(tmp_path / "0.png", shot["true"][1])
    assert fingerprint_job(job)["mask"] != before


def test_the_folder_is_found_from_the_manifest_and_named_in_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "masks").mkdir(parents=True)
    plain = {"content": "a.mp4", "styles": ["@ink-wash"], "mask": "drawn:masks"}
    job = restore_job(plain, str(tmp_path / "work"), str(tmp_path / "out.mp4"))
    assert job.mask == f"drawn:{tmp_path / 'work' / 'masks'}"
    assert '"mask": "drawn:work/masks"' in build_record(job)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("soon.png", "is not named by the time of its frame"),
        ("9.png", "is after the end"),
        ("0.5.txt", "not a list of numbers"),
        ("readme.md", "the folder has no masks"),
    ],
)
def test_a_wrong_file_is_named(shot: dict[str, Any], tmp_path: Path, name: str, text: str) -> None:
    folder = tmp_path / "masks"
    save_mask(folder / "mask.png", shot["true"][0]).rename(folder / name)
    if name.endswith("txt"):
        (folder / name).write_text("left", encoding="utf-8")
    job = make_job(shot["file"], "@ink-wash", "out.mp4", mask=f"drawn:{folder}")
    with pytest.raises(UsageError, match=text):
        check_inputs(job)


def test_a_mask_of_another_shape_is_refused(shot: dict[str, Any], tmp_path: Path) -> None:
    save_mask(tmp_path / "0.png", np.zeros((180, 200), np.uint8))
    with pytest.raises(UsageError, match="has 200x180 pixels, the content 320x180"):
        DrawnMask(str(tmp_path), str(shot["file"]))


def test_an_empty_file_and_an_empty_box_are_refused(shot: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "0.png").touch()
    with pytest.raises(MediaError, match=r"0\.png"):
        DrawnMask(str(tmp_path), str(shot["file"]))
    (tmp_path / "0.png").unlink()
    (tmp_path / "0.txt").write_text("0.2,0.2,0,0", encoding="utf-8")
    with pytest.raises(UsageError, match=r"0\.txt.*must lie within the picture"):
        DrawnMask(str(tmp_path), str(shot["file"]))


def test_two_masks_of_one_frame_are_refused(tmp_path: Path) -> None:
    for name in ("1.png", "shot_0001.000.png"):
        save_mask(tmp_path / name, np.zeros((9, 16), np.uint8))
    with pytest.raises(UsageError, match="have the same time"):
        list_corrections(str(tmp_path))


def test_a_missing_folder_is_named(shot: dict[str, Any]) -> None:
    with pytest.raises(MissingFileError, match="'drawn:nothing': there is no such folder"):
        open_mask("drawn:nothing", content=str(shot["file"]))


@pytest.mark.parametrize(
    ("options", "text"),
    [({"speed": 0.5}, "followed from frame to frame"), ({"save_mask": "."}, "is in use")],
)
def test_what_does_not_go_with_it_is_refused(
    shot: dict[str, Any], monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], text: str
) -> None:
    monkeypatch.chdir(shot["folder"])
    job = make_job(shot["file"], "@ink-wash", "../out.mp4", mask="drawn:.", **options)
    with pytest.raises(UsageError, match=text):
        check_inputs(job)


def test_a_stream_is_refused() -> None:
    with pytest.raises(UsageError, match="the content is read twice"):
        open_mask("drawn:masks", content="-")
