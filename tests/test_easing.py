"""Easing curves start at 0, end at 1, and are continuous, except step."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.errors import UnknownNameError, UsageError
from vst.schedule.easing import EASES, get_ease


@pytest.mark.parametrize("name", EASES)
def test_a_curve_starts_at_0_and_ends_at_1(name: str) -> None:
    assert EASES[name](0.0) == pytest.approx(0.0, abs=1e-12)
    assert EASES[name](1.0) == 1.0


@pytest.mark.parametrize("name", sorted(set(EASES) - {"step"}))
def test_a_curve_but_step_changes_by_less_than_0_002_in_a_4000th_of_the_time(name: str) -> None:
    values = [EASES[name](i / 4000) for i in range(4001)]
    # The steepest is expo, with a slope of 6.94 in the middle.
    assert max(abs(after - before) for before, after in pairwise(values)) < 0.002


def test_step_jumps_in_the_middle() -> None:
    assert (EASES["step"](0.4999), EASES["step"](0.5)) == (0.0, 1.0)


@pytest.mark.parametrize("name", ["linear", "smooth", "sine", "cubic", "expo", "step"])
@given(part=st.floats(0, 0.499))
def test_curves_but_bounce_are_symmetric(name: str, part: float) -> None:
    assert EASES[name](part) + EASES[name](1 - part) == pytest.approx(1.0)


def test_bounce_touches_the_next_style_three_times_before_it_stays() -> None:
    touches = [i for i in range(1, 11) if EASES["bounce"](i / 11) == pytest.approx(1.0)]
    assert touches == [4, 8, 10]


def test_the_error_of_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'smooth'"):
        get_ease("smoth")


@given(a=st.floats(0, 1), b=st.floats(-2, 3), c=st.floats(0, 1), d=st.floats(-2, 3))
def test_a_bezier_goes_from_0_to_1_through_the_points_of_its_formula(
    a: float, b: float, c: float, d: float
) -> None:
    ease = get_ease(f"cubic-bezier({a},{b},{c},{d})")
    assert (ease(0.0), ease(1.0)) == (0.0, 1.0)
    t = np.linspace(0, 1, 101)
    times = 3 * a * (1 - t) ** 2 * t + 3 * c * (1 - t) * t**2 + t**3
    values = 3 * b * (1 - t) ** 2 * t + 3 * d * (1 - t) * t**2 + t**3
    # The tolerance: at a vertical tangent the value is the cube root of a rounding error.
    assert [ease(float(time)) for time in times] == pytest.approx(values.tolist(), abs=2e-3)


@pytest.mark.parametrize(
    ("numbers", "part", "value"),
    # CSS's ease and ease-in-out, evaluated at 10,000 points of the curve.
    [
        ("0.25,0.1,0.25,1", 0.5, 0.80240),
        ("0.42,0,0.58,1", 0.25, 0.12916),
        ("0,0,1,1", 0.3, 0.3),
        ("0.42,0,0.58,1", 0.5, 0.5),
    ],
)
def test_a_bezier_equals_that_of_css(numbers: str, part: float, value: float) -> None:
    assert get_ease(f"cubic-bezier({numbers})")(part) == pytest.approx(value, abs=1e-4)


@given(a=st.floats(0, 1), c=st.floats(0, 1), at=st.floats(0, 1))
def test_a_bezier_with_equal_coordinates_is_the_identity(a: float, c: float, at: float) -> None:
    assert get_ease(f"cubic-bezier({a},{a},{c},{c})")(at) == pytest.approx(at, abs=1e-6)


def test_a_table_interpolates_linearly() -> None:
    ease = get_ease("table(0, 0.2, 1)")
    assert [ease(part) for part in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0, 0.1, 0.2, 0.6, 1])


@pytest.mark.parametrize(
    ("name", "message"),
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
def test_the_error_of_a_wrong_curve_says_what_it_needs(name: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        get_ease(name)
    assert message in str(error.value)
