"""Maps of a style space, walks through it, and their drawings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from vst.errors import UsageError
from vst.plotting import Look, draw_flow, draw_numbers, draw_places, highlight_hidden
from vst.plotting.places import push_apart
from vst.styles.embedding_map import find_nearest_styles, map_space, walk


def made(count: int, dim: int, seed: int = 0) -> dict[str, np.ndarray]:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return {f"s{i}": row for i, row in enumerate(rows)}


def distances(places: np.ndarray) -> np.ndarray:
    return np.linalg.norm(places[:, None] - places[None], axis=2)


def test_a_map_of_styles_on_a_plane_keeps_their_distances() -> None:
    flat = np.random.default_rng(1).normal(size=(9, 2)) @ np.random.default_rng(2).normal(
        size=(2, 20)
    )
    found = map_space({str(i): row for i, row in enumerate(flat)})
    assert found.kept == pytest.approx(1)
    assert np.allclose(distances(found.places), distances(flat))


def test_the_map_is_classical_scaling_of_the_distances() -> None:
    styles = made(12, 30)
    rows = np.stack(list(styles.values())).astype(np.float64)
    squares = distances(rows) ** 2
    centring = np.eye(12) - 1 / 12
    values, vectors = np.linalg.eigh(-centring @ squares @ centring / 2)
    scaled = vectors[:, ::-1][:, :2] * np.sqrt(values[::-1][:2])
    assert np.allclose(np.abs(map_space(styles).places), np.abs(scaled))


@given(some.integers(2, 9), some.integers(1, 12), some.integers(0, 99))
def test_projecting_the_map_s_styles_gives_their_places(count: int, dim: int, seed: int) -> None:
    styles = made(count, dim, seed)
    found = map_space(styles)
    assert np.allclose(found.project(np.stack(list(styles.values()))), found.places, atol=1e-5)
    assert 0 <= found.kept <= 1 + 1e-9 and np.allclose(found.places.mean(0), 0, atol=1e-5)


def test_equal_styles_can_be_mapped() -> None:
    found = map_space({"a": np.ones(3), "b": np.ones(3)})
    assert found.kept == 1 and not found.places.any()


@pytest.mark.parametrize("styles", [{}, {"a": np.ones(3)}, {"a": np.ones(3), "b": np.ones(4)}])
def test_fewer_than_two_styles_of_one_space_are_refused(styles: dict[str, np.ndarray]) -> None:
    with pytest.raises(UsageError, match="at least two"):
        map_space(styles)


def test_embeddings_of_another_length_are_refused() -> None:
    with pytest.raises(UsageError, match="3 numbers"):
        map_space({"a": np.ones(3), "b": np.zeros(3)}).project(np.ones(4))


@pytest.mark.parametrize("blend", ["embedding", "slerp", "spline"])
def test_a_walk_passes_through_every_style(blend: str) -> None:
    stops = list(made(3, 10).values())
    way = walk(stops, 9, blend)
    assert way.shape == (9, 10)
    assert np.allclose(way[[0, 4, 8]], stops, atol=1e-5)


def test_a_walk_of_one_step_is_refused() -> None:
    with pytest.raises(UsageError, match="two steps"):
        walk([np.ones(3)], 1)


def test_the_nearest_is_the_style_itself() -> None:
    styles = made(6, 5)
    found = find_nearest_styles(styles, styles["s3"], 3)
    assert found[0] == ("s3", 0.0) and len(found) == 3
    assert found[1][1] <= found[2][1]


def test_thumbnails_are_pushed_apart() -> None:
    rooms = np.full((12, 2), 30.0)
    bounds = (np.full((12, 2), 15.0), np.full((12, 2), 285.0))
    centres = push_apart(np.full((12, 2), 150.0), rooms, bounds)
    lap = 30 - np.abs(centres[:, None] - centres[None]).max(2)
    np.fill_diagonal(lap, 0)
    assert lap.max() < 2 and (centres >= 15).all() and (centres <= 285).all()


def test_a_map_is_drawn_with_thumbnails_and_routes() -> None:
    found = map_space(made(5, 4))
    thumbnails = {"s1": np.full((20, 30, 3), (0, 255, 0), np.uint8)}
    plain = draw_places(found.names, found.places, look=Look(width=400, height=300))
    look = Look("Map", 400, 300, dark=True)
    full = draw_places(
        found.names, found.places, thumbnails, routes={"way": found.places}, look=look
    )
    assert plain.shape == full.shape == (300, 400, 3)
    assert (full == (0, 255, 0)).all(2).sum() > 1000
    with pytest.raises(UsageError, match="one for each"):
        draw_places(["a"], found.places)


def test_flow_is_colored_by_direction_and_length() -> None:
    flow = np.zeros((4, 4, 2), np.float32)
    flow[:, 2:, 0], flow[2:, :2, 0] = 3.0, -3.0
    drawn = draw_flow(flow, 3.0).astype(int)
    assert (drawn[0, 0] == 255).all()
    right, left = drawn[0, 3], drawn[3, 0]
    assert right[0] > right[2] + 100 and left[2] > left[0] + 100


def test_what_a_mask_leaves_out_is_marked() -> None:
    picture = np.full((2, 2, 3), 9, np.uint8)
    drawn = highlight_hidden(picture, np.array([[True, False], [True, True]]), (1, 2, 3))
    assert drawn[0, 1].tolist() == [1, 2, 3] and (drawn[1] == 9).all()


def test_numbers_are_cells() -> None:
    cells = draw_numbers(np.array([-1, 0, 1], np.float32), columns=2, cell=4).astype(int)
    assert cells.shape == (8, 8, 3)
    assert cells[0, 0, 2] > cells[0, 0, 0] and cells[4, 0, 0] > cells[4, 0, 2]
    assert draw_numbers(np.zeros(3, np.float32)).shape == (8, 200, 3)
