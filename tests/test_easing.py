"""Curves start at 0, end at 1, and have no jumps (but the one that is a jump)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.easing import EASES, ease_named
from vst.errors import UnknownNameError


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
