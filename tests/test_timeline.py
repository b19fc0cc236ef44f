"""The mix at each time: weights sum to 1, ends are exact, strength follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.easing import EASES
from vst.errors import UsageError
from vst.timeline import NONE, Key, Mix, Timeline, blend_embeddings

NAMES = ["waves", "fire", "ink", "glass", "dots"]


@given(
    count=st.integers(1, 5),
    time=st.floats(-10, 100),
    ease=st.sampled_from(sorted(EASES)),
    duration=st.floats(0.01, 60),
)
def test_weights_sum_to_1_at_every_time(
    count: int, time: float, ease: str, duration: float
) -> None:
    mix = Timeline.through(NAMES[:count], duration, ease=ease).at(time)
    assert sum(mix.weights.values()) == pytest.approx(1.0)
    assert min(mix.weights.values()) > 0


@given(count=st.integers(1, 5), start=st.floats(0, 100))
def test_the_first_and_the_last_style_are_pure_at_the_ends(count: int, start: float) -> None:
    line = Timeline.through(NAMES[:count], 7.0, start=start)
    assert line.at(start).weights == {NAMES[0]: 1.0}
    assert line.at(start + 7.0).weights == {NAMES[count - 1]: 1.0}


def test_n_styles_make_n_minus_1_transitions_of_one_length() -> None:
    line = Timeline.through(["a", "b", "c"], 8.0, ease="linear")
    assert line.at(4.0).weights == {"b": 1.0}
    assert line.at(1.0).weights == {"a": 0.75, "b": 0.25}
    assert line.at(7.0).weights == {"b": 0.25, "c": 0.75}


def test_keys_may_come_in_any_order() -> None:
    keys = Key(5.0, {"b": 1.0}), Key(0.0, {"a": 1.0})
    assert Timeline(keys).at(0.0).weights == {"a": 1.0}


def test_two_keys_at_one_time_are_a_hard_change() -> None:
    line = Timeline((Key(0.0, {"a": 1.0}), Key(2.0, {"a": 1.0}), Key(2.0, {"b": 1.0})), "linear")
    assert line.at(1.999).weights == {"a": 1.0}
    assert line.at(2.0).weights == {"b": 1.0}


def test_the_content_itself_counts_as_unpainted() -> None:
    assert Mix({"a": 0.25, NONE: 0.75}, strength=0.8).painted == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ((), "at least one key"),
        ((Key(0.0, {}),), "no positive weight"),
        ((Key(0.0, {"a": -1.0}),), "no positive weight"),
        ((Key(0.0, {"a": 1.0}, strength=1.5),), "0 to 1"),
    ],
)
def test_a_wrong_key_is_refused(keys: tuple[Key, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Timeline(keys)


def test_linear_blending_is_the_weighted_mean() -> None:
    a, b = np.float32([0, 2]), np.float32([4, 0])
    assert blend_embeddings([a, b], [3, 1], "embedding").tolist() == [1.0, 1.5]


def test_slerp_keeps_the_length_and_turns_evenly() -> None:
    a, b = np.float32([2, 0]), np.float32([0, 2])
    third = blend_embeddings([a, b], [2 / 3, 1 / 3], "slerp")
    assert third == pytest.approx(2 * np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)]), abs=1e-6)


@pytest.mark.parametrize("blend", ["embedding", "slerp"])
@given(numbers=st.lists(st.floats(-5, 5), min_size=4, max_size=4))
def test_a_blend_of_one_style_is_that_style(blend: str, numbers: list[float]) -> None:
    style = np.float32(numbers)
    assert blend_embeddings([style, style], [0.3, 0.7], blend) == pytest.approx(style, abs=1e-5)


def test_opposite_directions_do_not_divide_by_zero() -> None:
    a = np.float32([1, 0])
    assert np.isfinite(blend_embeddings([a, -a], [0.5, 0.5], "slerp")).all()
