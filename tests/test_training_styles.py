"""Trainings of feed-forward networks in one style, in seconds, on pictures that are made here; what
takes minutes is at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vst.errors import MissingFileError, OutputExistsError, UsageError
from vst.nets.feedforward import FeedForward, load_network
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.research.training import style_plans as plans
from vst.research.training.fast import FastTraining, NoiseLearner, PictureFolder, add_noise
from vst.research.training.films import FilmScene, FilmSet
from vst.research.training.learner import StyleLearner
from vst.research.training.style_plans import FastPlan, TemporalPlan
from vst.research.training.temporal import TemporalLearner, TemporalTraining
from vst.samples import draw_pattern

THIN = FeedForwardPlan(width=2, blocks=1, reach=3)
PLAN = FastPlan(steps=4, side=32, batch=2, seed=3, every=1e6)
STYLE = draw_pattern("warm-dots", 64, 48)


@pytest.fixture(scope="module", autouse=True)
def uncompiled() -> Iterator[None]:
    """Steps as Python runs them: to compile them takes longer than four of them do. The command's
    test compiles.
    """
    compiled = StyleLearner.compile
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            StyleLearner,
            "compile",
            lambda self, optimizer, jit_compile=False: compiled(
                self, optimizer, jit_compile=False, run_eagerly=not COMPILED
            ),
        )
        yield


COMPILED: list[bool] = []
"""Not empty where steps are compiled after all."""


def blots(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen pictures, some in a folder of it."""
    place = tmp_path_factory.mktemp("pictures")
    (place / "more").mkdir()
    for index in range(12):
        where = place / "more" if index % 3 == 0 else place
        cv2.imwrite(str(where / f"{index:02}.png"), blots(index))
    return place


def fast(folder: Path, out: Path, plan: FastPlan = PLAN) -> FastTraining:
    return FastTraining(STYLE, PictureFolder(folder), out, plan, THIN, {"style": "dots"})


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training of four steps leaves."""
    out = tmp_path_factory.mktemp("trained") / "run"
    fast(folder, out).run()
    return out


def weights_in(folder: Path) -> list[np.ndarray]:
    return list(load_network(folder / "style.keras").get_weights())


def test_a_training_leaves_the_network_the_curves_and_what_was_set(trained: Path) -> None:
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    assert record["kind"] == "fast" and record["steps"] == 4
    assert FastPlan(**{**record["plan"], "rate_falls": ()}) == PLAN
    first, last = record["curves"][0], record["curves"][-1]
    assert first["steps"] == 0 and last["steps"] == 4
    assert {"content", "style", "variation", "noise", "held style"} <= set(last)
    for name in ("curves.png", "pictures.png"):
        assert cv2.imread(str(trained / name)) is not None
    about = load_network(trained / "style.keras").about
    assert about["style"] == "dots" and about["held"]["style"] == last["held style"]


@pytest.mark.slow
def test_a_training_that_was_broken_off_comes_to_the_same(
    trained: Path, folder: Path, tmp_path: Path
) -> None:
    fast(folder, tmp_path / "run", replace(PLAN, steps=2)).run()
    again = FastTraining.resume(tmp_path / "run", steps=4)
    record = again.run()
    assert [row["steps"] for row in record["curves"]] == [0, 2, 4]
    for whole, parts in zip(weights_in(trained), weights_in(tmp_path / "run")):
        np.testing.assert_allclose(parts, whole, atol=1e-5)


@pytest.mark.slow
def test_ctrl_c_leaves_a_training_that_can_go_on(folder: Path, tmp_path: Path) -> None:
    def stop(progress: Any) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    training = fast(folder, tmp_path / "run", replace(PLAN, every=0.0))
    with pytest.raises(KeyboardInterrupt):
        training.run(stop)
    assert load_network(tmp_path / "run" / "style.keras").about["steps"] == 2
    assert fast(folder, tmp_path / "run").run()["steps"] == 4


def test_other_settings_do_not_go_on_in_the_same_folder(trained: Path, folder: Path) -> None:
    before = (trained / "style.keras").read_bytes()
    with pytest.raises(OutputExistsError, match="other settings"):
        fast(folder, trained, replace(PLAN, rate=0.5)).run()
    assert (trained / "style.keras").read_bytes() == before


def test_a_folder_without_a_training_cannot_go_on(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(MissingFileError, match="does not hold a training"):
        FastTraining.resume(tmp_path)
    with pytest.raises(UsageError, match="vst train fast --resume"):
        TemporalTraining.resume(trained)


def test_progress_tells_how_many_steps_are_left(folder: Path, tmp_path: Path) -> None:
    events: list[Any] = []
    fast(folder, tmp_path / "run").run(events.append)
    assert [event.done for event in events] == [0, 1, 2, 3, 4]
    assert [event.total for event in events[1:]] == [4, 4, 4, 4]


def test_without_weight_there_is_no_noise_loss(folder: Path, tmp_path: Path) -> None:
    training = fast(folder, tmp_path / "run", replace(PLAN, noise_weight=0.0, steps=1))
    assert "noisy" not in training.batch(1)
    assert "held noise" not in training.run()["curves"][-1]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_learns_and_is_kept_in_full(
    folder: Path, tmp_path: Path, precision: str
) -> None:
    plan = replace(PLAN, precision=precision, steps=2)
    record = fast(folder, tmp_path / "run", plan).run()
    assert np.isfinite(record["curves"][-1]["held style"])
    network = load_network(tmp_path / "run" / "style.keras")
    assert {str(variable.dtype) for variable in network.variables} == {"float32"}


def test_batches_come_from_the_seed_and_the_step_alone(folder: Path, tmp_path: Path) -> None:
    one, same = (fast(folder, tmp_path).batch(7) for _ in range(2))
    other = fast(folder, tmp_path, replace(PLAN, seed=4)).batch(7)
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
    assert (one["content"] != other["content"]).any()


def test_validation_pictures_are_not_training_pictures(folder: Path) -> None:
    held, training = (set(x) for x in (PictureFolder(folder).held, PictureFolder(folder).training))
    assert (len(held), len(training), held & training) == (1, 11, set())


def test_a_single_picture_is_learnt_and_measured(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), blots(1))
    assert PictureFolder(tmp_path).held == PictureFolder(tmp_path).training


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no pictures"):
        PictureFolder(tmp_path)


def test_noise_is_on_so_many_pixels_and_no_stronger() -> None:
    picture = np.full((40, 50, 3), 128, np.uint8)
    noisy = add_noise(picture, np.random.default_rng(0), 100, 30)
    change = np.abs(noisy.astype(int) - 128)
    assert 80 < (change.max(2) > 0).sum() <= 100 and 25 < change.max() <= 30
    assert (add_noise(picture, np.random.default_rng(0), 0, 30) == picture).all()


def learner(kind: type, weights: dict[str, float], plan: plans.StylePlan | None = None) -> Any:
    """A learner whose network hands its pictures on unchanged; its judge knows nothing, or is that
    of a plan, with the style that is learnt at length.
    """
    from vst.nets.backbones import RANDOM, open_backbone
    from vst.research.training.learner import StyleTarget

    class Identity(FeedForward):
        def call(self, pictures: Any, normalise: Any = None) -> Any:
            return pictures

    backbone = open_backbone("embedded", None if plan else RANDOM)
    target = StyleTarget(backbone, LEARNT if plan else STYLE, plan.side + 4 if plan else 36)
    return kind(Identity(THIN), backbone, target, weights)


def test_a_network_that_changes_nothing_has_no_loss_of_content() -> None:
    weights = {"content": 1.0, "style": 1.0, "variation": 1.0, "noise": 0.0}
    batch = {"content": blots(0, 32, 32)[None], "shift": np.array([[1, 2]], np.int32)}
    found = learner(NoiseLearner, weights)
    values = found.compute_losses(batch, found(batch))
    assert float(values["content"]) == 0 and float(values["style"]) > 0
    picture = batch["content"][0] / 255
    steps = np.abs(np.diff(picture, axis=0)).sum() + np.abs(np.diff(picture, axis=1)).sum()
    assert float(values["variation"]) == pytest.approx(steps, rel=1e-4)


def moved(light: float = 0.0) -> dict[str, Any]:
    """A picture, and the same two pixels further to the right, brighter by ``light``."""
    wide = blots(2, 32, 40)
    now, later = wide[None, :, 4:36], wide[None, :, 2:34]
    flow = np.zeros((1, 32, 32, 2), np.float32)
    flow[..., 0] = 2
    mask = np.ones((1, 32, 32), bool)
    mask[:, :, -2:] = False
    later = np.rint(later * (1 - light)).astype(np.uint8)
    batch = {"now": now, "shift": np.zeros((1, 2), np.int32)}
    for name in ("next", "far"):
        batch |= {name: later, f"flow_{name}": flow, f"mask_{name}": mask}
    return batch


TEMPORAL = TemporalPlan().weights


def test_what_moves_with_the_flow_is_steady() -> None:
    found, batch = learner(TemporalLearner, TEMPORAL), moved()
    values = found.compute_losses(batch, found(batch))
    assert float(values["short"]) == pytest.approx(0, abs=1e-9)
    assert float(values["long"]) == pytest.approx(0, abs=1e-9)
    batch["mask_next"] = np.ones((1, 32, 32), bool)  # the edge was never seen
    assert float(found.compute_losses(batch, found(batch))["short"]) > 1e-4


@pytest.mark.parametrize("formula", ["filmed", "animated"])
def test_brightness_may_change_as_the_contents_does(formula: str) -> None:
    found, batch = learner(TemporalLearner, TEMPORAL), moved(light=0.3)
    for name in ("now", "next", "far"):  # grey: all channels change as the brightness
        batch[name] = batch[name].mean(3, keepdims=True).repeat(3, 3).astype(np.uint8)
    strict = float(found.compute_losses(batch, found(batch))["short"])
    found.formula = formula
    assert float(found.compute_losses(batch, found(batch))["short"]) < 1e-6 < 1e-3 < strict


def slide(count: int = 20) -> FilmScene:
    """A film that moves by two pixels from frame to frame."""
    wide = blots(5, 48, 48 + 2 * count)
    return FilmScene("slide", [wide[:, 2 * i : 2 * i + 48].copy() for i in range(count)])


@pytest.mark.slow
def test_a_temporal_training_leaves_the_same_and_goes_on(tmp_path: Path) -> None:
    plan = TemporalPlan(steps=2, side=32, batch=2)
    for index, picture in enumerate(slide().frames):
        (tmp_path / "film").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "film" / f"{index:03}.png"), picture)
    films = FilmSet.read([tmp_path / "film"], side=32)
    record = TemporalTraining(STYLE, films, tmp_path / "run", plan, THIN).run()
    assert {"short", "long", "held short", "held long"} <= set(record["curves"][-1])
    assert record["kind"] == "temporal"
    assert TemporalTraining.resume(tmp_path / "run", steps=3).run()["steps"] == 3


@pytest.mark.slow
def test_the_command_trains_and_goes_on(
    run: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.test_training_styles.COMPILED", [True])
    words = ["--pictures", folder, "--side", 32, "--width", 2, "--blocks", 1, "--json"]
    style = tmp_path / "style.png"
    cv2.imwrite(str(style), STYLE)
    out = tmp_path / "run"
    done = run("train", "fast", "--style", style, *words, "--steps", 2, "--out", out)
    assert done.code == 0, done.err
    assert json.loads(done.out)["steps"] == 2 and "train" in done.err
    done = run("train", "fast", "--resume", out, "--steps", 3)
    assert done.code == 0 and "3 steps" in done.out and str(out / "style.keras") in done.out
    painted = tmp_path / "painted.png"
    done = run("image", style, "--engine", "fast", "--model", out / "style.keras", "-o", painted)
    assert done.code == 0, done.err
    assert cv2.imread(str(painted)).shape == STYLE.shape


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fast", "--out", "x"], "--style"),
        (["fast", "--style", "@ink-wash", "--out", "x"], "--pictures"),
        (["fast", "--style", "@ink-wsh", "--pictures", ".", "--out", "x"], "ink-wash"),
        (["fast", "--style", "@burnt-sky", "--pictures", ".", "--out", "x"], "@ink-wash"),
        (["temporal", "--style", "@ink-wash", "--out", "x"], "--data"),
        (["temporal", "--style", "@ink-wash", "--data", ".", "--luminance", "on"], "luminance"),
        (["fast", "--resume", ".", "--side", "64"], "--side"),
        (["fast", "--resume", ".", "--steps", "3"], "does not hold a training"),
    ],
)
def test_wrong_train_commands_give_a_short_error_and_write_nothing(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("train", *words)
    assert done.code in (1, 2) and message in done.err
    assert len(done.err.strip().splitlines()) <= 4 and not (tmp_path / "x").exists()


# The network and its file


# What takes minutes

LEARNT = draw_pattern("stained-glass", 160, 120)
SMALL = FeedForwardPlan(width=8, blocks=2)


def style_loss_of(pictures: np.ndarray, plan: plans.StylePlan) -> float:
    """The style loss of pictures (N,H,W,3) as they are, as the trainings measure it."""
    found = learner(NoiseLearner, {**FastPlan().weights, "noise": 0.0}, plan)
    batches = [{"content": one[None], "shift": np.zeros((1, 2), np.int32)} for one in pictures]
    return float(np.mean([float(found.compute_losses(b, found(b))["style"]) for b in batches]))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_training_styles.COMPILED", [True])


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
def test_minutes_of_training_bring_the_style_loss_to_a_third_and_less(tmp_path: Path) -> None:
    """On landscapes that are drawn here: of the network before it learnt, and of the held-out
    pictures themselves.
    """
    from vst.samples import Landscape

    for seed in range(30):
        picture = Landscape(128, 96, seed=seed).frame(seed % 6)
        cv2.imwrite(str(tmp_path / f"{seed:02}.png"), picture[:, :, ::-1])
    plan = FastPlan(minutes=60, steps=150, side=64, rate=3e-3, every=1e6)
    pictures = PictureFolder(tmp_path)
    record = FastTraining(LEARNT, pictures, tmp_path / "run", plan, SMALL).run()
    first, last = (row["held style"] for row in record["curves"])
    unpainted = style_loss_of(pictures.middles(64), plan)
    print(f"style loss held out: {unpainted:.3g} unpainted, {first:.3g} at first, {last:.3g}")
    assert last <= first / 3 and last <= unpainted / 3


def warp_error(network: FeedForward, frames: list[np.ndarray]) -> float:
    """Of the painted frames, by the package's own measure."""
    from vst.metrics.warp import WarpError

    measure = WarpError()
    found = []
    for frame in frames:
        painted = 255 * np.asarray(network(frame[None].astype(np.float32) / 255))[0]
        found.append(measure.add(frame, np.rint(painted).astype(np.uint8)))
    return float(np.nanmean(found))


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
def test_the_losses_between_frames_make_it_steadier_at_the_same_style(tmp_path: Path) -> None:
    """Without them, and with them and as much more weight of the style as makes up for them: the
    style loss on held-out frames is the same within a tenth, the warp error there is lower.
    """
    from vst.samples import Landscape

    scene = Landscape(160, 96)
    frames = [scene.frame(index / 12) for index in range(48)]
    films = FilmSet([FilmScene("lake", frames)])
    plan = TemporalPlan(
        minutes=60, steps=400, side=64, optimizer="adam", rate=3e-3, rate_falls=(0.7,), every=1e6
    )
    off = replace(plan, short_weight=0.0, long_weight=0.0)
    ways = {"without": off, "with": replace(plan, style_weight=STEADY_STYLE * plan.style_weight)}
    style, flicker = {}, {}
    for name, way in ways.items():
        training = TemporalTraining(LEARNT, films, tmp_path / name, way, SMALL)
        style[name] = training.run()["curves"][-1]["held style"]
        flicker[name] = warp_error(load_network(tmp_path / name / "style.keras"), frames[-12:])
        print(f"{name}: style loss {style[name]:.4g}, warp error {flicker[name]:.4g}")
    assert style["with"] <= 1.1 * style["without"]
    assert flicker["with"] < flicker["without"]


STEADY_STYLE = 2.5
"""How much more the style must count beside the losses between frames."""
