"""What every engine promises, held to every engine of the table, by every way its model comes in.

To hold a new engine to it: nothing, if ``ENGINES[name]()`` works without a download; else a line in
`WAYS` that says how to open it.
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
from tests.networks import network_bytes
from vst.core.style_spaces import NETWORK_SPACE
from vst.engines import ENGINES
from vst.engines.base import EmbeddingEngine, Engine
from vst.errors import AssetError, DependencyError, EngineError, SpaceError, UnknownNameError
from vst.pipeline.parts import open_engine
from vst.schedule.timeline import NONE, Mix

Open = Callable[[Path], Engine]


def hub_like_model(folder: Path) -> Engine:
    hub_like.save(folder / "model")
    return ENGINES["magenta"](model=str(folder / "model"))  # type: ignore[no-any-return]


def lite_pair(folder: Path) -> Engine:
    pair = hub_like.shared() / "magenta"
    if not (pair / "style_predict_quantized_256.tflite").exists():
        pytest.skip("Magenta's TFLite files are not in ../shared (or VST_SHARED)")
    return ENGINES["magenta"](model=str(pair))  # type: ignore[no-any-return]


def lite_pair_of_one_size(folder: Path) -> Engine:
    pair = hub_like.shared() / "magenta"
    if not (pair / "style_transfer_f16_384.tflite").exists():
        pytest.skip("Magenta's TFLite files are not in ../shared (or VST_SHARED)")
    return ENGINES["magenta"](model=str(pair / "style_transfer_f16_384.tflite"))  # type: ignore[no-any-return]


def real_graph(folder: Path) -> Engine:
    graph = hub_like.shared() / "magenta" / "hub-graph"
    tool = hub_like.shared() / "tools" / "complete_hub_graph.py"
    if not graph.exists():
        pytest.skip("the graph of Magenta's hub model is not in ../shared (or VST_SHARED)")
    subprocess.run([sys.executable, str(tool), str(graph), str(folder / "hub")], check=True)
    return ENGINES["magenta"](model=str(folder / "hub"))  # type: ignore[no-any-return]


def plain(name: str) -> Open:
    def open_it(folder: Path) -> Engine:
        try:
            return ENGINES[name]()  # type: ignore[no-any-return]
        except (AssetError, DependencyError) as error:
            pytest.skip(f"engine {name} cannot be opened here: {error}")

    return open_it


def gatys(options: dict[str, object]) -> Open:
    """Few steps: what is held here does not depend on how good the picture is."""

    def open_it(folder: Path) -> Engine:
        return open_engine("gatys", options={"steps": 1, **options})

    return open_it


WAYS: dict[str, Open] = {name: plain(name) for name in ENGINES if name not in ("gatys", "magenta")}
WAYS |= {
    "gatys": gatys({}),
    "gatys, Adam from noise": gatys({"optimizer": "adam", "init": "noise"}),
    "magenta, hub-like": hub_like_model,
    "magenta, TFLite pair": lite_pair,
    "magenta, TFLite pair of one size": lite_pair_of_one_size,
}
PARAMETERS = [
    *(pytest.param(way, id=name) for name, way in WAYS.items()),
    pytest.param(real_graph, id="magenta, the real graph", marks=pytest.mark.slow),
]
RNG = np.random.default_rng(4)


def scene(count: int, height: int, width: int) -> np.ndarray:
    """Frames that look like something: a slope with a disc that moves."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    frames = []
    for i in range(count):
        disc = np.hypot(y - height / 2, x - width * (i + 1) / (count + 1)) < height / 4
        layers = [200 * x / max(1, width - 1), 150 * y / max(1, height - 1), 220 * disc]
        frames.append(np.stack(layers, -1))
    return np.stack(frames).astype(np.uint8)


def style_picture(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    """Blots of a few colours."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (5, 3))
    blots = rng.integers(0, 5, (max(1, height // 10), max(1, width // 10)))
    picture = np.kron(blots, np.ones((10, 10), int))
    picture = np.pad(picture, ((0, height), (0, width)), mode="wrap")[:height, :width]
    return colours[picture].astype(np.uint8)


@pytest.fixture(scope="module", params=PARAMETERS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Engine]:
    with request.param(tmp_path_factory.mktemp("engine")) as opened:
        yield opened


@pytest.fixture
def ready(engine: Engine) -> Engine:
    """With two styles, at the start of a scene."""
    engine.reset()
    networks = getattr(engine, "space", None) == NETWORK_SPACE
    style = network_bytes if networks else style_picture
    engine.prepare({"a": style(1), "b": style(2)})
    return engine


@pytest.fixture
def embedding_engine(engine: Engine) -> EmbeddingEngine:
    if not isinstance(engine, EmbeddingEngine):
        pytest.skip("this engine paints pictures, it has no embeddings")
    engine.reset()
    return engine


def half(strength: float = 1.0, blend: str = "embedding") -> Mix:
    return Mix({"a": 0.5, "b": 0.5}, blend, strength)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 33), (64, 64), (256, 256)])
def test_the_size_stays_and_bytes_come_back(ready: Engine, size: tuple[int, int]) -> None:
    frames = scene(2, *size)
    before = frames.copy()
    painted = ready.paint(frames, [Mix({"a": 1.0}), half()])
    assert painted.shape == frames.shape
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(frames, before)


def test_many_at_once_equal_one_by_one(ready: Engine) -> None:
    frames = scene(5, 33, 50)
    mixes = [Mix({"a": 1 - i / 4, "b": i / 4}) for i in range(5)]
    together = ready.paint(frames, mixes).astype(int)
    ready.reset()
    for i in range(5):
        alone = ready.paint(frames[i : i + 1], mixes[i : i + 1])[0]
        assert np.abs(together[i] - alone).max() <= 1


def test_the_same_again_is_the_same(ready: Engine) -> None:
    frames = scene(2, 40, 56)
    first = ready.paint(frames, [half(), half()])
    if ready.warmup == 0:  # one that looks back goes on from there
        np.testing.assert_array_equal(ready.paint(frames, [half(), half()]), first)
    ready.reset()
    np.testing.assert_array_equal(ready.paint(frames, [half(), half()]), first)


def test_sizes_may_change_between_calls(ready: Engine) -> None:
    small, large = scene(1, 32, 48), scene(1, 60, 36)
    first = ready.paint(small, [half()])
    assert ready.paint(large, [half()]).shape == large.shape
    ready.reset()
    np.testing.assert_array_equal(ready.paint(small, [half()]), first)


def test_styles_make_a_difference(ready: Engine) -> None:
    frames = scene(1, 64, 64)
    a, b = (ready.paint(frames, [Mix({name: 1.0})]).astype(int) for name in "ab")
    assert np.abs(a - b).mean() > 1


@pytest.mark.parametrize("blend", ["embedding", "slerp", "pixels"])
def test_every_blend_begins_and_ends_in_the_pure_styles(ready: Engine, blend: str) -> None:
    frames = scene(1, 40, 40)
    for name, other in (("a", "b"), ("b", "a")):
        ready.reset()
        pure = ready.paint(frames, [Mix({name: 1.0}, blend)]).astype(int)
        ready.reset()
        nearly = ready.paint(frames, [Mix({name: 0.9999, other: 0.0001}, blend)]).astype(int)
        # A painter with quantised layers jitters by a few levels here and there.
        assert np.abs(pure - nearly).mean() <= 1
    assert ready.paint(frames, [half(1.0, blend)]).shape == frames.shape


def test_strength_moves_without_a_jump(ready: Engine) -> None:
    frames = scene(1, 48, 48)
    steps = np.linspace(ready.fades_below, 1.0, 15)
    painted = [ready.paint(frames, [Mix({"a": 1.0}, strength=s)]).astype(float) for s in steps]
    way = [np.abs(after - before).mean() for before, after in pairwise(painted)]
    assert max(way) <= 2 + 0.35 * sum(way)
    assert ready.paint(frames, [Mix({"a": 1.0}, strength=0.0)]).shape == frames.shape


def test_the_content_itself_may_have_weight(ready: Engine) -> None:
    frames = scene(2, 24, 24)
    mixes = [Mix({"a": 0.4, NONE: 0.6}), Mix({NONE: 1.0})]
    assert ready.paint(frames, mixes).shape == frames.shape


def test_a_style_that_was_not_prepared_is_named(embedding_engine: EmbeddingEngine) -> None:
    embedding_engine.prepare({"a": style_picture(1)})
    with pytest.raises(EngineError, match="'c'"):
        embedding_engine.paint(scene(1, 16, 16), [Mix({"c": 1.0})])


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (256, 256), (500, 20)])
def test_a_style_of_any_size_is_embedded(
    embedding_engine: EmbeddingEngine, size: tuple[int, int]
) -> None:
    found = embedding_engine.embed(style_picture(3, *size))
    assert isinstance(found, np.ndarray)
    assert found.shape == (embedding_engine.dim,) and found.dtype == np.float32
    assert np.isfinite(found).all()


def test_the_space_has_a_name(embedding_engine: EmbeddingEngine) -> None:
    assert embedding_engine.space
    assert embedding_engine.dim > 0


def test_pictures_and_their_numbers_are_the_same_style(
    embedding_engine: EmbeddingEngine,
) -> None:
    picture, frames = style_picture(5), scene(1, 32, 32)
    embedding_engine.prepare({"a": picture})
    first = embedding_engine.paint(frames, [Mix({"a": 1.0})])
    embedding_engine.prepare({"a": embedding_engine.embed(picture)})
    np.testing.assert_array_equal(embedding_engine.paint(frames, [Mix({"a": 1.0})]), first)


def test_numbers_of_another_length_are_refused(embedding_engine: EmbeddingEngine) -> None:
    numbers = np.zeros(embedding_engine.dim + 1, np.float32)
    with pytest.raises(SpaceError, match=embedding_engine.space):
        embedding_engine.prepare({"a": numbers})


def test_a_blend_that_is_not_in_the_table_is_refused(embedding_engine: EmbeddingEngine) -> None:
    embedding_engine.prepare({"a": style_picture(1), "b": style_picture(2)})
    with pytest.raises(UnknownNameError, match="blend 'linear'"):
        embedding_engine.paint(scene(1, 32, 32), [Mix({"a": 0.5, "b": 0.5}, blend="linear")])


def test_mixing_embeddings_is_mixing_styles(embedding_engine: EmbeddingEngine) -> None:
    styles = embedding_engine.prepare({"a": style_picture(1), "b": style_picture(2)})
    frames = scene(1, 32, 32)
    direct = embedding_engine.stylize(frames, (0.25 * styles["a"] + 0.75 * styles["b"])[None])
    mixed = embedding_engine.paint(frames, [Mix({"a": 0.25, "b": 0.75})])
    assert np.abs(direct.astype(int) - mixed).max() <= 2


def test_the_scenes_own_style_is_taken_once_and_forgotten(
    embedding_engine: EmbeddingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding_engine.prepare({"a": style_picture(1)})
    asked = []
    embed = embedding_engine.embed
    monkeypatch.setattr(embedding_engine, "embed", lambda image: (asked.append(1), embed(image))[1])
    for _ in range(3):
        embedding_engine.paint(scene(2, 20, 20), [Mix({"a": 1.0}, strength=0.5)] * 2)
    assert len(asked) == 1
    embedding_engine.reset()
    embedding_engine.paint(scene(1, 20, 20), [Mix({"a": 1.0}, strength=0.5)])
    assert len(asked) == 2


@pytest.mark.parametrize("way", [pytest.param(way, id=name) for name, way in WAYS.items()])
def test_closing_twice_is_closing_once(way: Open, tmp_path: Path) -> None:
    engine = way(tmp_path)
    engine.close()
    engine.close()
