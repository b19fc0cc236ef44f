"""The plans of trainings in one style: defaults, ranges, rates and ends."""

from __future__ import annotations

import pytest

from vst.errors import UsageError
from vst.nets import losses
from vst.research.training import style_plans as plans
from vst.research.training.style_plans import FastPlan, TemporalPlan


def test_the_reports_weights_are_the_defaults_and_not_swapped() -> None:
    assert TemporalPlan().weights == {
        "content": 1, "style": 1e5, "variation": 1e-6, "short": 100, "long": 10
    }  # fmt: skip
    assert (TemporalPlan().optimizer, TemporalPlan().rate) == ("adamax", 1e-4)


def test_every_luminance_formula_can_be_chosen() -> None:
    assert set(plans.LUMINANCE) == {plans.AUTO, plans.OFF, *losses.LUMINANCE}


def test_the_rate_falls_on_its_way() -> None:
    plan = TemporalPlan(steps=60, rate=1.0)
    rates = [plan.rate_at(plan.part_done(step, 0)) for step in (0, 7, 8, 19, 20, 59)]
    assert rates == pytest.approx([1, 1, 0.2, 0.2, 0.04, 0.04])


def test_the_end_is_what_comes_first_of_minutes_and_steps() -> None:
    plan = FastPlan(minutes=2, steps=100)
    assert plan.part_done(50, 30) == 0.5 and plan.part_done(10, 90) == 0.75
    assert plan.part_done(100, 0) == plan.part_done(0, 121) == 1


def test_settings_out_of_range_are_named() -> None:
    for wrong in ({"side": 33}, {"batch": 0}, {"optimizer": "sgd"}, {"rate": -1.0}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            FastPlan(**wrong)
