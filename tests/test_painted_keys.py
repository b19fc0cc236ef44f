"""Frames that were painted over by hand are carried along the motion of the content."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.clips import encode
from tests.painted_clip import PaintedClip
from vst.api import make_job, stylize
from vst.core.types import Frame, Picture
from vst.errors import MissingFileError, UsageError
from vst.pipeline.build_schedule import read_job_score
from vst.pipeline.checks import check_inputs
from vst.pipeline.painted_keys import PaintedKeys, parse_painted
from vst.plotting import save_picture
from vst.samples.figure import FigureClip
from vst.video.key_tracing import plan_spans
from vst.video.sources import open_source

COUNT = 20


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A drawn clip as a file, the same clip painted, and its first and last frame as pictures."""
    folder = tmp_path_factory.mktemp("painted")
    content = FigureClip(count=COUNT)
    painted = PaintedClip(count=COUNT, grain=0.0)
    frames = [content.layers(index).picture for index in range(COUNT)]
    truth = [painted.layers(index).picture for index in range(COUNT)]
    file = encode(folder / "shot.mp4", frames, rate=20)
    keys = {0.0: folder / "first.png", (COUNT - 1) / 20: folder / "last.png"}
    for picture, path in zip((truth[0], truth[-1]), keys.values()):
        save_picture(path, picture)
    given = tuple(f"{time}={path}" for time, path in keys.items())
    return {"file": file, "truth": truth, "painted": given, "frames": frames, "folder": folder}


@pytest.fixture(scope="module")
def fades(shot: dict[str, Any]) -> list[Picture]:
    """The plain cross-fade from the first painted frame to the last."""
    first, last = shot["truth"][0], shot["truth"][-1]
    shares = [index / (COUNT - 1) for index in range(COUNT)]
    return [np.asarray(cv2.addWeighted(first, 1 - s, last, s, 0), np.uint8) for s in shares]


@pytest.fixture(scope="module")
def carried(shot: dict[str, Any], fades: list[Picture]) -> list[Picture]:
    """The clip's frames covered by the painted ones; where those are lost, the cross-fade shows."""
    with open_source(shot["file"]) as source:
        keys = PaintedKeys(str(shot["file"]), source.info, shot["painted"])
        return [keys.cover(frame, fades[frame.index]) for frame in source.frames()]


def measure_error(found: Picture, true: Picture) -> float:
    return float(cv2.absdiff(found, true).mean())


def test_the_error_to_the_painted_film_is_a_third_of_the_cross_fades(
    shot: dict[str, Any], fades: list[Picture], carried: list[Picture]
) -> None:
    between = range(1, COUNT - 1)
    ours = [measure_error(carried[index], shot["truth"][index]) for index in between]
    faded = [measure_error(fades[index], shot["truth"][index]) for index in between]
    assert np.mean(ours) <= np.mean(faded) / 3


def test_a_painted_frame_is_shown_as_it_was_painted(
    shot: dict[str, Any], carried: list[Picture]
) -> None:
    assert (carried[0] == shot["truth"][0]).all()
    assert (carried[-1] == shot["truth"][-1]).all()


def test_frames_may_be_covered_in_any_order(
    shot: dict[str, Any], fades: list[Picture], carried: list[Picture]
) -> None:
    with open_source(shot["file"]) as source:
        keys = PaintedKeys(str(shot["file"]), source.info, shot["painted"])
        frames = list(source.frames())
        for frame in (frames[12], frames[3]):
            again = keys.cover(frame, fades[frame.index])
            assert (again == carried[frame.index]).all()


def test_a_painting_does_not_cross_a_cut(tmp_path: Path, shot: dict[str, Any]) -> None:
    night = [255 - frame[:, ::-1] for frame in shot["frames"][:8]]
    file = encode(tmp_path / "cut.mp4", [*shot["frames"][:8], *night], rate=20)
    under = np.full_like(night[0], 77)
    with open_source(file) as source:
        keys = PaintedKeys(str(file), source.info, shot["painted"][:1])
        after = [keys.cover(frame, under) for frame in source.frames()][8:]
    assert all((picture == under).all() for picture in after)


def test_spans_end_where_a_painting_is_not_carried_farther() -> None:
    one, other = parse_painted(["9=b.png", "2=a.png"])
    near = plan_spans([one, other], 20.0, reach=4.0)
    assert [(span.first, span.last) for span in near] == [(0.0, 2.0), (2.0, 9.0), (9.0, 13.0)]
    far = plan_spans([one, other], 20.0, reach=3.0)
    assert [(span.first, span.last) for span in far[1:3]] == [(2.0, 5.0), (6.0, 9.0)]


def test_painted_frames_alone_are_the_styles_of_their_times(shot: dict[str, Any]) -> None:
    job = make_job(shot["file"], [], "out.mp4", painted=shot["painted"], engine="tint")
    score = read_job_score(job)
    assert score is not None
    assert [key.at.value for key in score.keys] == [0.0, (COUNT - 1) / 20]


def test_a_job_shows_them_and_paints_the_rest(tmp_path: Path, shot: dict[str, Any]) -> None:
    out = tmp_path / "painted"
    stylize(shot["file"], [], out, painted=shot["painted"], engine="tint", metadata=False)
    first = cv2.imread(str(sorted(out.glob("*.png"))[0]))[..., ::-1]
    assert (first == shot["truth"][0]).all()


@pytest.mark.parametrize(
    ("painted", "text"),
    [
        ("frame.png", "is not TIME=PICTURE"),
        ("soon=frame.png", "time 'soon' cannot be read"),
        ("1=nothing.png", "'nothing.png' does not exist"),
    ],
)
def test_a_wrong_painted_frame_is_named(shot: dict[str, Any], painted: str, text: str) -> None:
    job = make_job(shot["file"], ["@ink-wash"], "out.mp4", painted=(painted,))
    with pytest.raises((UsageError, MissingFileError), match=text):
        check_inputs(job)


def test_two_paintings_of_one_frame_are_refused() -> None:
    with pytest.raises(UsageError, match="have the same time"):
        parse_painted(["1=a.png", "1.0=b.png"])


def test_a_painting_of_another_shape_is_refused(tmp_path: Path, shot: dict[str, Any]) -> None:
    save_picture(tmp_path / "tall.png", np.zeros((180, 200, 3), np.uint8))
    with open_source(shot["file"]) as source, pytest.raises(UsageError, match="shapes differ"):
        PaintedKeys(str(shot["file"]), source.info, (f"0={tmp_path / 'tall.png'}",))


def test_a_painting_after_the_end_is_refused(shot: dict[str, Any]) -> None:
    late = shot["painted"][0].replace("0.0=", "9=")
    with open_source(shot["file"]) as source, pytest.raises(UsageError, match="after the end"):
        PaintedKeys(str(shot["file"]), source.info, (late,))


def test_slow_motion_and_painted_frames_exclude_each_other(shot: dict[str, Any]) -> None:
    job = make_job(shot["file"], ["@ink-wash"], "out.mp4", painted=shot["painted"], speed=0.5)
    with pytest.raises(UsageError, match="carried from frame to frame"):
        check_inputs(job)


def test_frames_are_written_to_paint_over(
    run: Callable[..., Any], tmp_path: Path, shot: dict[str, Any]
) -> None:
    out = tmp_path / "frames"
    done = run("frames", shot["file"], "--at", "0,0.5", "-o", out, "--json")
    files = [one["file"] for one in json.loads(done.out)["frames"]]
    assert files == [str(out / "shot_0000.000.png"), str(out / "shot_0000.500.png")]
    with open_source(shot["file"]) as source:
        assert (cv2.imread(files[1])[..., ::-1] == source.at(0.5)).all()


def test_a_frame_after_the_end_cannot_be_written(
    run: Callable[..., Any], tmp_path: Path, shot: dict[str, Any]
) -> None:
    done = run("frames", shot["file"], "--at", "0,99", "-o", tmp_path / "frames")
    assert done.code == 2 and "after the end" in done.err
    assert not (tmp_path / "frames").exists()


def test_a_frame_stays_a_frame(shot: dict[str, Any]) -> None:
    """Outside all spans the engine's painting is shown."""
    with open_source(shot["file"]) as source:
        keys = PaintedKeys(str(shot["file"]), source.info, shot["painted"][:1])
        frame = next(source.frames())
        far = Frame(900, 900.0, frame.picture)
        under = np.full_like(frame.picture, 9)
        assert (keys.cover(far, under) == under).all()
