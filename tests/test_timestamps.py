"""Implausible timestamps: a frame hours away from its neighbors is shown midway between them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from tests.clips import ENCODINGS
from vst.video.sources import open_source
from vst.video.sources.timestamps import repair_ticks, repair_times


def film(path: Path, outliers: dict[int, float]) -> Path:
    """Sixteen numbered frames at 8 a second, packed anew with some of their times moved, in
    seconds.
    """
    plain = clips.write_clip(
        path.with_name("plain.mov"), 16, 8, False, *ENCODINGS["h264_b.mov"], "-bf", "0"
    )
    with av.open(str(plain)) as given, av.open(str(path), "w", format="mpegts") as made:
        source = given.streams.video[0]
        stream = made.add_stream_from_template(source)
        for number, packet in enumerate(p for p in given.demux(source) if p.size):
            packet.stream = stream
            if number in outliers:
                packet.pts += round(outliers[number] / packet.time_base)
            made.mux(packet)
    return path


def test_a_frame_hours_from_its_neighbors_is_shown_between_them(tmp_path: Path) -> None:
    with open_source(film(tmp_path / "odd.ts", {7: 11_930.0})) as source:
        times = [frame.time for frame in source.frames()]
        assert np.allclose(times, np.arange(16) / 8, atol=1e-3)
        assert source.info.duration == pytest.approx(2, abs=0.01)
        assert "implausible times for 1 of its frames" in source.warnings[0]


def test_a_picture_may_stand_for_minutes(tmp_path: Path) -> None:
    later = dict.fromkeys(range(8, 16), 90.0)
    with open_source(film(tmp_path / "slides.ts", later)) as source:
        times = [frame.time for frame in source.frames()]
        assert times[7] == pytest.approx(7 / 8, abs=1e-3)
        assert times[8] == pytest.approx(91, abs=1e-3)
        assert not any("implausible" in line for line in source.warnings)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0, 1, 900, 3, 4], [0, 1, 2, 3, 4]),
        ([100, 101, 0, 103], [100, 101, 102, 103]),
        ([0, 1, 900, 901], [0, 1, 900, 901]),
        ([0, 3, 1, 2, 6, 4, 5], [0, 3, 1, 2, 6, 4, 5]),
        ([0, 900], [0, 900]),
        ([], []),
    ],
)
def test_only_isolated_outliers_are_repaired(times: list[int], expected: list[int]) -> None:
    assert repair_ticks(times, 10) == expected
    pairs = ((float(time), str(time)) for time in times)
    assert list(repair_times(pairs)) == [(float(m), str(s)) for m, s in zip(expected, times)]
