"""Magenta's TFLite pair: equal to the bare interpreter, at any size, with either painter."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import hub_like
from vst.core.style_spaces import TFLITE_SPACE
from vst.engines.magenta import MagentaEngine
from vst.errors import AssetError

RNG = np.random.default_rng(1)
LITE = hub_like.shared() / "magenta"
needs_lite = pytest.mark.skipif(
    not (LITE / "style_predict_quantized_256.tflite").exists(),
    reason="Magenta's TFLite files are not in ../shared (or VST_SHARED)",
)


def pictures(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def bare(path: Path, *inputs: np.ndarray) -> np.ndarray:
    """What the interpreter itself makes of the inputs."""
    from vst.nets.lite_interpreter import open_interpreter

    lite = open_interpreter(path, 2, "")
    for end, value in zip(lite.get_input_details(), inputs):
        lite.resize_tensor_input(end["index"], value.shape)
    lite.allocate_tensors()
    for end, value in zip(lite.get_input_details(), inputs):
        lite.set_tensor(end["index"], value)
    lite.invoke()
    return np.array(lite.get_tensor(lite.get_output_details()[0]["index"]))


@needs_lite
def test_lite_embeddings_equal_the_bare_interpreters() -> None:
    with MagentaEngine(model=str(LITE)) as engine:
        assert (engine.space, engine.dim) == (TFLITE_SPACE, 100)
        for shape in ((300, 500, 3), (256, 256, 3), (40, 31, 3)):
            style = pictures(*shape)
            square = cv2.resize(style, (256, 256), interpolation=cv2.INTER_AREA)
            expected = bare(engine.model.files[0], square[None] / np.float32(255))
            np.testing.assert_allclose(engine.embed(style), expected.ravel(), atol=1e-5)
        frame, style = pictures(1, 64, 96, 3), engine.embed(style)
        expected = bare(engine.model.files[1], frame / np.float32(255), style.reshape(1, 1, 1, 100))
        assert np.abs(engine.stylize(frame, style[None]) - expected * 255).max() <= 0.51


@needs_lite
def test_the_dynamic_painter_is_preferred_and_subfolders_are_ignored(tmp_path: Path) -> None:
    with MagentaEngine(model=str(LITE)) as engine:  # its subfolder is a SavedModel
        assert engine.model.files[1].name == "style_transfer_quantized_dynamic.tflite"
        assert engine.model.fixed_size is None
    for name in ("predict_quantized_256", "transfer_f16_384", "transfer_quantized_384"):
        shutil.copy(LITE / f"style_{name}.tflite", tmp_path)
    with MagentaEngine(model=str(tmp_path)) as engine:
        assert engine.model.files[1].name == "style_transfer_f16_384.tflite"


@needs_lite
@pytest.mark.parametrize("kind", ["f16_384", "quantized_384"])
def test_a_painter_of_one_size_is_fed_by_resizing(kind: str) -> None:
    files = f"{LITE}/style_transfer_{kind}.tflite, {LITE}/style_predict_quantized_256.tflite"
    with MagentaEngine(model=files) as engine:
        assert engine.model.fixed_size == (384, 384)
        frames = pictures(2, 100, 150, 3)
        style = engine.embed(pictures(30, 30, 3))
        painted = engine.stylize(frames, np.stack([style, style]))
        assert painted.shape == frames.shape and painted.dtype == np.uint8
        square = pictures(1, 384, 384, 3)
        expected = bare(engine.model.files[1], square / np.float32(255), style.reshape(1, 1, 1, -1))
        assert np.abs(engine.stylize(square, style[None]) - expected * 255).max() <= 0.51


@needs_lite
def test_one_named_painter_takes_the_predictor_beside_it() -> None:
    with MagentaEngine(model=str(LITE / "style_transfer_quantized_384.tflite")) as engine:
        assert engine.model.files[1].name == "style_transfer_quantized_384.tflite"
        assert engine.model.files[0].name == "style_predict_quantized_256.tflite"


@needs_lite
def test_half_a_pair_is_named(tmp_path: Path) -> None:
    shutil.copy(LITE / "style_predict_quantized_256.tflite", tmp_path)
    with pytest.raises(AssetError, match="no painter"):
        MagentaEngine(model=str(tmp_path))


@needs_lite
def test_the_embedded_engine_takes_its_embeddings() -> None:
    from vst.engines.embedded import EmbeddedEngine

    with MagentaEngine(model=str(LITE)) as lite, EmbeddedEngine() as embedded:
        assert lite.space == embedded.space
        style = lite.embed(pictures(64, 64, 3))
        embedded.prepare({"lite": style})


@needs_lite
@pytest.mark.slow
def test_the_main_job_with_the_lite_pair(tmp_path: Path) -> None:
    import vst

    video = hub_like.shared() / "video"
    if not (video / "bikes.mp4").exists():
        pytest.skip("bikes.mp4 is not in ../shared/video (or VST_SHARED)")
    done = vst.stylize(
        video / "bikes.mp4", [str(video / "bigbuckbunny.mp4")], tmp_path / "out.mp4",
        engine="magenta", model=str(LITE), size=128, end=0.4,
    )  # fmt: skip
    assert (done["frames"], done["fps"], done["engine"]) == (10, "25/1", "magenta")
    assert len(done["keyframes"]) == 5
