"""The contract of the engines, checked for every engine and every form of its model.

A new engine is covered without a change here if ``ENGINES[name]()`` works without a download;
otherwise add a function that opens it to `OPENERS`. The engines compile for each size of a frame,
so all tests but those of sizes use one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import hub_like
from tests.exported import ExportedEngine
from tests.random_networks import network_bytes
from vst.core.style_spaces import NETWORK_SPACE
from vst.engines import ENGINES
from vst.engines.base import EmbeddingEngine, Engine
from vst.errors import AssetError, DependencyError, EngineError, SpaceError, UnknownNameError
from vst.pipeline.parts import open_engine
from vst.schedule.timeline import NONE, Mix

OpenEngine = Callable[[Path], Engine]


def open_hub_like_model(folder: Path) -> Engine:
    hub_like.save(folder / "model")
    return ENGINES["magenta"](model=str(folder / "model"))  # type: ignore[no-any-return]


def open_lite_pair(folder: Path) -> Engine:
    pair = hub_like.shared() / "magenta"
    if not (pair / "style_predict_quantized_256.tflite").exists():
        pytest.skip("Magenta's TFLite files are not in ../shared (or VST_SHARED)")
    return ENGINES["magenta"](model=str(pair))  # type: ignore[no-any-return]


def open_lite_pair_of_one_size(folder: Path) -> Engine:
    pair = hub_like.shared() / "magenta"
    if not (pair / "style_transfer_f16_384.tflite").exists():
        pytest.skip("Magenta's TFLite files are not in ../shared (or VST_SHARED)")
    return ENGINES["magenta"](model=str(pair / "style_transfer_f16_384.tflite"))  # type: ignore[no-any-return]


def open_real_graph(folder: Path) -> Engine:
    graph = hub_like.shared() / "magenta" / "hub-graph"
    tool = hub_like.shared() / "tools" / "complete_hub_graph.py"
    if not graph.exists():
        pytest.skip("the graph of Magenta's hub model is not in ../shared (or VST_SHARED)")
    subprocess.run([sys.executable, str(tool), str(graph), str(folder / "hub")], check=True)
    return ENGINES["magenta"](model=str(folder / "hub"))  # type: ignore[no-any-return]


def open_without_model(name: str) -> OpenEngine:
    def open_in(folder: Path) -> Engine:
        try:
            return ENGINES[name]()  # type: ignore[no-any-return]
        except (AssetError, DependencyError) as error:
            pytest.skip(f"engine {name} cannot be opened here: {error}")

    return open_in


def open_gatys(options: dict[str, object]) -> OpenEngine:
    """One step: the contract does not depend on the quality of the picture."""

    def open_in(folder: Path) -> Engine:
        return open_engine("gatys", options={"steps": 1, **options})

    return open_in


def open_exported(format_name: str, precision: str = "float32") -> OpenEngine:
    def open_in(folder: Path) -> Engine:
        pytest.importorskip("onnx" if format_name == "onnx" else "ai_edge_litert")
        return ExportedEngine(folder, format_name, precision)

    return open_in


def open_in_tensorflow(folder: Path) -> Engine:
    return open_engine("embedded", options={"precision": "float32"})


OPENERS: dict[str, OpenEngine] = {
    name: open_without_model(name) for name in ENGINES if name not in ("gatys", "magenta")
}
OPENERS |= {
    "embedded in TensorFlow": open_in_tensorflow,
    "gatys": open_gatys({}),
    "magenta, hub-like": open_hub_like_model,
    "magenta, TFLite pair": open_lite_pair,
    "magenta, TFLite pair of one size": open_lite_pair_of_one_size,
}
PARAMETERS = [
    *(  # gatys compiles anew for each size: the whole contract takes most of a minute
        pytest.param(open_one, id=name, marks=[pytest.mark.slow] if name == "gatys" else [])
        for name, open_one in OPENERS.items()
    ),
    pytest.param(
        open_gatys({"optimizer": "adam", "init": "noise"}),
        id="gatys, Adam from noise",
        marks=pytest.mark.slow,
    ),
    pytest.param(open_real_graph, id="magenta, the real graph", marks=pytest.mark.slow),
    *(
        pytest.param(open_exported(*form), id=f"exported, {' '.join(form)}", marks=pytest.mark.slow)
        for form in (("onnx",), ("tflite",), ("tflite", "float16"), ("tflite", "int8"))
    ),
]


def draw_scene(count: int, height: int = 40, width: int = 56) -> np.ndarray:
    """Frames (count, height, width, 3) of a color gradient with a moving disc."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    frames = []
    for i in range(count):
        disc = np.hypot(y - height / 2, x - width * (i + 1) / (count + 1)) < height / 4
        layers = [200 * x / max(1, width - 1), 150 * y / max(1, height - 1), 220 * disc]
        frames.append(np.stack(layers, -1))
    return np.stack(frames).astype(np.uint8)


def draw_style(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    """A picture (height, width, 3) of blots in five colors."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (5, 3))
    blots = rng.integers(0, 5, (max(1, height // 10), max(1, width // 10)))
    picture = np.kron(blots, np.ones((10, 10), int))
    picture = np.pad(picture, ((0, height), (0, width)), mode="wrap")[:height, :width]
    return colors[picture].astype(np.uint8)


def prepare_styles(engine: Engine) -> None:
    """Prepare the styles a and b: pictures, or networks where the engine paints with those."""
    make_style = network_bytes if getattr(engine, "space", None) == NETWORK_SPACE else draw_style
    engine.prepare({"a": make_style(1), "b": make_style(2)})


@pytest.fixture(scope="module", params=PARAMETERS)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Engine]:
    """One engine for all tests: opening, preparing and compiling take most of their time."""
    with request.param(tmp_path_factory.mktemp("engine")) as opened:
        prepare_styles(opened)
        yield opened


@pytest.fixture
def engine(prepared: Engine) -> Engine:
    """With styles a and b, at the start of a shot."""
    prepared.reset()
    return prepared


@pytest.fixture
def embedding_engine(engine: Engine) -> Iterator[EmbeddingEngine]:
    """Tests may prepare other styles; a and b are back after each."""
    if not isinstance(engine, EmbeddingEngine):
        pytest.skip("this engine has no embeddings")
    yield engine
    prepare_styles(engine)


def half(strength: float = 1.0, blend: str = "embedding") -> Mix:
    return Mix({"a": 0.5, "b": 0.5}, blend, strength)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 33), (96, 128)])
def test_the_painting_has_the_size_and_type_of_the_frames(
    engine: Engine, size: tuple[int, int]
) -> None:
    frames = draw_scene(2, *size)
    before = frames.copy()
    painted = engine.paint(frames, [Mix({"a": 1.0}), half()])
    assert painted.shape == frames.shape
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(frames, before)


def test_a_batch_equals_its_frames_one_by_one(engine: Engine) -> None:
    frames = draw_scene(5)
    mixes = [Mix({"a": 1 - i / 4, "b": i / 4}) for i in range(5)]
    together = engine.paint(frames, mixes).astype(int)
    engine.reset()
    for i in range(5):
        alone = engine.paint(frames[i : i + 1], mixes[i : i + 1])[0]
        assert np.abs(together[i] - alone).max() <= 1


def test_painting_again_gives_equal_bytes(engine: Engine) -> None:
    frames = draw_scene(2)
    first = engine.paint(frames, [half(), half()])
    if engine.warmup == 0:  # else it continues from the frames before
        np.testing.assert_array_equal(engine.paint(frames, [half(), half()]), first)
    engine.reset()
    np.testing.assert_array_equal(engine.paint(frames, [half(), half()]), first)


def test_sizes_may_change_between_calls(engine: Engine) -> None:
    small, large = draw_scene(1), draw_scene(1, 60, 36)
    first = engine.paint(small, [half()])
    assert engine.paint(large, [half()]).shape == large.shape
    engine.reset()
    np.testing.assert_array_equal(engine.paint(small, [half()]), first)


def test_two_styles_give_different_paintings(engine: Engine) -> None:
    frames = draw_scene(1)
    a, b = (engine.paint(frames, [Mix({name: 1.0})]).astype(int) for name in "ab")
    assert np.abs(a - b).mean() > 1


@pytest.mark.parametrize("blend", ["embedding", "slerp", "pixels"])
def test_every_blend_starts_and_ends_at_the_pure_styles(engine: Engine, blend: str) -> None:
    frames = draw_scene(1)
    for name, other in (("a", "b"), ("b", "a")):
        engine.reset()
        pure = engine.paint(frames, [Mix({name: 1.0}, blend)]).astype(int)
        engine.reset()
        nearly = engine.paint(frames, [Mix({name: 0.9999, other: 0.0001}, blend)]).astype(int)
        # A network with quantized layers differs by a few levels in single pixels.
        assert np.abs(pure - nearly).mean() <= 1
    assert engine.paint(frames, [half(1.0, blend)]).shape == frames.shape


def test_strength_changes_the_painting_gradually(engine: Engine) -> None:
    frames = draw_scene(1)
    steps = np.linspace(engine.fades_below, 1.0, 9)
    painted = [engine.paint(frames, [Mix({"a": 1.0}, strength=s)]).astype(float) for s in steps]
    changes = [np.abs(after - before).mean() for before, after in pairwise(painted)]
    assert max(changes) <= 2 + 0.35 * sum(changes)
    assert engine.paint(frames, [Mix({"a": 1.0}, strength=0.0)]).shape == frames.shape


def test_a_mix_may_contain_the_content_itself(engine: Engine) -> None:
    frames = draw_scene(2)
    mixes = [Mix({"a": 0.4, NONE: 0.6}), Mix({NONE: 1.0})]
    assert engine.paint(frames, mixes).shape == frames.shape


def test_the_error_for_an_unprepared_style_names_it(embedding_engine: EmbeddingEngine) -> None:
    embedding_engine.prepare({"a": draw_style(1)})
    with pytest.raises(EngineError, match="'c'"):
        embedding_engine.paint(draw_scene(1), [Mix({"c": 1.0})])


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (256, 256), (500, 20)])
def test_a_style_of_any_size_is_embedded(
    embedding_engine: EmbeddingEngine, size: tuple[int, int]
) -> None:
    found = embedding_engine.embed(draw_style(3, *size))
    assert isinstance(found, np.ndarray)
    assert found.shape == (embedding_engine.dim,) and found.dtype == np.float32
    assert np.isfinite(found).all()


def test_the_space_has_a_name_and_a_dimension(embedding_engine: EmbeddingEngine) -> None:
    assert embedding_engine.space
    assert embedding_engine.dim > 0


def test_a_picture_and_its_embedding_paint_alike(
    embedding_engine: EmbeddingEngine,
) -> None:
    picture, frames = draw_style(5), draw_scene(1)
    embedding_engine.prepare({"a": picture})
    first = embedding_engine.paint(frames, [Mix({"a": 1.0})])
    embedding_engine.prepare({"a": embedding_engine.embed(picture)})
    np.testing.assert_array_equal(embedding_engine.paint(frames, [Mix({"a": 1.0})]), first)


def test_an_embedding_of_a_wrong_length_is_refused(embedding_engine: EmbeddingEngine) -> None:
    numbers = np.zeros(embedding_engine.dim + 1, np.float32)
    with pytest.raises(SpaceError, match=embedding_engine.space):
        embedding_engine.prepare({"a": numbers})


def test_an_unknown_blend_is_refused(embedding_engine: EmbeddingEngine) -> None:
    embedding_engine.prepare({"a": draw_style(1), "b": draw_style(2)})
    with pytest.raises(UnknownNameError, match="blend 'linear'"):
        embedding_engine.paint(draw_scene(1), [Mix({"a": 0.5, "b": 0.5}, blend="linear")])


def test_a_mix_paints_with_the_weighted_mean_of_the_embeddings(
    embedding_engine: EmbeddingEngine,
) -> None:
    styles = embedding_engine.prepare({"a": draw_style(1), "b": draw_style(2)})
    frames = draw_scene(1)
    direct = embedding_engine.stylize(frames, (0.25 * styles["a"] + 0.75 * styles["b"])[None])
    mixed = embedding_engine.paint(frames, [Mix({"a": 0.25, "b": 0.75})])
    assert np.abs(direct.astype(int) - mixed).max() <= 2


def test_the_style_of_the_content_is_embedded_once_per_shot(
    embedding_engine: EmbeddingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding_engine.prepare({"a": draw_style(1)})
    asked = []
    embed = embedding_engine.embed
    monkeypatch.setattr(embedding_engine, "embed", lambda image: (asked.append(1), embed(image))[1])
    for _ in range(3):
        embedding_engine.paint(draw_scene(2), [Mix({"a": 1.0}, strength=0.5)] * 2)
    assert len(asked) == 1
    embedding_engine.reset()
    embedding_engine.paint(draw_scene(1), [Mix({"a": 1.0}, strength=0.5)])
    assert len(asked) == 2


@pytest.mark.parametrize("open_one", OPENERS.values(), ids=list(OPENERS))
def test_an_engine_may_be_closed_twice(open_one: OpenEngine, tmp_path: Path) -> None:
    engine = open_one(tmp_path)
    engine.close()
    engine.close()
