"""Pickers on real films."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vst.keyframes import PICKERS
from vst.keyframes.survey import survey_frames
from vst.video.sources import open_source

ROOT = Path(__file__).parent.parent
VIDEOS = Path(os.environ.get("VST_SHARED") or ROOT.parent / "shared") / "video"

pytestmark = pytest.mark.skipif(
    not (VIDEOS / "bikes.mp4").exists(),
    reason=f"the real clips are not in {VIDEOS}: set VST_SHARED",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bikes.mp4", "bigbuckbunny.mp4", "cockatoo.mp4"])
def test_keyframes_of_real_films_have_no_fault_and_are_apart(name: str) -> None:
    source = open_source(str(VIDEOS / name))
    try:
        found = survey_frames(source)
        for picker in ("scene", "change", "diverse"):
            times = PICKERS[picker]().pick(source, 6).times
            numbers = [found.find_frame_at(time) for time in times]
            assert len(numbers) >= 5
            assert not [found.describe_fault(n) for n in numbers if found.describe_fault(n)]
            apart = [found.measure_difference(a, b) for a in numbers for b in numbers if a < b]
            assert min(apart) > found.median_step
    finally:
        source.close()
