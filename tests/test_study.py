"""Studies: cases, rows that are kept, pages, and the verbs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.clips import encode
from tests.conftest import CommandResult
from vst.core.types import OnProgress, Progress
from vst.errors import (
    Cancelled,
    EngineError,
    MediaError,
    MissingFileError,
    OutputError,
    OutputExistsError,
    UnknownNameError,
    UsageError,
)
from vst.plotting import save_picture
from vst.research.study.backbones import parse_weights
from vst.research.study.base import Case, CaseResult, Study, StudyTable, run_study, select_cases
from vst.research.study.content import Subject, write_clip, write_still
from vst.research.study.networks import Training, collect_training_fields, find_rest
from vst.research.study.options import combine, format_values, parse_lists, parse_options
from vst.research.study.page import build_page, format_figure
from vst.research.study.painting import compute_seconds_per_frame, describe_options
from vst.research.study.video import VideoMethods, parse_networks, plan_video
from vst.video.sources import open_source

Run = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with film.mp4 (30 frames, 96 x 65, 10 fps, a texture that moves), photo.png and
    art.png.
    """
    folder = tmp_path_factory.mktemp("study")
    noise = np.random.default_rng(0).integers(0, 256, (66, 200, 3)).astype(np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    pictures = [np.ascontiguousarray(wide[:, 2 * i : 2 * i + 96]) for i in range(30)]
    encode(folder / "film.mp4", pictures, rate=10)
    save_picture(folder / "photo.png", pictures[0])
    save_picture(folder / "art.png", np.full((40, 60, 3), (230, 120, 20), np.uint8))
    return folder


def counting(name: str, calls: list[str], **settings: Any) -> Case:
    """A case that notes that it was tried, and leaves a figure, a picture and a curve."""

    def work(place: Path, on_progress: OnProgress) -> CaseResult:
        calls.append(name)
        on_progress(Progress("paint", 1, 2))
        grey = np.full((8, 12, 3), 99, np.uint8)
        return CaseResult({"seconds": 1.5, "loss": math.nan}, {"": grey}, {"E": [math.nan, 0.5]})

    return Case(name, {"name": name, **settings}, work)


def failing(name: str, error: BaseException) -> Case:
    def work(place: Path, on_progress: OnProgress) -> CaseResult:
        raise error

    return Case(name, {"name": name}, work)


def test_rows_that_are_done_are_kept(tmp_path: Path) -> None:
    calls: list[str] = []
    for _ in range(2):
        cases = [counting("a", calls), counting("b", calls)]
        table = run_study(Study("sweep", "Two", cases), tmp_path, page=build_page)
    assert calls == ["a", "b"]
    assert [row.figures["seconds"] for row in table.rows] == [1.5, 1.5]
    assert table.rows[0].figures["loss"] is None
    run_study(Study("sweep", "Two", [counting("a", calls, steps=3)]), tmp_path)
    assert calls == ["a", "b", "a"]  # with other settings it is another row


def test_a_row_with_missing_or_damaged_files_runs_again(tmp_path: Path) -> None:
    calls: list[str] = []
    study = Study("sweep", "One", [counting("a", calls)])
    row = run_study(study, tmp_path).rows[0]
    (tmp_path / row.folder / row.pictures[""]).unlink()
    run_study(study, tmp_path)
    (tmp_path / row.folder / "row.json").write_text('{"name": ', encoding="utf-8")
    run_study(study, tmp_path)
    assert calls == ["a", "a", "a"]


def test_a_study_that_is_stopped_has_its_page_and_goes_on(tmp_path: Path) -> None:
    calls: list[str] = []
    first = counting("a", calls)
    stopped = Study("sweep", "Stopped", [first, failing("b", Cancelled("stopped"))])
    with pytest.raises(Cancelled):
        run_study(stopped, tmp_path, page=build_page)
    assert "1 of 2 cases have not run yet" in (tmp_path / "sweep.html").read_text(encoding="utf-8")
    table = run_study(
        Study("sweep", "On", [first, counting("b", calls)]), tmp_path, page=build_page
    )
    assert calls == ["a", "b"] and len(table.rows) == 2
    assert "have not run yet" not in (tmp_path / "sweep.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "error", [EngineError("no weights"), OSError("no weights"), MemoryError("no weights")]
)
def test_what_cannot_be_done_is_a_row_with_its_reason(tmp_path: Path, error: Exception) -> None:
    calls: list[str] = []
    study = Study("sweep", "Some", [failing("far", error), counting("near", calls)])
    table = run_study(study, tmp_path, page=build_page)
    assert [row.state for row in table.rows] == ["failed", "done"]
    page = (tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert "far: no weights." in page
    found = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert found["rows"][0]["reason"] == "no weights"
    again = Study("sweep", "Some", [Case("far", {"name": "far"}, counting("far", calls).work)])
    assert run_study(again, tmp_path).rows[0].done  # a failure is no result: it is tried again


def test_an_error_of_ours_is_no_row(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        run_study(Study("sweep", "Bug", [failing("a", KeyError("x"))]), tmp_path)


def test_a_second_study_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    def work(place: Path, on_progress: OnProgress) -> CaseResult:
        with pytest.raises(OutputError, match="another run"):
            run_study(Study("sweep", "Inner", []), tmp_path)
        return CaseResult()

    assert run_study(Study("sweep", "Outer", [Case("a", {}, work)]), tmp_path).rows[0].done
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_is_not_a_study_is_kept(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"mine": 1}', encoding="utf-8")
    with pytest.raises(OutputExistsError, match="not a study"):
        run_study(Study("sweep", "Mine", []), tmp_path)
    assert (tmp_path / "sweep.json").read_text(encoding="utf-8") == '{"mine": 1}'
    with pytest.raises(OutputExistsError, match="not a folder"):
        run_study(Study("sweep", "Mine", []), tmp_path / "sweep.json")


def test_progress_names_the_case(tmp_path: Path) -> None:
    seen: list[str] = []
    study = Study("sweep", "One", [counting("a", [])])
    run_study(study, tmp_path, lambda progress: seen.append(progress.stage))
    assert seen == ["a (1 of 1): start", "a (1 of 1): paint"]


def test_the_page_carries_all_within_itself(tmp_path: Path) -> None:
    study = Study(
        "sweep", "A <title>", [counting("a <b>", [])], about=["About."],
        shown={"content": np.zeros((4, 3000, 3), np.uint8)},
        reported=[{"way": "theirs", "time": "25.2"}], source="Elsewhere.", rate=10,
    )  # fmt: skip
    text = build_page(run_study(study, tmp_path))
    assert text.count("data:image/jpeg;base64,") == 2 and "http" not in text
    assert "<b>" not in text and "a &lt;b&gt;" in text
    assert "25.2" in text and "Elsewhere." in text


def test_numbers_are_short() -> None:
    found = [format_figure(value) for value in (None, math.nan, 12345.6, 0.0001234, 12.3456)]
    assert found == ["–", "–", "12,346", "0.000123", "12.35"]


def test_cases_are_chosen_by_a_part_of_their_names() -> None:
    cases = [counting(name, []) for name in ("Frame by frame", "warped", "warped, stabilized")]
    assert [case.name for case in select_cases(cases, ["frame", "stabil"])] == [
        "Frame by frame",
        "warped, stabilized",
    ]
    with pytest.raises(UsageError, match="Use one of: Frame by frame"):
        select_cases(cases, ["wrapped"])


def test_options_are_read_by_their_kind() -> None:
    found = parse_options(["strength=0.5", "keyframes=3", "engine=tint", "loop=true", "size=90"])
    assert found == {
        "strength": 0.5, "keyframes": 3, "engine": "tint", "loop": True, "size": 90
    }  # fmt: skip
    own = parse_options(["style-weight=1e5", "style_layers=block1_conv1+block2_conv1", "steps=20"])
    assert own == {
        "style_weight": 1e5,
        "style_layers": ("block1_conv1", "block2_conv1"),
        "steps": 20,
    }
    assert parse_lists(["brush=1,0.5"]) == {"brush": [1.0, 0.5]}
    assert parse_options(["mask=none"]) == {"mask": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [("strength", "Write NAME=VALUE"), ("strenght=1", "did you mean 'strength'"),
     ("strength=much", "is not a number"), ("keyframes=1.5", "not a whole number"),
     ("loop=yes", "true or false"), ("output=x", "unknown option"),
     ("content=x", "unknown option")],
)  # fmt: skip
def test_wrong_option_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_options([text])


def test_every_value_meets_every_other() -> None:
    found = combine(parse_lists(["strength=0.5,1", "stabilize=off,steady"]))
    assert [format_values(one) for one in found] == [
        "strength 0.5, stabilize off",
        "strength 0.5, stabilize steady",
        "strength 1, stabilize off",
        "strength 1, stabilize steady",
    ]
    with pytest.raises(UsageError, match="at most"):
        combine({"a": list(range(11)), "b": list(range(11))})
    with pytest.raises(UsageError, match="twice"):
        parse_lists(["strength=1", "strength=2"])
    with pytest.raises(UsageError, match="--vary"):
        combine({})


def test_a_training_has_options_of_its_own() -> None:
    kinds = collect_training_fields("fast")
    assert {"noisy_pixels", "noise_weight", "style_weight", "optimizer", "width"} <= set(kinds)
    assert parse_lists(["optimiser=adam,adamax"], kinds) == {"optimizer": ["adam", "adamax"]}
    assert "short_weight" in collect_training_fields("temporal") and "short_weight" not in kinds
    Training(options={"noisy_pixels": 10})
    for wrong in ({"side": 33}, {"optimizer": "sgd"}, {"width": 0}):
        with pytest.raises(UsageError):
            Training(options=wrong)
    with pytest.raises(UsageError, match="minutes"):
        Training(minutes=0)
    with pytest.raises(MissingFileError):
        Training(pictures="nowhere")


def test_networks_and_weights_are_named() -> None:
    assert set(parse_weights(["random"])) >= {"vgg19", "xception", "efficientnetb7"}
    assert "embedded" not in parse_weights(["random"])
    assert parse_weights(["random", "vgg19=w.h5"])["vgg19"] == "w.h5"
    for wrong in ("imagenet", "vgg=w.h5", "vgg19="):
        with pytest.raises(UsageError):
            parse_weights([wrong])
    with pytest.raises(UnknownNameError, match="did you mean 'temporal'"):
        parse_networks(["temporl=a.keras"])
    with pytest.raises(MissingFileError):
        parse_networks(["fast=nowhere.keras"])


def test_the_clip_is_as_long_and_as_large_as_it_was_asked_for(media: Path, tmp_path: Path) -> None:
    subject = Subject(str(media / "film.mp4"), ("x",), size=33, start=1.0, seconds=0.5)
    path = write_clip(subject, tmp_path)
    with open_source(path) as source:
        assert (source.info.width, source.info.height) == (48, 32)
        assert source.info.rate == 10
        assert len(list(source.frames())) == 5
    assert write_clip(subject, tmp_path) == path
    assert write_clip(Subject(str(media / "film.mp4"), ("x",), 33, 0.0, 0.5), tmp_path) != path
    with pytest.raises(MediaError, match="has 1 frames"):
        write_clip(Subject(str(media / "film.mp4"), ("x",), 33, 2.9, 1.0), tmp_path)
    still = write_still(Subject(str(media / "photo.png"), ("x",), size=33), tmp_path)
    with open_source(still) as source:
        assert source.info.height == 33


def test_networks_see_what_the_clip_leaves(media: Path) -> None:
    film = str(media / "film.mp4")
    assert find_rest(Subject(film, ("x",), start=0.0, seconds=1.0)) == (1.0, 3.0)
    assert find_rest(Subject(film, ("x",), start=2.0, seconds=1.0)) == (0.0, 2.0)
    assert find_rest(Subject(film, ("x",), start=0.0, seconds=3.0)) == (0.0, 3.0)


def test_a_row_is_known_by_defaults_too() -> None:
    """They may be others in another version, and then it is another row."""
    known = describe_options({"engine": "gatys", "steps": 3, "strength": 0.5})
    assert known["steps"] == 3 and known["strength"] == 0.5
    assert {"style_weight", "optimizer", "backbone"} <= set(known)
    plain = {"engine": "tint", "strength": 0.5}
    assert describe_options(plain) == plain


def test_a_frames_time_leaves_out_what_is_done_once() -> None:
    """Ten seconds for the first frame, then half a second for each."""
    events = [Progress("paint", n, 20, 10 + 0.5 * (n - 1)) for n in range(1, 21)]
    assert compute_seconds_per_frame(events, 25.0, 20) == pytest.approx(0.5)
    assert compute_seconds_per_frame(events[:1], 10.0, 1) == 10.0


def test_the_rows_of_the_video_study(media: Path, tmp_path: Path) -> None:
    subject = Subject(str(media / "film.mp4"), (str(media / "art.png"),), 32, seconds=0.3)
    names = [case.name for case in plan_video(subject, tmp_path, VideoMethods()).cases]
    for wanted in ("optimized, frame by frame", "optimized, warped start, temporal loss",
                   "feed-forward", "feed-forward, noise loss", "feed-forward, flow losses",
                   "embedded, segmented", "embedded"):  # fmt: skip
        assert wanted in names and f"{wanted}, stabilized (steady)" in names
    assert not any("Magenta" in name for name in names)
    with_it = plan_video(subject, tmp_path, VideoMethods(magenta="somewhere"), only=["magenta"])
    assert [case.name for case in with_it.cases] == ["Magenta", "Magenta, stabilized (steady)"]
    keys = {case.key for case in plan_video(subject, tmp_path, VideoMethods()).cases}
    assert len(keys) == len(names)
    other = Subject(str(media / "film.mp4"), (str(media / "art.png"),), 32, seconds=0.4)
    assert not keys & {case.key for case in plan_video(other, tmp_path, VideoMethods()).cases}


def words_of(media: Path, out: Path, *words: object) -> tuple[object, ...]:
    """What the verbs of a study take, small."""
    styles = ("-s", media / "art.png", "--predictor", "tint", "--size", 32)
    return (*styles, "--out", out, "--progress", "none", *words)


def test_the_verb_sweeps_a_video(run: Run, media: Path, tmp_path: Path) -> None:
    words = words_of(media, tmp_path, "--option", "engine=tint", "--vary", "strength=0.2,1")
    done = run("study", "sweep", media / "film.mp4", *words, "--seconds", 0.5)
    assert done.code == 0, done.err
    assert "strength 0.2" in done.out and "adjacent SSIM" in done.out
    found = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    weak, strong = found["rows"]
    assert weak["figures"]["style"] > strong["figures"]["style"]
    assert weak["figures"]["content_ssim"] > strong["figures"]["content_ssim"]
    assert weak["figures"]["warp_root"] > 0 and weak["figures"]["seconds_per_frame"] > 0
    assert len(weak["curves"]["Warp error, frame by frame"]) == 5
    with open_source(tmp_path / weak["video"]) as source:
        assert len(list(source.frames())) == 5
    assert (tmp_path / "sweep.html").read_text(encoding="utf-8").count(
        "data:image/jpeg;base64,"
    ) == 4
    again = run("study", "sweep", media / "film.mp4", *words, "--seconds", 0.5, "--json")
    assert json.loads(again.out)["rows"] == found["rows"]  # kept, times and all


def test_the_verb_sweeps_a_picture(run: Run, media: Path, tmp_path: Path) -> None:
    words = words_of(media, tmp_path, "--vary", "engine=tint,magenta", "--option", "model=nowhere")
    done = run("study", "sweep", media / "photo.png", *words, "--json")
    assert done.code == 0, done.err
    tint, magenta = json.loads(done.out)["rows"]
    assert tint["figures"]["variation"] > 0 and "warp" not in tint["figures"]
    assert magenta["state"] == "failed" and "nowhere" in magenta["reason"]


def test_the_verb_says_what_is_wrong(run: Run, media: Path, tmp_path: Path) -> None:
    film = media / "film.mp4"
    words = words_of(media, tmp_path)
    for wrong in (
        ("sweep", film, *words, "--vary", "strenght=1"),
        ("sweep", film, *words, "--vary", "strength=7"),
        ("sweep", film, *words, "--vary", "steps=5"),  # engine embedded has no steps
        ("sweep", film, *words),
        ("sweep", media / "gone.mp4", *words, "--vary", "strength=1"),
        ("sweep", film, *words, "--train", "fast", "--vary", "side=33"),
        ("video", media / "photo.png", *words),
        ("video", film, *words, "--minutes", "0"),
        ("video", film, *words, "--option", "stabilise=sometimes"),
        ("optimisers", film, *words, "--steps", "20,many"),
        ("backbones", film, *words, "--backbone-weights", "vgg=x"),
        ("backbones", film, *words, "--only", "alexnet"),
        ("backbonez", film, *words),
    ):
        done = run("study", *wrong)
        assert done.code in (1, 2), wrong
        assert len(done.err.strip().splitlines()) == 1, done.err
        assert not (tmp_path / "sweep.json").exists()


def test_a_table_is_plain_values(tmp_path: Path) -> None:
    study = Study("sweep", "One", [counting("a", [])])
    table: StudyTable = run_study(study, tmp_path)
    plain = json.loads(json.dumps(table.as_dict(), allow_nan=False))
    assert plain["rows"][0]["curves"] == {"E": [None, 0.5]}
    assert plain["rows"][0]["machine"]["cores"] >= 1
