"""Tables of named parts: what the error for an unknown name says."""

from __future__ import annotations

import math

import pytest

from vst.core.registry import Registry
from vst.errors import UnknownNameError

CURVES = Registry("curve", {"sine": "math:sin", "tangent": "math:tan"})


def test_a_part_is_imported_by_its_name() -> None:
    assert CURVES["sine"] is math.sin
    assert list(CURVES) == ["sine", "tangent"] and len(CURVES) == 2


def test_an_unknown_name_is_an_error_with_the_most_similar_one() -> None:
    with pytest.raises(UnknownNameError) as error:
        CURVES["sin"]
    assert str(error.value) == "unknown curve 'sin'; did you mean 'sine'? Known: sine, tangent."


def test_an_unknown_name_that_resembles_none_is_an_error_without_a_guess() -> None:
    with pytest.raises(UnknownNameError) as error:
        CURVES["x"]
    assert str(error.value) == "unknown curve 'x'. Known: sine, tangent."


@pytest.mark.parametrize("name", [None, 5, b"sine", ["sine"]])
def test_a_name_that_is_not_a_text_is_an_error_with_the_known_ones(name: object) -> None:
    with pytest.raises(UnknownNameError) as error:
        CURVES[name]  # type: ignore[index]
    assert str(error.value) == f"unknown curve {name!r}. Known: sine, tangent."
