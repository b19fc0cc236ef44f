"""The order of styles, and transitions that end at given times."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.core.types import Frame
from vst.errors import UsageError
from vst.schedule.alignment import align_to, find_cut_times
from vst.schedule.ordering import find_shortest_path, measure_path, order_styles
from vst.schedule.timeline import Key, Timeline


def test_orders_by_time_and_by_name() -> None:
    names, times = ["film-10", "film-2", "Ink"], [3.0, 1.0, 2.0]
    assert order_styles("given", names, times) == [0, 1, 2]
    assert order_styles("time", names, times) == [1, 2, 0]
    assert order_styles("name", names, times) == [1, 0, 2]
    with pytest.raises(UsageError, match="did you mean 'time'"):
        order_styles("tim", names, times)
    with pytest.raises(UsageError, match="needs the styles' embeddings"):
        order_styles("path", names, times)


@given(seed=st.integers(0, 99), count=st.integers(1, 6), loop=st.booleans())
def test_no_order_gives_a_shorter_path(seed: int, count: int, loop: bool) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    between = np.linalg.norm(points[:, None] - points[None], axis=2)
    found = find_shortest_path(points, loop)
    best = min(measure_path(between, order, loop) for order in permutations(range(count)))
    assert sorted(found) == list(range(count))
    assert measure_path(between, found, loop) == pytest.approx(best)
    assert found[0] == 0 if loop else found[0] <= found[-1]


@pytest.mark.parametrize("loop", [False, True])
def test_the_path_through_40_shuffled_points_follows_their_curve(loop: bool) -> None:
    along = np.linspace(0, 2 * np.pi if loop else 3, 41 if loop else 40)[:40]
    ring = np.stack([np.cos(along), np.sin(along)], 1)
    points = ring if loop else np.stack([along, along**2], 1)
    mixed = np.random.default_rng(5).permutation(40)
    found = [int(mixed[index]) for index in find_shortest_path(points[mixed], loop)]
    steps = {(b - a) % 40 for a, b in zip(found, [*found[1:], found[0]] if loop else found[1:])}
    assert steps in ({1}, {39})


def find_ends(line: Timeline) -> list[float]:
    """Return the times of the keys shortly before which the weights are different."""
    return sorted(
        {
            key.time
            for key in line.keys
            if line.at(key.time - 0.3).weights != pytest.approx(line.at(key.time).weights)
        }
    )


@pytest.mark.parametrize("hold", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("blend", ["embedding", "spline"])
def test_transitions_end_on_the_given_times(hold: float, blend: str) -> None:
    line = Timeline.through(["a", "b", "c"], 10.0, hold=hold, blend=blend)
    moved = align_to(line, [8.5, 2.0, 4.4, 12.0, 0.0])
    assert find_ends(moved) == [4.4, 8.5]
    assert moved.at(4.4).weights == {"b": 1.0} and moved.at(8.5).weights == {"c": 1.0}
    assert moved.at(10.0).weights == {"c": 1.0}
    if hold == 0.4:
        assert moved.at(4.4 * 0.39).weights == {"a": 1.0}


def test_keys_without_a_time_keep_their_relative_position() -> None:
    line = Timeline.through(["a", "b", "c", "d"], 9.0)
    assert [key.time for key in align_to(line, [3.5]).keys] == [0, 3.5, 6.25, 9]
    assert align_to(line, []) == line
    assert align_to(line, [-1.0, 20.0]) == line


@given(
    times=st.lists(st.floats(0.01, 30), max_size=30),
    count=st.integers(1, 5),
    hold=st.floats(0, 0.9),
)
def test_transitions_end_in_order_on_as_many_of_the_times_as_there_are(
    times: list[float], count: int, hold: float
) -> None:
    line = Timeline.through(["a", "b", "c", "d", "e"][:count], 20.0, hold=hold)
    moved = align_to(line, times)
    assert moved.names == line.names
    ends = [key.time for before, key in pairwise(moved.keys) if before.weights != key.weights]
    assert len(ends) == count - 1
    assert ends == sorted(set(ends))
    usable = {time for time in times if time <= 20}
    on_time = [end for end in ends if any(end == pytest.approx(time) for time in usable)]
    assert len(on_time) >= min(len(ends), len(usable))


def test_a_hard_change_moves_as_one() -> None:
    line = Timeline((Key(0, {"a": 1}), Key(4, {"a": 1}), Key(4, {"b": 1})), "linear")
    moved = align_to(line, [3.0])
    assert moved.at(2.99).weights == {"a": 1.0} and moved.at(3.0).weights == {"b": 1.0}


def test_the_times_of_the_cuts_are_found() -> None:
    shades = [20] * 10 + [230] * 10 + [90] * 10
    frames = [
        Frame(index, index / 10, np.full((48, 64, 3), shade, np.uint8))
        for index, shade in enumerate(shades)
    ]
    assert find_cut_times(frames) == [1.0, 2.0]
