"""Painting by optimization: what it reaches, what it remembers, and its options."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vst.core.types import Frame
from vst.engines import ENGINES
from vst.engines.gatys import MIN_GAIN, PATIENCE, GatysEngine, has_converged
from vst.engines.gatys_options import GatysOptions
from vst.engines.options import parse_engine_options
from vst.errors import EngineError, MissingFileError, SpaceError, UnknownNameError, UsageError
from vst.job import Job
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.samples import draw_pattern, draw_photo
from vst.schedule.timeline import NONE, Mix

WAVES, GLASS = draw_pattern("indigo-waves"), draw_pattern("stained-glass")
ALONE: dict[str, Any] = {"init": "content", "temporal_weight": 0.0, "long_term_weight": 0.0}


def opened(**options: Any) -> GatysEngine:
    engine = GatysEngine(options=GatysOptions(**options))
    engine.prepare({"waves": WAVES, "glass": GLASS})
    return engine


def photo(width: int = 96, height: int = 64) -> np.ndarray:
    return draw_photo(width, height)


def moving(count: int, width: int = 80, height: int = 64) -> np.ndarray:
    """A camera that moves over a picture, two pixels a frame."""
    wide = photo(width + 2 * count, height)
    return np.stack([wide[:, 2 * i : 2 * i + width] for i in range(count)])


def one(name: str = "waves") -> list[Mix]:
    return [Mix({name: 1.0})]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_loss_falls_to_a_fifth(optimizer: str) -> None:
    engine = opened(**ALONE, optimizer=optimizer, steps=100 if optimizer == "adam" else 10)
    engine.paint(photo(48, 48)[None], one())
    assert engine.last is not None and engine.last.cost * 5 <= engine.last.first
    assert set(engine.last.parts) == {"content", "style", "variation"}
    assert sum(engine.last.parts.values()) == pytest.approx(engine.last.cost)


@pytest.mark.slow
def test_noise_begins_elsewhere_and_is_the_same_noise_each_time() -> None:
    frame = photo(48, 40)[None]
    engine = opened(**{**ALONE, "init": "noise"}, steps=3, seed=1)
    first = engine.paint(frame, one())
    np.testing.assert_array_equal(engine.paint(frame, one()), first)
    other = opened(**{**ALONE, "init": "noise"}, steps=3, seed=2).paint(frame, one())
    assert np.abs(first.astype(int) - other).mean() > 10
    assert np.abs(first.astype(int) - frame).mean() > 20


@pytest.mark.slow
def test_vgg19_paints_with_its_own_layers() -> None:
    engine = GatysEngine(
        model="random",
        options=GatysOptions(
            backbone="vgg19", content_layers=("block5_conv2",), variation_weight=0.0, steps=2
        ),
    )
    engine.prepare({"waves": WAVES})
    engine.paint(photo(48, 32)[None], one())
    assert engine.last is not None and engine.last.cost < engine.last.first


def test_weights_of_layers_turn_layers_off() -> None:
    engine = opened(
        **ALONE, steps=2, style_layers=("stage0", "stage1"), style_layer_weights=(0.0, 0.0)
    )
    engine.paint(photo(40, 40)[None], one())
    assert engine.last is not None and engine.last.parts["style"] == 0
    with pytest.raises(UsageError, match="1 weights"):
        opened(**ALONE, style_layer_weights=(1.0,)).paint(photo(40, 40)[None], one())


@pytest.mark.slow
def test_a_mix_is_one_painting_between_the_styles() -> None:
    engine, frame = opened(**ALONE, steps=5), photo(48, 48)[None]
    waves, glass = (engine.paint(frame, one(name)).astype(int) for name in ("waves", "glass"))
    mixed = engine.paint(frame, [Mix({"waves": 0.5, "glass": 0.5})]).astype(int)
    faded = (waves + glass) / 2
    assert np.abs(mixed - faded).mean() > 3  # no cross-fade
    assert np.abs(mixed - waves).mean() > 3 and np.abs(mixed - glass).mean() > 3
    # The content's own share is faded in later, by the pipeline.
    bare = engine.paint(frame, [Mix({"waves": 0.5, NONE: 0.5})])
    np.testing.assert_array_equal(bare, waves)


def flicker(painted: np.ndarray) -> float:
    """Mean difference of each painting to the one before, moved along: two pixels to the left."""
    moved = np.abs(painted[1:, 8:-8, 8:-10].astype(int) - painted[:-1, 8:-8, 10:-8])
    return float(moved.mean())


@pytest.mark.slow
def test_with_the_temporal_loss_a_moving_scene_flickers_less() -> None:
    frames, mixes = moving(3), one() * 3
    alone = opened(**ALONE, steps=8).paint(frames, mixes)
    held = opened(steps=8).paint(frames, mixes)
    assert flicker(held) < 0.75 * flicker(alone)


@pytest.mark.slow
def test_a_cut_forgets_what_was_painted() -> None:
    engine, frames = opened(steps=4), moving(3, 40, 40)
    engine.paint(frames[:2], one() * 2)
    engine.reset()
    after_cut = engine.paint(frames[2:], one())
    np.testing.assert_array_equal(after_cut, opened(steps=4).paint(frames[2:], one()))


@pytest.mark.slow
def test_what_is_remembered_goes_over_the_end_of_a_chunk(tmp_path: Path) -> None:
    from vst.core.state_io import load_state, save_state

    frames, mixes = moving(7, 40, 40), one() * 7
    whole = opened(steps=1).paint(frames, mixes)
    first, second = opened(steps=1), opened(steps=1)
    first.paint(frames[:4], mixes[:4])
    save_state(tmp_path / "state.npz", first.state())
    second.restore(load_state(tmp_path / "state.npz"))
    np.testing.assert_array_equal(second.paint(frames[4:], mixes[4:]), whole[4:])
    assert len(second.state()["paintings"]) == 5  # no more, however long the scene


@pytest.mark.slow
def test_long_ago_and_luminance_are_in_the_cost() -> None:
    frames = np.repeat(photo(40, 40)[None], 6, 0)  # nothing moves: all of it was seen before
    engine = opened(steps=1, temporal_weight=0.0, long_term_weight=10.0)
    engine.paint(frames[:5], one() * 5)
    assert engine.last is not None and engine.last.parts["temporal"] == 0
    engine.paint(frames[5:6], one())
    assert engine.last.parts["temporal"] > 0
    brighter = np.clip(frames[0].astype(int) + 25, 0, 255).astype(np.uint8)
    pair = np.stack([frames[0], brighter])
    follows = [opened(steps=2, luminance=name).paint(pair, one() * 2) for name in ("off", "filmed")]
    assert np.abs(follows[0].astype(int) - follows[1])[1].max() > 0


@pytest.mark.slow
def test_the_last_painting_as_a_style_changes_the_next() -> None:
    frames = moving(2, 40, 40)
    plain = opened(**ALONE, steps=4).paint(frames, one() * 2)
    fed = opened(**ALONE, steps=4, previous_style=0.5).paint(frames, one() * 2)
    np.testing.assert_array_equal(plain[0], fed[0])
    assert np.abs(plain[1].astype(int) - fed[1]).max() > 0


def test_it_stops_when_nothing_is_gained() -> None:
    falling = [1 / (1 + step) for step in range(PATIENCE + 5)]
    still = [1.0] + [1.0 - MIN_GAIN / 2] * PATIENCE
    assert not has_converged(falling) and has_converged(still) and not has_converged(still[:-1])
    nothing = {"content_weight": 0.0, "style_weight": 0.0, "variation_weight": 0.0}
    engine = opened(**ALONE, **nothing, optimizer="adam", steps=90)
    engine.paint(photo(40, 40)[None], one())
    assert engine.last is not None and engine.last.steps == PATIENCE


def test_steps_are_kept_on_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "steps.png"
    engine = opened(**ALONE, steps=12, keep_steps=str(path))
    engine.paint(photo(40, 40)[None], one())
    assert [engine.kept[-1].number, len(engine.kept)] == [12, 10]
    assert cv2.imread(str(path)) is not None


def test_progress_tells_each_step() -> None:
    heard = []
    engine = GatysEngine(options=GatysOptions(**ALONE, steps=3), on_progress=heard.append)
    engine.prepare({"waves": WAVES})
    engine.paint(photo(40, 40)[None], one())
    assert [(p.stage, p.done, p.total) for p in heard] == [("optimize", i, 3) for i in range(4)]


@pytest.mark.slow
def test_figure_and_ground_are_remembered_apart() -> None:
    """Painted with a mask, the figure's past must not be taken for the background's."""
    from vst.masks.open import make_edge

    frames = moving(3, 48, 48)
    alpha = np.zeros((48, 48), np.uint8)
    alpha[12:36, 12:36] = 255
    mix = Mix({"waves": 1.0}, background=Mix({"glass": 1.0}))
    engine = opened(steps=1)
    painter = FramePainter(engine, 48, 48, make_edge("inpainted"))
    painted = []
    for frame in frames:
        batch = FrameBatch([Frame(len(painted), 0.0, frame)], [frame], [alpha])
        painted += painter.paint(batch, [mix])
    state = painter.state()
    figure, ground = state["engine"]["paintings"], state["ground"]["paintings"]
    assert len(figure) == len(ground) == 3
    assert np.abs(figure[-1].astype(int) - ground[-1]).mean() > 3
    again = FramePainter(opened(steps=1), 48, 48, make_edge("inpainted"))
    again.restore(state)
    assert again.state()["ground"]["paintings"][0] is ground[0]
    again.reset()
    assert again.state()["ground"] == {}


def test_wrong_values_are_one_clear_line() -> None:
    with pytest.raises(SpaceError, match="paints from pictures"):
        opened().prepare({"waves": np.zeros(100, np.float32)})
    with pytest.raises(
        EngineError, match=r"'fire' was not prepared. Prepared styles: waves, glass"
    ):
        opened(steps=1).paint(photo(40, 40)[None], one("fire"))
    with pytest.raises(EngineError, match="Lower the rate"):
        opened(steps=2, style_layer_weights=(3e38,) * 5).paint(photo(40, 40)[None], one())
    closed = opened()
    closed.close()
    with pytest.raises(EngineError, match="closed"):
        closed.paint(photo(40, 40)[None], one())
    with pytest.raises(MissingFileError, match="nowhere"):
        ENGINES["gatys"](model="nowhere.h5")


def test_options_of_an_engine_reach_the_job_and_come_back() -> None:
    pairs = (("steps", 20), ("style_layers", ("stage1",)), ("init", "previous"))
    job = Job("a.mp4", ("b.png",), "c.mp4", engine="gatys", engine_options=pairs)
    assert job.engine_options == (("steps", 20), ("style_layers", ("stage1",)))  # no defaults
    plain = json.loads(json.dumps(job.as_dict()))
    assert plain["steps"] == 20 and plain["style_layers"] == ["stage1"]
    from vst.checkpoint.fingerprint import restore_job

    assert restore_job(plain, ".", "c.mp4").engine_options == job.engine_options
    assert parse_engine_options("gatys", job.engine_options).steps == 20


@pytest.mark.parametrize(
    ("engine", "given", "message"),
    [
        ("embedded", {"steps": 3}, "engine 'gatys' has it"),
        ("gatys", {"stepps": 3}, "Did you mean 'steps'"),
        ("gatys", {"steps": 0}, "1 to 100000"),
        ("gatys", {"steps": "many"}, "'many' is of the wrong type"),
        ("gatys", {"style_layers": "stage1"}, "Give a list"),
    ],
)
def test_impossible_options_raise_an_error_that_names_them(
    engine: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parse_engine_options(engine, given)


def test_the_earlier_spelling_of_an_option_is_accepted() -> None:
    job = Job("a.mp4", ("b.png",), "c.mp4", engine="gatys", engine_options=(("optimiser", "adam"),))
    assert job.engine_options == (("optimizer", "adam"),)
    assert parse_engine_options("gatys", {"optimiser": "adam"}).optimizer == "adam"


def test_the_error_for_an_unknown_backbone_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'vgg19'"):
        parse_engine_options("gatys", {"backbone": "vgg-19"})


def test_from_the_command_line(run: Callable[..., Any], tmp_path: Path) -> None:
    from vst.plotting import save_picture

    for name, picture in (("cat", photo(64, 48)), ("waves", WAVES)):
        save_picture(tmp_path / f"{name}.png", picture)
    words = ["image", tmp_path / "cat.png", "-s", tmp_path / "waves.png", "--engine", "gatys"]
    sheet = tmp_path / "steps.png"
    done = run(*words, "-o", tmp_path / "a.png", "--steps", 3, "--keep-steps", sheet)
    assert done.code == 0 and sheet.is_file() and (tmp_path / "a.png").is_file()
    again = run(*words, "-o", tmp_path / "b.png", "--steps", 3, "--keep-steps", sheet)
    assert again.code == 2 and "--overwrite" in again.err
    wrong = run(*words, "-o", tmp_path / "b.png", "--backbone", "vgg")
    assert wrong.code == 2 and "vgg16" in wrong.err


@pytest.mark.slow
def test_a_photograph_takes_on_the_style(shared: Path) -> None:
    """By Magenta's predictor, which had no part in it, at the default settings."""
    if not (shared / "magenta").is_dir() or not (shared / "training/content").is_dir():
        pytest.skip("Magenta's TFLite files and the photographs are not in ../shared")
    judge = ENGINES["magenta"](model=str(shared / "magenta"))
    photograph = cv2.imread(str(sorted((shared / "training/content").iterdir())[100]))
    frame = cv2.resize(photograph[:, :, ::-1], (256, 256), interpolation=cv2.INTER_AREA)
    engine = opened(**ALONE)
    wanted = judge.embed(GLASS)
    painted = engine.paint(frame[None], one("glass"))[0]
    before, after = (float(np.linalg.norm(judge.embed(x) - wanted)) for x in (frame, painted))
    assert engine.last is not None and engine.last.cost * 5 <= engine.last.first
    assert after < before / 2
