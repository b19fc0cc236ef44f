"""Measuring and comparing videos: the functions, the two verbs, and the page."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vst.errors import MediaError, MissingFileError, UnknownNameError, UsageError
from vst.evaluation.guide import TO, list_kinds
from vst.evaluation.measure import EvaluationOptions, evaluate
from vst.evaluation.report import build_report
from vst.evaluation.style_target import read_styles_job
from vst.evaluation.verdict import select_held
from vst.plotting.report import HtmlReport, draw_heat_map
from vst.video.sources import open_source

COUNT = 14


def write_frames(folder: Path, pictures: list[np.ndarray]) -> str:
    """A folder of numbered frames: nothing is lost."""
    folder.mkdir()
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{index:04d}.png"), picture[..., ::-1])
    return str(folder)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A content that moves; a painting that moves with it, and one that flickers by 0.2."""
    folder = tmp_path_factory.mktemp("clips")
    noise = np.random.default_rng(0).integers(0, 256, (96, 200, 3)).astype(np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    contents = [np.ascontiguousarray(wide[:, 2 * i : 2 * i + 128]) for i in range(COUNT)]
    steady = [(255 - content) // 2 + 20 for content in contents]
    flickering = [picture + 51 * (i % 2) for i, picture in enumerate(steady)]
    return {
        "content": write_frames(folder / "content", contents),
        "steady": write_frames(folder / "steady", steady),
        "raw": write_frames(folder / "raw", [x.astype(np.uint8) for x in flickering]),
        "short": write_frames(folder / "short", steady[:6]),
    }


def test_options_may_be_given_as_keywords_as_in_earlier_versions(clips: dict[str, str]) -> None:
    found = evaluate(clips["raw"], clips["content"], measures=["sharpness"], size=None)
    assert set(found.videos[0].scores) == {"sharpness"}
    with pytest.raises(UsageError, match=r"size: given beside options\. Put them into options"):
        evaluate(clips["raw"], clips["content"], EvaluationOptions(), size=64)


def test_a_flickering_painting_is_told_from_a_steady_one(clips: dict[str, str]) -> None:
    found = evaluate(clips["steady"], clips["content"], EvaluationOptions(against=[clips["raw"]]))
    steady, raw = found.videos
    assert steady.frames == raw.frames == COUNT
    assert raw.scores["warp"].total == pytest.approx(0.04, rel=0.05)
    assert steady.scores["warp"].total < 0.001
    assert raw.scores["warp-10"].total < 0.01  # every other frame flickers: not over ten
    assert raw.scores["warp-5"].total == pytest.approx(0.04, rel=0.2)
    assert raw.roots["warp"] > steady.roots["warp"]
    assert steady.scores["sharpness"].total == pytest.approx(raw.scores["sharpness"].total)
    assert "style" not in steady.scores
    head, lines = found.rows()
    assert head == ["measure", "steady", "raw", "relative to raw"]
    assert all(len(line) == len(head) for line in lines)


def test_values_stand_for_each_frame(clips: dict[str, str]) -> None:
    found = evaluate(
        clips["raw"], clips["content"], EvaluationOptions(measures=["warp", "sharpness"])
    )
    scores = found.videos[0].scores
    assert list(scores) == ["warp", "sharpness"]
    assert [len(score.values) for score in scores.values()] == [COUNT, COUNT]
    assert math.isnan(scores["warp"].values[0])
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["videos"][0]["per_frame"]["warp"][0] is None


def test_a_shorter_video_is_compared_as_far_as_it_goes(clips: dict[str, str]) -> None:
    found = evaluate(clips["short"], clips["content"], EvaluationOptions(measures=["sharpness"]))
    assert found.videos[0].frames == 6
    assert "ends after 6 frames" in found.warnings[0]


def test_a_cut_of_the_content_is_no_flicker(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    scenes = [
        cv2.GaussianBlur(rng.integers(low, low + 120, (64, 96, 3)).astype(np.uint8), (0, 0), 2)
        for low in (0, 135)
    ]
    pictures = [scenes[0]] * 6 + [scenes[1]] * 6
    content = write_frames(tmp_path / "c", pictures)
    found = evaluate(content, content, EvaluationOptions(measures=["warp"]))
    assert found.cuts == [6]
    assert found.videos[0].scores["warp"].total == 0
    assert math.isnan(found.videos[0].scores["warp"].values[6])


class Colours:
    """A predictor whose numbers are the mean color."""

    space = "colors"

    def embed(self, image: Any) -> np.ndarray:
        return np.asarray(image.mean((0, 1)), np.float32)

    def __enter__(self) -> Colours:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_the_style_is_that_of_the_timeline(
    clips: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two styles over the video: black first, white at the end; a grey painting is nearest in the
    middle.
    """
    monkeypatch.setattr("vst.evaluation.measure.open_engine", lambda name: Colours())
    for name, value in (("black", 0), ("white", 255)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((20, 20, 3), value, np.uint8))
    grey = write_frames(tmp_path / "grey", [np.full((96, 128, 3), 128, np.uint8)] * COUNT)
    styles = [str(tmp_path / "black.png"), str(tmp_path / "white.png")]
    found = evaluate(grey, clips["content"], EvaluationOptions(styles=styles, measures=["style"]))
    values = found.videos[0].scores["style"].values
    assert values[0] == pytest.approx(128 * 3**0.5)
    assert values[-1] == pytest.approx(127 * 3**0.5, rel=0.01)
    assert min(values) < 40
    assert found.predictor == "embedded"


def test_wrong_use_is_told(clips: dict[str, str]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'warp'"):
        evaluate(clips["raw"], clips["content"], EvaluationOptions(measures=["wrap"]))
    with pytest.raises(UsageError, match="--style or --job"):
        evaluate(clips["raw"], clips["content"], EvaluationOptions(measures=["style"]))
    with pytest.raises(MissingFileError):
        evaluate("nowhere.mp4", clips["content"])


def test_the_page_carries_all_within_itself(clips: dict[str, str], tmp_path: Path) -> None:
    found = evaluate(clips["steady"], clips["content"], EvaluationOptions(against=[clips["raw"]]))
    page = tmp_path / "page.html"
    build_report(found).save(page)
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == len(found.videos[0].scores)
    assert text.count("data:image/jpeg;base64,") == 9  # five strips, four maps
    assert "edges are missing" in text
    assert "steady is steady" in text
    assert "http" not in text
    assert "Where it flickers" in text


def test_curves_without_a_value_say_so() -> None:
    page = HtmlReport("page")
    page.curves({"a": [math.nan, math.nan]}, 25)
    assert "no value" in page.html() and "<svg" not in page.html()


def test_heat_goes_from_black_to_white() -> None:
    picture = draw_heat_map(np.array([[0.0, 0.5, 2.0]], np.float32), 1.0)
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 2].tolist() == [255, 255, 255]
    assert picture[0, 1, 0] > picture[0, 1, 2]


Run = Callable[..., Any]


def test_the_verb_prints_a_table(run: Run, clips: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = (clips["steady"], "--content", clips["content"], "--against", clips["raw"])
    done = run("evaluate", *words, "--report", page, "--progress", "none")
    assert done.code == 0, done.err
    assert "relative to raw" in done.out
    assert "√ warp-10" in done.out
    assert page.is_file()
    again = run("evaluate", *words, "--report", page)
    assert again.code == 2
    assert "--overwrite" in again.err


def test_the_verb_prints_json_and_nothing_else(run: Run, clips: dict[str, str]) -> None:
    done = run(
        "evaluate", clips["raw"], "--content", clips["content"], "--measure", "warp", "--json"
    )
    found = json.loads(done.out)
    assert list(found["videos"][0]["total"]) == ["warp"]
    assert found["videos"][0]["frames"] == COUNT


def test_the_verb_says_what_is_wrong(run: Run, clips: dict[str, str]) -> None:
    content = ("--content", clips["content"])
    for words in (
        ("nowhere.mp4", *content),
        (clips["raw"], *content, "--measure", "wrap"),
        (clips["raw"], *content, "--job"),
    ):
        done = run("evaluate", *words)
        assert done.code in (1, 2)
        assert len(done.err.strip().splitlines()) == 1


def test_compare_puts_videos_side_by_side(run: Run, clips: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "side.mp4"
    done = run("compare", clips["steady"], clips["raw"], clips["short"], "-o", out, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["frames"] == 6
    with open_source(out) as source:
        assert (source.info.width, source.info.height) == (128 * 3 + 8, 96 + 28)
        frame = next(iter(source.frames())).picture
    with open_source(clips["raw"]) as source:
        wanted = next(iter(source.frames())).picture
    assert np.abs(frame[28:, 132:260].astype(int) - wanted).mean() < 12


def test_compare_says_what_is_wrong(run: Run, clips: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "side.mp4"
    assert run("compare", clips["raw"], "-o", out).code == 2
    assert run("compare", clips["raw"], clips["steady"], "--label", "one", "-o", out).code == 2
    out.write_bytes(b"mine")
    assert run("compare", clips["raw"], clips["steady"], "-o", out).code == 2
    assert out.read_bytes() == b"mine"


def test_a_video_that_a_score_painted_asks_for_its_style(monkeypatch: pytest.MonkeyPatch) -> None:
    written = '{"content": "content.mp4", "score": "score.yaml"}'
    monkeypatch.setattr("vst.evaluation.style_target.read_job", lambda path: written)
    with pytest.raises(MediaError, match="--style"):
        read_styles_job("painted.mp4")


def test_a_mouth_that_stays_shut_fails_with_its_place_and_second(tmp_path: Path) -> None:
    """The second half of the talk is painted with the first frame's mouth."""
    contents = []
    for index in range(20):
        picture = np.full((128, 192, 3), 180, np.uint8)
        cv2.ellipse(picture, (48, 96), (16, 2 + 10 * (index >= 10)), 0, 0, 360, (70, 10, 20), -1)
        contents.append(picture)
    content = write_frames(tmp_path / "content", contents)
    fresh = write_frames(tmp_path / "fresh", [255 - x for x in contents])
    stuck = write_frames(tmp_path / "stuck", [255 - contents[0]] * 20)
    measures = ["warp", "structure", "trail"]
    found = evaluate(stuck, content, EvaluationOptions(fresh=fresh, measures=measures))
    assert "stuck does not show what the frames show (worst at 0:00.4" in found.verdict
    assert "bottom left" in found.verdict
    assert found.videos[0].scores["structure"].total < 0.92
    true = evaluate(fresh, content, EvaluationOptions(fresh=fresh, measures=measures))
    assert true.verdict == "fresh is steady; keeps what the frames show"
    head, rows = found.explain()
    assert head == ["measure", "good", *list_kinds(), "what it says"]
    assert len(list_kinds()) >= 3
    assert rows[1][:2] == ["structure", "0.92 or more"]
    assert all(re.fullmatch(rf"[\d.]+{TO}[\d.]+", cell) for cell in rows[1][2:-1])


def test_without_a_fresh_painting_the_content_s_edges_stand_in(clips: dict[str, str]) -> None:
    found = evaluate(clips["steady"], clips["content"])
    assert "content-structure" in found.videos[0].scores
    assert "structure" not in found.videos[0].scores
    assert found.verdict == (
        "steady is steady; keeps the content's edges (no unstabilized painting was given)"
    )
    with pytest.raises(UsageError, match="--fresh"):
        evaluate(clips["steady"], clips["content"], EvaluationOptions(measures=["structure"]))


def test_a_transition_of_styles_is_not_flicker(
    clips: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vst.evaluation.measure.open_engine", lambda name: Colours())
    styles = []
    for number, color in enumerate([(250, 0, 0), (0, 0, 250)]):
        styles.append(str(tmp_path / f"{number}.png"))
        cv2.imwrite(styles[-1], np.full((20, 20, 3), color[::-1], np.uint8))
    found = evaluate(
        clips["raw"], clips["content"], EvaluationOptions(styles=styles, measures=["warp"])
    )
    assert not any(found.held[4:10]) and len(found.held) == COUNT
    assert "flickers (most at 0:00" in found.verdict
    known = select_held([1.0, 2.0, math.nan, 9.0], [True, True, True, False])
    assert known == [(1.0, 0), (2.0, 1)]
