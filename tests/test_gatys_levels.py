"""Painting by optimization from coarse to fine."""

from __future__ import annotations

import numpy as np
import pytest

from vst.core.types import Progress
from vst.engines.gatys import GatysEngine
from vst.engines.gatys_levels import MIN_SIDE, halve_size, share_steps
from vst.engines.gatys_options import GatysOptions
from vst.samples import draw_pattern, draw_photo
from vst.schedule.timeline import Mix


@pytest.mark.parametrize(
    ("steps", "levels", "shares"),
    [(300, 1, [300]), (300, 2, [100, 200]), (70, 3, [10, 20, 40]), (2, 5, [1, 1]), (1, 3, [1])],
)
def test_each_smaller_size_gets_twice_the_steps(steps: int, levels: int, shares: list[int]) -> None:
    assert share_steps(steps, levels) == shares


def test_sides_are_not_halved_below_the_least() -> None:
    assert halve_size(512, 300, 2) == (128, 75)
    assert halve_size(512, 300, 6) == (128, 75)
    assert halve_size(MIN_SIDE, 300, 1) == (MIN_SIDE, 300)


def test_levels_take_all_steps_together_and_end_at_the_full_size() -> None:
    heard: list[Progress] = []
    options = GatysOptions(
        init="content", temporal_weight=0.0, long_term_weight=0.0, steps=6, levels=2
    )
    with GatysEngine(options=options, on_progress=heard.append) as engine:
        engine.prepare({"waves": draw_pattern("indigo-waves", 128, 128)})
        frame = draw_photo(130, 128)
        painted = engine.paint(frame[None], [Mix({"waves": 1.0})])[0]
        assert engine.last is not None and engine.last.steps == 6
    assert painted.shape == frame.shape
    assert [one.done for one in heard] == [0, 1, 2, 3, 4, 4, 5, 6]
    assert np.abs(painted.astype(int) - frame).mean() > 2
