"""The table of cases that the page in the browser mixes by, against `Timeline`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.write_mixing_cases import FILE, describe_mixes, make_cases, make_timeline

CASES = json.loads(FILE.read_text(encoding="utf-8"))


def assert_alike(found: Any, wanted: Any, where: str) -> None:
    """Compare plain values; numbers to 1e-9, because libraries differ in the last digits."""
    if isinstance(wanted, dict):
        assert set(found) == set(wanted), where
        for name, value in wanted.items():
            assert_alike(found[name], value, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for index, value in enumerate(wanted):
            assert_alike(found[index], value, f"{where}[{index}]")
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, abs=1e-9), where
    else:
        assert found == wanted, where


@pytest.mark.parametrize("part", CASES)
def test_the_file_is_what_the_tool_writes(part: str) -> None:
    assert_alike(json.loads(json.dumps(make_cases()[part])), CASES[part], part)


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_the_stored_timeline_gives_the_stored_mixes(case: dict[str, Any]) -> None:
    times = [mix["time"] for mix in case["at"]]
    assert_alike(describe_mixes(make_timeline(case["timeline"]), times), case["at"], case["name"])


def test_the_cases_include_each_kind() -> None:
    mixes = [mix for case in CASES["cases"] for mix in case["at"]]
    assert any(min(mix["weights"].values()) < 0 for mix in mixes), "an overshoot"
    assert any(0 < mix["weights"].get("none", 0) < 1 for mix in mixes), "part of the content"
    assert any(len(mix["palette"]) == 2 for mix in mixes), "a change of colors"
    assert any("error" in score for score in CASES["scores"])
    assert any("at" in score for score in CASES["scores"])
