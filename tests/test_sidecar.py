"""A sidecar shows an editor where styles change."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.clips import run_ffmpeg
from vst.api import make_job, stylize
from vst.errors import OutputExistsError, UsageError
from vst.pipeline.checks import check_inputs
from vst.pipeline.estimate import estimate
from vst.pipeline.sidecar import CutSheet, StyleChange, format_edl, format_mix, format_otio

NTSC = Fraction(30000, 1001)
CHANGES = (StyleChange(0, "ink"), StyleChange(30, "sea"))
SHEET = CutSheet("painted.mov", "A012", NTSC, 60, 1798, True, CHANGES)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 25 frames, from 10:00:00:00, and two pictures of styles beside it."""
    folder = tmp_path_factory.mktemp("sidecar")
    for name, color in (("ink", 40), ("sea", 200)):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((32, 32, 3), color, np.uint8))
    source = "testsrc=size=64x48:rate=25:duration=2"
    run_ffmpeg("-f", "lavfi", "-i", source, "-timecode", "10:00:00:00", folder / "in.mov")
    return folder / "in.mov"


def list_styles(clip: Path) -> list[str]:
    return [str(clip.with_name(name)) for name in ("ink.png", "sea.png")]


def test_an_edl_has_the_span_and_a_locator_for_each_style() -> None:
    assert format_edl(SHEET).splitlines() == [
        "TITLE: painted",
        "FCM: DROP FRAME",
        "",
        "001  A012     V     C        00:00:59;28 00:01:02;00 00:00:59;28 00:01:02;00",
        "* FROM CLIP NAME: painted.mov",
        "* LOC: 00:00:59;28 BLUE    ink",
        "* LOC: 00:01:01;00 BLUE    sea",
    ]


def test_a_mix_is_named_by_its_shares() -> None:
    assert format_mix({"ink": 0.6, "sea": 0.4, "none": 0.0}) == "60 % ink, 40 % sea"
    assert format_mix({"ink": 1.0}) == "ink"


def test_opentimelineio_reads_the_timeline() -> None:
    otio = pytest.importorskip("opentimelineio")
    timeline = otio.adapters.read_from_string(format_otio(SHEET), "otio_json")
    clip = timeline.tracks[0][0]
    assert clip.name == "painted.mov" and clip.media_reference.target_url == "painted.mov"
    assert clip.source_range.duration.value == 60
    assert (
        timeline.global_start_time.to_timecode(rate=30000 / 1001, drop_frame=True) == "00:00:59;28"
    )
    assert [(m.name, m.marked_range.start_time.value) for m in clip.markers] == [
        ("ink", 1798), ("sea", 1828),
    ]  # fmt: skip


def test_a_job_writes_it_with_the_contents_timecode(clip: Path, tmp_path: Path) -> None:
    sidecar = tmp_path / "cut.edl"
    stylize(clip, list_styles(clip), tmp_path / "out.mov", engine="tint", sidecar=sidecar)
    text = sidecar.read_text(encoding="utf-8")
    assert "10:00:00:00 10:00:02:00" in text
    assert "* LOC: 10:00:00:00 BLUE    ink" in text and "* LOC: 10:00:01:24 BLUE    sea" in text


def test_speed_and_start_move_the_changes(clip: Path, tmp_path: Path) -> None:
    sidecar = tmp_path / "cut.otio"
    stylize(
        clip, list_styles(clip), tmp_path / "out.mov", engine="tint", sidecar=sidecar, speed=0.5,
        start=1,
    )  # fmt: skip
    timeline = json.loads(sidecar.read_text(encoding="utf-8"))
    clips = timeline["tracks"]["children"][0]["children"]
    places = [one["marked_range"]["start_time"]["value"] for one in clips[0]["markers"]]
    first = 36001 * 25  # 10:00:01:00
    assert timeline["global_start_time"]["value"] == first
    assert places == [first, first + 48]


def test_an_estimate_writes_none(clip: Path, tmp_path: Path) -> None:
    sidecar = tmp_path / "cut.edl"
    job = make_job(clip, list_styles(clip), tmp_path / "out.mov", engine="tint", sidecar=sidecar)
    estimate(job)
    assert not sidecar.exists()


def test_a_wrong_name_is_refused_before_painting(clip: Path, tmp_path: Path) -> None:
    job = make_job(clip, list_styles(clip), "out.mov", sidecar="cut.xml")
    with pytest.raises(UsageError, match=r"ends in \.otio or \.edl"):
        check_inputs(job)
    (tmp_path / "cut.edl").touch()
    job = make_job(clip, list_styles(clip), "out.mov", sidecar=tmp_path / "cut.edl")
    with pytest.raises(OutputExistsError, match="exists"):
        check_inputs(job)
