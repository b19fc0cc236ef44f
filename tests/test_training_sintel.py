"""Films in Sintel's layout, on a small tree that is made here; the flow files; moments of films."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from vst.errors import MediaError, MissingFileError, UsageError
from vst.imaging.optical_flow import warp
from vst.research.training import films as film_scenes
from vst.research.training import sintel

HEIGHT, WIDTH = 48, 80
STEP = np.array([2, 1], np.float32)
"""Pixels to the right and down that everything moves from frame to frame."""


def texture(seed: int = 0, side: int = 160) -> np.ndarray:
    """A smooth pattern, so that a color identifies its pixel."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def frame(index: int) -> np.ndarray:
    """A window that slides against the motion over the pattern."""
    right, down = (40 - STEP * index).astype(int)
    return np.ascontiguousarray(texture()[down : down + HEIGHT, right : right + WIDTH])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sintel's folders with one scene of eight frames, all of which moves by `STEP`; of each frame
    the ten columns from 30 on count as hidden in the next.
    """
    root = tmp_path_factory.mktemp("sintel")
    for name in ("clean", "final", "flow", "occlusions"):
        (root / "training" / name / "alley_9").mkdir(parents=True)
    hidden = np.zeros((HEIGHT, WIDTH), np.uint8)
    hidden[:, 30:40] = 255
    for index in range(8):
        name = f"frame_{index + 1:04}"
        for kind in ("clean", "final"):
            path = root / "training" / kind / "alley_9" / f"{name}.png"
            cv2.imwrite(str(path), frame(index)[:, :, ::-1] // (1 if kind == "clean" else 2))
        if index < 7:
            flow = np.broadcast_to(STEP, (HEIGHT, WIDTH, 2))
            sintel.write_flow(root / "training" / "flow" / "alley_9" / f"{name}.flo", flow)
            place = root / "training" / "occlusions" / "alley_9" / f"{name}.png"
            cv2.imwrite(str(place), hidden)
    return root


def test_a_flow_comes_back_bit_by_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    flow = rng.normal(0, 100, (7, 5, 2)).astype(np.float32)
    flow[0, 0] = np.inf, -0.0
    flow[1, 1] = np.nextafter(np.float32(1), np.float32(2)), 1e-42
    sintel.write_flow(tmp_path / "a.flo", flow)
    back = sintel.read_flow(tmp_path / "a.flo")
    assert back.dtype == np.float32 and back.shape == flow.shape
    assert back.tobytes() == flow.tobytes()
    sintel.write_flow(tmp_path / "b.flo", back)
    assert (tmp_path / "a.flo").read_bytes() == (tmp_path / "b.flo").read_bytes()


def test_a_flow_file_in_the_published_format_is_read(tmp_path: Path) -> None:
    numbers = [1.5, -2.0, 3.0, 4.25]  # two pixels side by side: right, down, right, down
    content = b"PIEH" + struct.pack("<ii4f", 2, 1, *numbers)
    (tmp_path / "a.flo").write_bytes(content)
    np.testing.assert_array_equal(
        sintel.read_flow(tmp_path / "a.flo"), np.array([[[1.5, -2.0], [3.0, 4.25]]], np.float32)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a .flo"),
        (b"RIFF" + bytes(20), "not a .flo"),
        (b"PIEH" + struct.pack("<ii", 2, 2) + bytes(8), "truncated"),
        (b"PIEH" + struct.pack("<ii", -1, 4), "-1x4"),
        (b"PIEH" + struct.pack("<ii", 2**30, 2**30), "in its header"),
    ],
)
def test_a_file_that_is_not_a_flow_raises_an_error_that_says_why(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "bad.flo"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=message):
        sintel.read_flow(path)


def test_a_flow_of_another_shape_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="height, width, 2"):
        sintel.write_flow(tmp_path / "a.flo", np.zeros((3, 4), np.float32))


@pytest.mark.parametrize("kind", ["clean", "final"])
def test_scenes_are_read_with_their_flow_and_what_is_hidden(tree: Path, kind: str) -> None:
    (scene,) = sintel.find_sintel_scenes(tree, kind)
    assert scene.name == "alley_9" and scene.count == 8
    flow, seen = scene.motion(2, 3)
    np.testing.assert_array_equal(flow, np.broadcast_to(STEP, flow.shape))
    assert not seen[:, 30:40].any()
    assert seen[: HEIGHT - 1, 40 : WIDTH - 2].all() and seen[: HEIGHT - 1, :30].all()
    assert not seen[:, -2:].any() and not seen[-1:].any()  # they leave the frame
    expected = frame(2) if kind == "clean" else frame(2) // 2
    np.testing.assert_array_equal(scene.picture(2), expected)


def test_the_later_frame_moved_along_the_flow_is_the_earlier_one(tree: Path) -> None:
    (scene,) = sintel.find_sintel_scenes(tree / "training")
    for later in (1, 5):
        flow, seen = scene.motion(0, later)
        np.testing.assert_allclose(flow, np.broadcast_to(later * STEP, flow.shape))
        moved = warp(scene.picture(later), flow)
        np.testing.assert_array_equal(moved[seen], scene.picture(0)[seen])
        assert 0.2 < seen.mean() < 0.95


def test_a_pixel_hidden_on_the_way_is_hidden() -> None:
    flow = np.zeros((4, 6, 2), np.float32)
    flow[..., 0] = 1
    first, second = np.ones((4, 6), bool), np.ones((4, 6), bool)
    second[:, 3] = False
    total, seen = sintel.chain_flows([flow, flow], [first, second])
    assert (total[..., 0] == 2).all()
    assert not seen[:, 2].any()  # it comes to column 3, which is hidden from there on
    assert seen[:, :2].all() and seen[:, 3].all() and not seen[:, 4:].any()


def test_flow_that_is_not_known_is_masked(tree: Path, tmp_path: Path) -> None:
    (scene,) = sintel.find_sintel_scenes(tree)
    flow = np.broadcast_to(STEP, (HEIGHT, WIDTH, 2)).copy()
    flow[5, 6] = 1e10, 0
    flow[7, 8] = np.nan
    sintel.write_flow(tmp_path / "a.flo", flow)
    changed = sintel.SintelScene("a", scene.frames[:2], (tmp_path / "a.flo",), scene.occlusions[:1])
    found, seen = changed.motion(0, 1)
    assert np.isfinite(found).all() and not seen[5, 6] and not seen[7, 8] and seen[5, 7]


def test_what_is_missing_in_the_layout_is_named(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "flow").mkdir()
    with pytest.raises(MissingFileError, match="clean"):
        sintel.find_sintel_scenes(tmp_path)
    (tmp_path / "clean" / "alley_1").mkdir(parents=True)
    for index in (1, 2):
        cv2.imwrite(str(tmp_path / "clean" / "alley_1" / f"frame_000{index}.png"), frame(0))
    with pytest.raises(MissingFileError, match=r"frame_0001\.flo"):
        sintel.find_sintel_scenes(tmp_path)
    with pytest.raises(UsageError, match="clean or final"):
        sintel.find_sintel_scenes(tree, "albedo")


@pytest.mark.parametrize("size", [(160, 96), (40, 24), (80, 96)])
def test_vectors_grow_as_the_picture_does_each_way_by_its_own_factor(size: tuple[int, int]) -> None:
    flow = np.broadcast_to(STEP, (HEIGHT, WIDTH, 2)).astype(np.float32)
    seen = np.ones((HEIGHT, WIDTH), bool)
    seen[:, 40] = False
    grown, mask = film_scenes.resize_flow(flow, seen, *size)
    assert grown.shape == (size[1], size[0], 2) and mask.shape == (size[1], size[0])
    factors = np.array([size[0] / WIDTH, size[1] / HEIGHT], np.float32)
    np.testing.assert_allclose(grown[3, 5], STEP * factors, rtol=1e-6)
    assert not mask[:, round(40.5 * size[0] / WIDTH - 0.5)].any() and mask[:, 0].all()


@pytest.mark.parametrize("chance", [None, 3, 4, 5, 6])
def test_a_moments_motion_fits_its_pictures(tree: Path, chance: int | None) -> None:
    (scene,) = sintel.find_sintel_scenes(tree)
    rng = None if chance is None else np.random.default_rng(chance)
    found = film_scenes.crop_sample(scene, 1, 40, rng)
    for later, flow, mask in (
        (found.next, found.flow_next, found.mask_next),
        (found.far, found.flow_far, found.mask_far),
    ):
        assert later.shape == (40, 40, 3) and later.dtype == np.uint8 and mask.any()
        error = np.abs(warp(later, flow).astype(int) - found.now)[mask]
        still = np.abs(later.astype(int) - found.now)[mask]
        assert error.mean() < 3 < 6 < still.mean()


def test_near_the_end_there_is_no_fifth_frame(tree: Path) -> None:
    (scene,) = sintel.find_sintel_scenes(tree)
    found = film_scenes.crop_sample(scene, 5, 40)
    assert found.mask_next.any() and not found.mask_far.any()


def test_validation_frames_are_in_no_training_moment() -> None:
    scene = film_scenes.FilmScene("a", [np.zeros((40, 40, 3), np.uint8)] * 60)
    films = film_scenes.FilmSet([scene])
    learnt = {index + lag for _, index in films.training for lag in (0, 1, film_scenes.LONG_TERM)}
    held = {index for _, index in films.held}
    assert len(held) == 5 and not learnt & held


def test_a_videos_motion_is_computed_and_never_over_a_cut(tmp_path: Path) -> None:
    for index in range(6):
        cv2.imwrite(str(tmp_path / f"{index:02}.png"), frame(index)[:, :, ::-1])
    for index in range(6, 10):
        other = np.full((HEIGHT, WIDTH, 3), (10, 200, 30 + index), np.uint8)
        cv2.imwrite(str(tmp_path / f"{index:02}.png"), other)
    films = film_scenes.FilmSet.read([tmp_path], side=32)
    scenes = {scene.name: scene for scene, _ in films.training}
    assert sorted(scene.count for scene in scenes.values()) == [4, 6]
    assert not films.drawn
    first = next(scene for scene in scenes.values() if scene.count == 6)
    flow, seen = first.motion(0, 1)
    scale = first.picture(0).shape[0] / HEIGHT
    assert np.abs(np.median(flow[seen], 0) - STEP * scale).max() < 0.3


def test_sintels_films_are_known_as_drawn(tree: Path) -> None:
    films = film_scenes.FilmSet.read([tree], side=40, kind="final")
    assert films.drawn and films.kind == "final" and films.data == (tree,)
    assert films.draw(np.random.default_rng(0), 40).now.max() < 128


def test_a_folder_without_films_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="neither videos nor frames"):
        film_scenes.FilmSet.read([tmp_path], side=40)
    with pytest.raises(MissingFileError, match="does not exist"):
        film_scenes.FilmSet.read([tmp_path / "none"], side=40)
    cv2.imwrite(str(tmp_path / "one.png"), frame(0))
    with pytest.raises(MissingFileError, match="no two frames"):
        film_scenes.FilmSet.read([tmp_path], side=40)
