"""Pacing gives a constant visible speed, whatever the painter does with the weights."""

from __future__ import annotations

import numpy as np
import pytest

from vst.core.types import Picture
from vst.schedule.pacing import STEPS, equalize_pace, measure_changes, measure_unevenness
from vst.schedule.timeline import Key, Mix, Timeline

NOISE = np.random.default_rng(3).normal(size=(2, 48, 64, 3))
"""Two pictures between which the painters interpolate."""


def make_painter(power: float, turn: float = 0.0) -> tuple[list[Mix], object]:
    """Return a log of mixes, and a painter that follows a power of the weight with a detour."""
    asked: list[Mix] = []

    def paint(mix: Mix) -> Picture:
        asked.append(mix)
        part = mix.weights.get("b", 0.0) ** power
        between = (1 - part) * NOISE[0] + part * NOISE[1]
        around = turn * np.sin(np.pi * part) * NOISE[0, ::-1]
        return np.clip(128 + 40 * (between + around), 0, 255).astype(np.uint8)

    return asked, paint


def measure_speed(line: Timeline, paint, start: float, end: float) -> np.ndarray:  # type: ignore[no-untyped-def, type-arg]
    """Return the visible change in each of 24 equal steps of time."""
    return measure_changes([paint(line.at(float(t))) for t in np.linspace(start, end, STEPS + 1)])


@pytest.mark.parametrize(("power", "turn"), [(1, 0), (3, 0), (0.4, 0), (2, 1.5), (6, 0.5)])
@pytest.mark.parametrize("blend", ["embedding", "spline"])
def test_a_transition_changes_at_constant_visible_speed(
    power: float, turn: float, blend: str
) -> None:
    line = Timeline.through(["a", "b"], 4.0, blend=blend)
    _, paint = make_painter(power, turn)
    even = equalize_pace(line, paint)  # type: ignore[arg-type]
    assert measure_unevenness(measure_speed(line, paint, 0, 4)) > 0.3
    assert measure_unevenness(measure_speed(even, paint, 0, 4)) <= 0.15
    assert even.at(0.0).weights == {"a": 1.0} and even.at(4.0).weights == {"b": 1.0}


def test_holds_remain_and_each_transition_has_its_own_ease() -> None:
    line = Timeline.through(["a", "b", "a"], 8.0, hold=0.5)
    _, paint = make_painter(4)
    even = equalize_pace(line, paint)  # type: ignore[arg-type]
    assert even.at(0.9).weights == {"a": 1.0} and even.at(3.1).weights == {"b": 1.0}
    assert measure_unevenness(measure_speed(even, paint, 1, 3)) <= 0.15
    assert measure_unevenness(measure_speed(even, paint, 5, 7)) <= 0.15
    assert even.keys[0].ease != even.keys[1].ease


def test_still_keys_are_not_painted_and_equal_paintings_keep_their_pace() -> None:
    asked, paint = make_painter(1)
    keys = (Key(0, {"a": 1}), Key(2, {"a": 1}), Key(2, {"b": 1}))
    assert equalize_pace(Timeline(keys), paint) == Timeline(keys)  # type: ignore[arg-type]
    assert asked == []
    same = equalize_pace(
        Timeline.through(["a", "b"], 1.0), lambda mix: np.zeros((4, 4, 3), np.uint8)
    )
    assert same.at(0.5).weights == pytest.approx({"a": 0.5, "b": 0.5})


def test_a_transition_takes_at_most_five_rounds_of_paintings() -> None:
    asked, paint = make_painter(2)
    equalize_pace(Timeline.through(["a", "b"], 4.0), paint)  # type: ignore[arg-type]
    assert len(asked) <= 5 * STEPS
