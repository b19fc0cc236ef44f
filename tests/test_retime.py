"""Trails, and other speeds."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vst.core.types import Frame, Picture
from vst.errors import UsageError
from vst.imaging.trail import GhostTrail
from vst.video.retime import SoundPlan, check_speed, plan_sound, retime_frames

RATE = Fraction(25)


def grey(value: int) -> Picture:
    return np.full((4, 6, 3), value, np.uint8)


def film(count: int, rate: Fraction = RATE, start: float = 0.0) -> list[Frame]:
    return [Frame(n, start + float(n / rate), grey(n)) for n in range(count)]


def test_a_trail_fades_out_and_away() -> None:
    trail = GhostTrail(0.8)
    shown = [int(trail.step(grey(value))[0, 0, 0]) for value in (255, *[0] * 40)]
    assert shown == sorted(shown, reverse=True)
    assert shown[1] == round(255 * 0.8 * 0.94) and shown[-1] == 0


def test_no_ghost_hands_the_picture_through_and_the_longest_is_no_still() -> None:
    picture = grey(9)
    assert GhostTrail(0).step(picture) is picture
    longest = GhostTrail(1)
    longest.step(grey(0))
    for _ in range(60):
        last = longest.step(grey(200))
    assert last[0, 0, 0] > 190


def test_a_trail_ends_at_a_cut_and_goes_on_after_a_chunk() -> None:
    trail, other = GhostTrail(0.7), GhostTrail(0.7)
    trail.step(grey(255))
    other.restore(trail.state())
    assert (other.step(grey(10)) == trail.step(grey(10))).all()
    trail.reset()
    assert (trail.step(grey(10)) == 10).all()
    other.restore({})
    assert (other.step(grey(10)) == 10).all()


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1, 1.5, 2, 7, Fraction(1, 3)])
@pytest.mark.parametrize("start", [0.0, 2.0])
def test_counts_and_times_fit_the_speed(speed: float | Fraction, start: float) -> None:
    for between in ("repeat", "flow"):
        frames = list(retime_frames(film(50, start=start), speed, RATE, between=between))
        assert len(frames) == pytest.approx(50 / float(speed), abs=1)
        assert [frame.index for frame in frames] == list(range(len(frames)))
        assert [f.time for f in frames] == pytest.approx(
            [start + n / 25 for n in range(len(frames))]
        )


def test_time_lapse_leaves_out_and_slow_motion_repeats() -> None:
    fast = [int(f.picture[0, 0, 0]) for f in retime_frames(film(12), 3, RATE)]
    assert fast == [0, 3, 6, 9]
    slow = [int(f.picture[0, 0, 0]) for f in retime_frames(film(3), 0.5, RATE, between="repeat")]
    assert slow == [0, 0, 1, 1, 2, 2]


def test_slow_motion_moves_what_moves() -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (64, 160)), (0, 0), 3)
    wide = (128 + noise / np.abs(noise).max() * 120).astype(np.uint8)
    wide = np.repeat(wide[..., None], 3, 2)
    frames = [Frame(n, n / 25, wide[:, 4 * n : 4 * n + 96]) for n in range(4)]
    made = [f.picture for f in retime_frames(frames, 0.5, RATE)]
    for n in (1, 3):
        middle = wide[:, 2 * n : 2 * n + 96].astype(int)
        error = np.abs(made[n].astype(int) - middle)[8:-8, 8:-8].mean()
        assert error < 2 < np.abs(made[n - 1].astype(int) - middle)[8:-8, 8:-8].mean()


def test_over_a_cut_nothing_is_mixed() -> None:
    frames = [Frame(0, 0.0, grey(20)), Frame(1, 0.04, grey(230))]
    assert {int(f.picture[0, 0, 0]) for f in retime_frames(frames, 0.25, RATE)} == {20, 230}


def test_nothing_in_nothing_out() -> None:
    assert list(retime_frames([], 2, RATE)) == []


def test_the_sound_is_stretched_or_dropped_by_speed_and_option() -> None:
    assert plan_sound(1) == SoundPlan()
    assert plan_sound(0.5).filter == "atempo=0.5"
    assert plan_sound(3).filter is not None
    for speed in (0.25, 0.3, 0.9, 1.7, 3, 4):
        tempos = plan_sound(speed).tempos
        assert np.prod(tempos) == pytest.approx(speed, rel=1e-6)
        assert all(0.5 - 1e-9 <= tempo <= 2 + 1e-9 for tempo in tempos)
    assert plan_sound(8).dropped and "unintelligible" in plan_sound(8).note
    assert np.prod(plan_sound(8, "stretched").tempos) == pytest.approx(8)
    assert plan_sound(0.5, "dropped").filter is None and plan_sound(1, "dropped").dropped


@pytest.mark.parametrize("wrong", [0, -1, 65, 0.01, float("nan"), float("inf")])
def test_wrong_speeds_are_answered(wrong: float) -> None:
    with pytest.raises(UsageError, match=r"0\.0625.*64"):
        check_speed(wrong)


def test_wrong_words_are_answered() -> None:
    with pytest.raises(UsageError, match=r"0 .no trail. to 1"):
        GhostTrail(1.2)
    with pytest.raises(UsageError, match="flow"):
        list(retime_frames(film(2), 0.5, RATE, between="flo"))
    with pytest.raises(UsageError, match="stretched"):
        plan_sound(2, "streched")
