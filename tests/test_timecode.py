"""Times and rates as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vst.core.timecode import format_time, parse_rate, parse_time
from vst.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12.5", 12.5),
        ("0", 0),
        (".5", 0.5),
        ("1:30", 90),
        ("0:01:02.250", 62.25),
        ("2:00:00", 7200),
        (3, 3),
    ],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "abc", "-1", "1:75", "1:2:3:4", "nan", "inf", "1e5", "0:99:00.5x"]
)
def test_a_wrong_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be read|less than 60|starts at 0"):
        parse_time(text)


@given(milliseconds=st.integers(0, 10**8))
def test_a_time_written_and_read_is_the_same(milliseconds: int) -> None:
    assert parse_time(format_time(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", Fraction(25)),
        ("30000/1001", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("12.5", Fraction(25, 2)),
        (24, Fraction(24)),
        (59.94, Fraction(60000, 1001)),
    ],
)
def test_a_rate_is_exact(text: str, rate: Fraction) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "-5", "fast", "1/0", "2000"])
def test_a_wrong_rate_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_rate(text)
