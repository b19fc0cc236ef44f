"""The embedded engine on LiteRT alone: the same pictures in int8, and no TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from vst.cli.errors import describe_missing_package
from vst.core.data_folder import FAST, FINE, PAINTERS, WEIGHTS
from vst.engines import embedded
from vst.engines.embedded import EmbeddedEngine
from vst.engines.embedded_options import EmbeddedOptions
from vst.engines.lite_runtime import LiteRuntime
from vst.errors import AssetError, DependencyError, UsageError
from vst.job import Job
from vst.nets import lite_interpreter
from vst.nets.weight_files import INT8_PARTS, find_weights_file, read_index
from vst.samples import draw_photo
from vst.styles.library import get_style
from vst.video.sources import open_source

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # their import now fails
from vst.cli import main
main()
"""
needs_litert = pytest.mark.skipif(
    not lite_interpreter.is_litert_installed(), reason="needs ai-edge-litert"
)


def open_in_int8() -> EmbeddedEngine:
    return EmbeddedEngine(options=EmbeddedOptions("int8"))


@needs_litert
def test_a_film_is_painted_without_tensorflow(media: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    words = ["stylize", media / "clip.mp4", "-s", media / "film.mp4", "-s", "@ink-wash"]
    words += ["--keyframes", "2", "--size", "48", "-o", output, "--json"]
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 20
    with open_source(media / "clip.mp4") as source, open_source(output) as painted:
        pairs = list(zip(source.frames(), painted.frames()))
    assert min(np.abs(a.picture.astype(int) - b.picture).mean() for a, b in pairs) > 5


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it() -> None:
    missing = ModuleNotFoundError("No module named 'keras'", name="keras.saving")
    assert "pip install 'vst-video[tensorflow]'" in describe_missing_package(missing)
    assert not describe_missing_package(ModuleNotFoundError(name="vst.nothing"))


def test_int8_without_litert_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vst.engines.lite_runtime.is_litert_installed", lambda: False)
    with pytest.raises(DependencyError, match="pip install ai-edge-litert"):
        open_in_int8()


@needs_litert
def test_int8_is_the_default_except_beside_a_gpu_and_for_weights_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded, "NVIDIA_DRIVER", tmp_path / "missing")
    assert embedded.prefers_int8(WEIGHTS)
    (tmp_path / "weights.json").write_text('{"format": 1, "parts": {}}', encoding="utf-8")
    assert not embedded.prefers_int8(tmp_path)
    monkeypatch.setattr(embedded, "NVIDIA_DRIVER", tmp_path)
    assert not embedded.prefers_int8(WEIGHTS)


@needs_litert
@pytest.mark.parametrize("style", ["ink-wash", "blue-swirls"])
def test_int8_paints_as_float32_does(style: str) -> None:
    frame, numbers = draw_photo(240, 162)[None], get_style(style).embedding[None]
    with open_in_int8() as small, EmbeddedEngine(options=EmbeddedOptions("float32")) as exact:
        difference = small.stylize(frame, numbers).astype(float) - exact.stylize(frame, numbers)
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 38


@needs_litert
def test_int8_embeds_as_float32_does() -> None:
    photo = draw_photo(240, 162)
    with open_in_int8() as small, EmbeddedEngine(options=EmbeddedOptions("float32")) as exact:
        ours, theirs = small.embed(photo), exact.embed(photo)
    assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.9995


@needs_litert
def test_threads_that_paint_at_once_paint_alike() -> None:
    runtime = LiteRuntime(WEIGHTS)
    runtime.prepare_size(32, 48)
    frame, numbers = draw_photo(48, 32)[None], get_style("ink-wash").embedding[None]
    wanted = runtime.paint(frame, numbers)
    with ThreadPoolExecutor(4) as threads:
        for painted in threads.map(lambda _: runtime.paint(frame, numbers), range(100)):
            assert np.array_equal(painted, wanted)


@pytest.mark.parametrize(
    ("name", "part"), [(FAST, "painter"), (FAST, "predictor"), (FINE, "painter")]
)
def test_the_files_in_int8_were_made_from_the_weights(name: str, part: str) -> None:
    folder = PAINTERS[name]
    parts = read_index(folder)["parts"]
    made_from = parts[INT8_PARTS[part]]["made_from"]
    assert made_from == parts[part]["sha256"], "run tools/write_lite_files.py"
    assert made_from.encode() in find_weights_file(folder, INT8_PARTS[part]).read_bytes()


@needs_litert
def test_fine_paints_in_int8_what_it_paints_in_float32() -> None:
    frame, style = draw_photo(96, 64)[None], get_style("ink-wash").embedding[None]
    with (
        EmbeddedEngine(model=FINE) as small,
        EmbeddedEngine(model=FINE, options=EmbeddedOptions("float32")) as exact,
        EmbeddedEngine() as fast,
    ):
        ours, theirs, other = (one.stylize(frame, style) for one in (small, exact, fast))
    assert cv2.PSNR(ours, theirs) > 30
    assert cv2.PSNR(ours, other) < 30


def test_the_painters_embed_alike() -> None:
    photo = draw_photo(96, 64)
    with EmbeddedEngine(model=FINE) as fine, EmbeddedEngine(model=FAST) as fast:
        assert np.array_equal(fine.embed(photo), fast.embed(photo))


@needs_litert
def test_weights_without_files_in_int8_are_described(tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text('{"format": 1, "parts": {}}', encoding="utf-8")
    with pytest.raises(AssetError, match="another precision"):
        LiteRuntime(tmp_path)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="int8"):
        Job("a.mp4", ("@ink-wash",), "b.mp4", engine_options=(("precision", "int4"),))
