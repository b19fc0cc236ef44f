"""Curves start at 0, end at 1, and have no jumps (but the one that is a jump)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.errors import UnknownNameError, UsageError
from vst.schedule.easing import EASES, ease_named


@pytest.mark.parametrize("name", EASES)
def test_a_curve_starts_at_0_and_ends_at_1(name: str) -> None:
    assert EASES[name](0.0) == pytest.approx(0.0, abs=1e-12)
    assert EASES[name](1.0) == 1.0


@pytest.mark.parametrize("name", sorted(set(EASES) - {"step"}))
@given(part=st.floats(0, 0.999))
def test_a_curve_has_no_jump(name: str, part: float) -> None:
    assert abs(EASES[name](part + 0.001) - EASES[name](part)) < 0.02


@pytest.mark.parametrize("name", ["linear", "smooth", "sine", "cubic", "expo", "step"])
@given(part=st.floats(0, 0.499))
def test_a_symmetric_curve_is_symmetric(name: str, part: float) -> None:
    assert EASES[name](part) + EASES[name](1 - part) == pytest.approx(1.0)


def test_bounce_touches_the_next_style_three_times_before_it_stays() -> None:
    touches = [i for i in range(1, 11) if EASES["bounce"](i / 11) == pytest.approx(1.0)]
    assert touches == [4, 8, 10]


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'smooth'"):
        ease_named("smoth")


@given(a=st.floats(0, 1), b=st.floats(-2, 3), c=st.floats(0, 1), d=st.floats(-2, 3))
def test_every_bezier_starts_at_0_and_ends_at_1_and_has_no_jump(
    a: float, b: float, c: float, d: float
) -> None:
    ease = ease_named(f"cubic-bezier({a},{b},{c},{d})")
    assert (ease(0.0), ease(1.0)) == (0.0, 1.0)
    values = [ease(index / 200) for index in range(201)]
    assert all(-3 < value < 4 for value in values)


@pytest.mark.parametrize(
    ("numbers", "part", "value"),
    # The browsers' ease and ease-in-out, from their curves drawn at 10,000 points.
    [
        ("0.25,0.1,0.25,1", 0.5, 0.80240),
        ("0.42,0,0.58,1", 0.25, 0.12916),
        ("0,0,1,1", 0.3, 0.3),
        ("0.42,0,0.58,1", 0.5, 0.5),
    ],
)
def test_a_bezier_is_the_curve_of_style_sheets(numbers: str, part: float, value: float) -> None:
    assert ease_named(f"cubic-bezier({numbers})")(part) == pytest.approx(value, abs=1e-4)


@given(a=st.floats(0, 1), c=st.floats(0, 1), at=st.floats(0, 1))
def test_a_bezier_solves_for_the_time_that_it_is_given(a: float, c: float, at: float) -> None:
    # With b = a and d = c both coordinates are the same curve: the answer is the question.
    assert ease_named(f"cubic-bezier({a},{a},{c},{c})")(at) == pytest.approx(at, abs=1e-6)


def test_a_table_goes_straight_from_value_to_value() -> None:
    ease = ease_named("table(0, 0.2, 1)")
    assert [ease(part) for part in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0, 0.1, 0.2, 0.6, 1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cubic-bezier(1,2,3)", "four numbers"),
        ("cubic-bezier(a,b,c,d)", "four numbers"),
        ("cubic-bezier(0,nan,1,1)", "four numbers"),
        ("cubic-bezier(1.5,0,0,1)", "between 0 and 1"),
        ("cubic-bezier(0,0,-0.1,1)", "between 0 and 1"),
        ("table(0.1,1)", "from 0 to 1"),
        ("table()", "two numbers or more"),
        ("bezier(0,0,1,1)", "Known: "),
    ],
)
def test_a_wrong_curve_is_told_with_its_mend(name: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        ease_named(name)
    assert said in str(error.value)
