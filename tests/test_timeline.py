"""The mix at each time: weights sum to 1, ends are exact, strength follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.core.types import Pictures
from vst.engines.base import PictureEngine
from vst.errors import UsageError
from vst.schedule.easing import EASES
from vst.schedule.timeline import NONE, Curve, Key, Mix, Timeline, blend_embeddings

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


def test_keys_are_sorted_by_time() -> None:
    keys = Key(5.0, {"b": 1.0}), Key(0.0, {"a": 1.0})
    assert Timeline(keys).at(0.0).weights == {"a": 1.0}


def test_two_keys_at_one_time_are_a_hard_change() -> None:
    line = Timeline((Key(0.0, {"a": 1.0}), Key(2.0, {"a": 1.0}), Key(2.0, {"b": 1.0})), "linear")
    assert line.at(1.999).weights == {"a": 1.0}
    assert line.at(2.0).weights == {"b": 1.0}


def test_the_weight_of_the_content_reduces_the_painted_share() -> None:
    assert Mix({"a": 0.25, NONE: 0.75}, strength=0.8).painted == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ((), "at least one key"),
        ((Key(0.0, {}),), "needs a positive weight"),
        ((Key(0.0, {"a": -1.0}),), "needs a positive weight"),
        ((Key(0.0, {"a": 1.0}, strength=1.5),), "0 to 1"),
    ],
)
def test_a_wrong_key_is_refused(keys: tuple[Key, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
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


@pytest.mark.parametrize("seed", range(5))
def test_opposite_embeddings_mix_along_the_straight_line(seed: int) -> None:
    a = np.random.default_rng(seed).normal(size=100).astype(np.float32)
    mixed = blend_embeddings([a, -2 * a], [0.3, 0.7], "slerp")
    assert mixed == pytest.approx(-1.1 * a, abs=1e-5)


EASE_NAMES = [*sorted(EASES), "cubic-bezier(0.3,-0.5,0.2,1.4)", "table(0,0.7,1)"]
WEIGHTS = st.dictionaries(
    st.sampled_from([*NAMES, NONE]), st.floats(0.01, 1), min_size=1, max_size=3
)
KEYS = st.builds(
    Key,
    st.floats(0, 20),
    WEIGHTS,
    strength=st.floats(0, 1),
    brush=st.floats(0.25, 4),
    colors=st.sampled_from(["style", "content", "blend"]),
    ease=st.none() | st.sampled_from(EASE_NAMES),
    hold=st.none() | st.floats(0, 1),
)
TIMELINES = st.builds(
    Timeline,
    st.lists(KEYS, min_size=1, max_size=6).map(tuple),
    st.sampled_from(EASE_NAMES),
    st.sampled_from(["embedding", "slerp", "spline", "pixels"]),
    st.floats(0, 1),
)


@given(line=TIMELINES, time=st.floats(-5, 25))
def test_every_mix_is_within_its_bounds(line: Timeline, time: float) -> None:
    mix = line.at(time)
    assert sum(mix.weights.values()) == pytest.approx(1.0)
    assert 0 <= mix.weights.get(NONE, 0.0) <= 1 + 1e-9
    assert 0 <= mix.strength <= 1 and 0 <= mix.painted <= 1
    assert 0.25 - 1e-9 <= mix.brush <= 4 + 1e-9
    assert sum(mix.palette.values()) == pytest.approx(1.0)
    assert max(mix.palette.values()) == pytest.approx(mix.palette[mix.colors])


@given(line=TIMELINES)
def test_outside_of_the_keys_the_mix_is_that_of_the_nearest_key(line: Timeline) -> None:
    for key, time in ((line.keys[0], -100.0), (line.keys[-1], 100.0)):
        total = sum(key.weights.values())
        wanted = {name: weight / total for name, weight in key.weights.items()}
        assert line.at(time).weights == wanted
        assert (line.at(time).strength, line.at(time).colors) == (key.strength, key.colors)
    assert line.at(line.keys[-1].time) == line.at(100.0)


@given(line=TIMELINES, after=st.floats(0.1, 10))
def test_a_closed_loop_ends_with_its_first_mix(line: Timeline, after: float) -> None:
    end = line.keys[-1].time + after
    loop = line.close_loop(end)
    assert loop.at(end) == loop.at(loop.keys[0].time)


@given(count=st.integers(1, 5), blend=st.sampled_from(["embedding", "spline"]))
def test_a_loop_through_n_styles_has_n_transitions(count: int, blend: str) -> None:
    line = Timeline.through(NAMES[:count], 10.0, blend=blend, loop=True)
    assert line.at(10.0).weights == line.at(0.0).weights == {NAMES[0]: 1.0}
    if count > 1:
        assert line.at(10.0 / count).weights == {NAMES[1]: 1.0}


def test_a_loop_needs_time_after_its_last_key_and_closes_its_curves() -> None:
    with pytest.raises(UsageError, match="leaves no time"):
        Timeline.through(["a", "b"], 5.0).close_loop(5.0)
    with pytest.raises(UsageError, match="ends as it begins"):
        Timeline((Key(0.0, {"a": 1.0}), Key(1.0, {"b": 1.0})), loop=True)
    curve = Curve(((0.0, 0.2), (3.0, 1.0)))
    loop = Timeline.through(["a", "b", "a"], 5.0)
    assert Timeline(loop.keys, strength=curve).close_loop(5.0).at(5.0).strength == 0.2


def speeds(line: Timeline, time: float, step: float = 1e-5) -> tuple[np.ndarray, np.ndarray]:
    """How fast the weights change just before and just after ``time``, per second."""
    names = [*line.names, NONE]

    def weights(at: float) -> np.ndarray:
        mix = line.at(at)
        return np.array([mix.weights.get(name, 0.0) for name in names])

    here = weights(time)
    return (here - weights(time - step)) / step, (weights(time + step) - here) / step


@given(
    gaps=st.lists(st.floats(0.5, 10), min_size=2, max_size=6),
    mixes=st.lists(WEIGHTS, min_size=7, max_size=7),
    ease=st.sampled_from(["linear", "smooth", "sine", "cubic"]),
    loop=st.booleans(),
)
def test_the_speed_of_a_spline_is_continuous_at_its_keys(
    gaps: list[float], mixes: list[dict[str, float]], ease: str, loop: bool
) -> None:
    times = np.cumsum([0.0, *gaps])
    line = Timeline(tuple(Key(float(t), mix) for t, mix in zip(times, mixes)), ease, "spline")
    if loop:
        line = line.close_loop(float(times[-1]) + 1.0)
        before, _ = speeds(line, line.keys[-1].time)
        _, after = speeds(line, line.keys[0].time)
        assert before == pytest.approx(after, abs=2e-3)
    for key in line.keys[1:-1]:
        before, after = speeds(line, key.time)
        assert before == pytest.approx(after, abs=2e-3)


def test_the_speed_of_a_linear_path_jumps_at_a_key_and_a_spline_s_does_not() -> None:
    for blend, kink in (("embedding", True), ("spline", False)):
        line = Timeline.through(["a", "b", "c"], 4.0, ease="linear", blend=blend)
        before, after = speeds(line, 2.0)
        assert (np.abs(before - after).max() > 0.4) == kink


def test_a_spline_goes_through_its_keys_and_rests_where_a_style_stays() -> None:
    keys = (
        Key(0, {"a": 1}),
        Key(1, {"b": 1}),
        Key(2, {"b": 1}),
        Key(3, {NONE: 1}),
        Key(4, {"c": 1}),
    )
    line = Timeline(keys, "linear", "spline")
    for key in keys:
        assert line.at(key.time).weights == key.weights
    assert line.at(1.5).weights == {"b": 1.0}
    # Next to the unpainted content only the key's own style has weight.
    assert set(line.at(2.5).weights) == {"b", NONE}
    assert set(line.at(3.5).weights) == {"c", NONE}


def test_a_hard_change_interrupts_a_spline() -> None:
    keys = (Key(0, {"a": 1}), Key(1, {"b": 1}), Key(1, {"c": 1}), Key(2, {"d": 1}))
    line = Timeline(keys, "linear", "spline")
    assert set(line.at(0.5).weights) == {"a", "b"}
    assert set(line.at(1.5).weights) == {"c", "d"}


def test_hold_keeps_a_pure_style_at_both_ends_of_a_transition() -> None:
    line = Timeline.through(["a", "b"], 10.0, ease="linear", hold=0.4)
    assert line.at(2.0).weights == {"a": 1.0}
    assert line.at(5.0).weights == pytest.approx({"a": 0.5, "b": 0.5})
    assert line.at(8.0).weights == {"b": 1.0}
    own = Timeline((Key(0, {"a": 1}, hold=1.0), Key(10, {"b": 1})), hold=0.4)
    assert own.at(4.99).weights == {"a": 1.0} and own.at(5.01).weights == {"b": 1.0}


def test_a_key_s_ease_overrides_the_timeline_s() -> None:
    keys = (Key(0, {"a": 1}, ease="step"), Key(2, {"b": 1}), Key(4, {"a": 1}))
    line = Timeline(keys, "linear")
    assert line.at(0.9).weights == {"a": 1.0}
    assert line.at(3.0).weights == {"b": 0.5, "a": 0.5}


def test_an_ease_that_overshoots_leads_past_a_style_but_never_past_the_content() -> None:
    ease = "cubic-bezier(0.5,-1,0.5,2)"
    weights = Timeline.through(["a", "b"], 1.0, ease=ease).at(0.1).weights
    assert weights["a"] > 1 and weights["b"] < 0
    assert Timeline.through([NONE, "b"], 1.0, ease=ease).at(0.1).weights == {NONE: 1.0}


def test_strength_and_brush_follow_their_curves() -> None:
    strength, brush = Curve(((0, 0), (4, 1))), Curve(((2, 0.5), (0, 2.0)))
    line = Timeline((Key(0, {"a": 1}),), strength=strength, brush=brush)
    assert [line.at(time).strength for time in (-1, 1, 9)] == [0, 0.25, 1]
    assert [line.at(time).brush for time in (-1, 1, 9)] == [2, 1.25, 0.5]
    keys = Timeline((Key(0, {"a": 1}, brush=0.25), Key(2, {"a": 1}, brush=4)), "linear")
    assert keys.at(1).brush == pytest.approx(1.0)


def test_the_background_has_its_own_timeline() -> None:
    background = Timeline.through([NONE, "b"], 2.0, ease="linear")
    line = Timeline((Key(0, {"a": 1}),), background=background)
    mix = line.at(1.0)
    assert mix.background is not None and mix.background.weights == {NONE: 0.5, "b": 0.5}
    assert line.names == ["a", "b"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Timeline.through(["a"], 1, hold=1.5), "hold 1.5 is out of range. Give 0 to 1."),
        (lambda: Timeline((Key(0, {"a": 1}, hold=-1),)), "hold -1 at 0 s"),
        (
            lambda: Timeline((Key(0, {"a": 1}, brush=5),)),
            "brush 5 at 0 s is out of range. Give 0.25 to 4.",
        ),
        (lambda: Timeline((Key(0, {"a": 1}, ease="slow"),)), "unknown ease 'slow'"),
        (lambda: Timeline((Key(0, {"a": 1}, colors="mine"),)), "unknown colors 'mine'"),
        (lambda: Timeline((Key(float("nan"), {"a": 1}),)), "Give a time in seconds"),
        (lambda: Timeline((Key(0, {"a": 1}),), strength=Curve(((2, 3.0),))), "strength 3 at 2 s"),
        (lambda: Curve(()), "at least one point"),
    ],
)
def test_the_error_of_a_wrong_value_names_the_field(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as error:
        make()
    assert message in str(error.value)


class Flat(PictureEngine):
    """Paints a style as one brightness."""

    name = "flat"

    def prepare(self, styles: object) -> None: ...

    def paint_style(self, frames: Pictures, style: str) -> Pictures:
        return np.full_like(frames, {"a": 100, "b": 200, "c": 0}[style])


def test_pictures_are_cross_faded_without_what_is_below_0() -> None:
    frames = np.zeros((1, 4, 4, 3), np.uint8)
    mix = Mix({"a": 0.55, "b": 0.55, "c": -0.1}, "spline")
    assert (Flat().paint(frames, [mix]) == 150).all()


def test_earlier_spellings_of_keyword_arguments_are_accepted() -> None:
    earlier: Any = {"colours": "content"}
    assert Key(0, {"a": 1}, **earlier) == Key(0, {"a": 1}, colors="content")
    behind = Mix({"b": 1.0})
    earlier["ground"] = behind
    assert Mix({"a": 1.0}, **earlier) == Mix({"a": 1.0}, colors="content", background=behind)
    line = Timeline((Key(0, {"b": 1}),))
    earlier = {"ground": line}
    assert Timeline((Key(0, {"a": 1}),), **earlier).background is line
