"""The judged training of a painter, in seconds, on made-up pictures, teacher and judges."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.fake_teacher import FakeGraph, FakeTeacher, write_pictures
from tests.judge_files import write_judge
from vst.cli.train import command
from vst.core.types import ignore_progress
from vst.engines.embedded import EmbeddedEngine
from vst.nets import weight_files
from vst.nets.backbones import open_backbone
from vst.nets.embedded import Painter, PainterPlan
from vst.research.training import (
    judged,
    judged_painter,
    judged_styles,
    picture_data,
    validation,
)
from vst.samples import draw_photo
from vst.samples.patterns import draw_pattern

SMALL = PainterPlan(channels=8, blocks=1, stem=4, phases=4, fine=8, reach=3)
WIDE = PainterPlan(channels=12, blocks=2, stem=4, phases=8, fine=8, reach=3)
PLAN = judged.JudgedPlan(minutes=0.02, styles=6, motions=2, side=64, batch=2, every=0.1)


class FakeJudged(judged.JudgedTraining):
    def open_teacher(self) -> FakeTeacher:
        return FakeTeacher()

    def open_teacher_graph(self) -> FakeGraph:
        return FakeGraph()


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> judged.Sources:
    folder = tmp_path_factory.mktemp("judged")
    start = folder / "start"
    weight_files.write_weights(start, "painter", weight_files.export_arrays(Painter(SMALL)), {})
    for part in ("predictor", weight_files.INT8_PARTS["predictor"]):
        path = weight_files.find_weights_file(judged.WEIGHTS, part)
        weight_files.add_to_index(start, part, Path(shutil.copy(path, start)), {})
    (folder / "pictures").mkdir()
    pictures = write_pictures(folder / "pictures")
    return judged.Sources(folder, write_judge(folder / "judge"), pictures, (), start)


@pytest.fixture(scope="module")
def trained(sources: judged.Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    measures = FakeJudged(sources, out, PLAN, WIDE).run()
    assert {"style", "energy", "contrast", "vgg16", "alexnet"} <= set(measures)
    return out


def test_the_trained_weights_are_a_model_of_the_engine(trained: Path) -> None:
    frames = np.stack([draw_photo(48, 32)])
    with EmbeddedEngine(model=str(trained / "weights")) as engine:
        painted = engine.stylize(frames, engine.embed(draw_photo(64, 64))[None])
    assert painted.shape == frames.shape
    assert PainterPlan.read(weight_files.read_weights(trained / "weights", "painter")) == WIDE


@pytest.mark.slow
def test_a_second_run_resumes_the_first(sources: judged.Sources, trained: Path) -> None:
    steps = validation_rows(trained)[-1]["steps"]
    longer = judged.JudgedPlan(**{**PLAN.__dict__, "minutes": 0.04})
    FakeJudged(sources, trained, longer, WIDE).run()
    assert validation_rows(trained)[-1]["steps"] > steps


def validation_rows(folder: Path) -> list[dict[str, float]]:
    state = folder / "checkpoint" / "painter" / "state.json"
    rows: list[dict[str, float]] = json.loads(state.read_text(encoding="utf-8"))["rows"]
    return rows


def test_alexnet_chooses_the_weights_unless_the_teacher_objects() -> None:
    good = {"alexnet": 0.95, "energy": 1.0, "style": 1.02}
    score = validation.score_weights
    assert score(good) < score({**good, "alexnet": 0.97})
    assert score(good) < score({**good, "alexnet": 0.9, "style": 1.1})


def test_styles_are_paintings_patterns_photographs_and_paintings_of_the_teacher() -> None:
    pool = picture_data.PicturePool([draw_photo(80, 60)], [draw_photo(60, 80)])
    rng = np.random.default_rng(3)
    maker = judged_styles.StyleMaker(pool, FakeTeacher(), lambda picture: picture, None, rng)
    drawn = [maker.draw() for _ in range(40)]
    assert {picture.shape for picture in drawn} == {(256, 256, 3)}
    assert len({picture.tobytes() for picture in drawn}) > 30


def test_the_teacher_paints_the_embedding_that_the_painter_gets(
    sources: judged.Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged, "OWN_SHARE", 0.0)  # no embeddings by our own predictor
    training = FakeJudged(sources, tmp_path, PLAN)
    training.prepare(ignore_progress)
    training.open_start(ignore_progress)
    given, wanted = training.batch()
    assert np.allclose(given["numbers"], wanted["numbers"])
    styles = training.styles.arrays["numbers"]
    assert min(np.abs(styles - numbers).max() for numbers in given["numbers"]) > 0.01
    assert set(judged_styles.GRAMS) < set(wanted)


def test_the_teachers_picture_is_a_target_of_style(sources: judged.Sources) -> None:
    weights = judged_painter.JudgedWeights(style=0, half=0, content=0, hint=1)
    vgg = open_backbone("vgg16", sources.judge)
    student = judged_painter.JudgedStudent(Painter(SMALL), vgg, FakeGraph(), weights)
    drawn = draw_photo(48, 48), draw_pattern("ink-wash", 48, 48)
    picture, other = (np.float32(one[None]) / 255 for one in drawn)
    grams = dict.fromkeys(judged_styles.GRAMS, np.float32(0))

    def measure(theirs: np.ndarray) -> float:
        return float(student.judge_loss(picture, theirs, picture, grams))

    assert measure(picture) < 1e-6 < measure(other)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "no folder"),
        (("--out", "run", "--start", "nowhere"), "does not exist"),
        (("--resume", "run"), "holds no training"),
    ],
)
def test_wrong_input_is_named(
    sources: judged.Sources,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("--teacher", sources.teacher, "--judge", sources.judge, "--pictures", sources.pictures)
    result = CliRunner().invoke(command, ["painter", *map(str, given), *words])
    assert result.exit_code != 0
    assert reason in str(result.exception) + result.output
    assert not any(tmp_path.iterdir())
