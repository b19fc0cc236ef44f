"""Magenta's model in its forms: taken apart by structure, exact, and asked for styles only once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests import hub_like
from vst import assets
from vst.engines.magenta import MagentaEngine
from vst.errors import (
    AssetError,
    EngineError,
    MissingFileError,
    SpaceError,
    UsageError,
)
from vst.schedule.timeline import Timeline

RNG = np.random.default_rng(1)
LITE = hub_like.shared() / "magenta"
GRAPH = LITE / "hub-graph"
needs_lite = pytest.mark.skipif(
    not (LITE / "style_predict_quantized_256.tflite").exists(),
    reason="Magenta's TFLite files are not in ../shared (or VST_SHARED)",
)
needs_graph = pytest.mark.skipif(
    not (GRAPH / "saved_model.pb").exists(),
    reason="the graph of Magenta's hub model is not in ../shared (or VST_SHARED)",
)


def pictures(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def floats(*shape: int) -> np.ndarray:
    return RNG.random(shape, dtype=np.float32)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("hub-like") / "model"
    return folder, hub_like.save(folder)


@pytest.fixture(scope="module")
def engine(saved: tuple[Path, Any]) -> Iterator[MagentaEngine]:
    with MagentaEngine(model=str(saved[0])) as opened:
        assert isinstance(opened, MagentaEngine)
        yield opened


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (128, 96)])
def test_the_two_parts_equal_the_whole(engine: Any, saved: Any, size: tuple[int, int]) -> None:
    content, style = floats(2, *size, 3), floats(1, 256, 256, 3)
    whole = saved[1](content, style)[0].numpy()
    embedding = engine.model.embed_style(style)
    assert embedding.shape == (1, hub_like.DIM) and engine.dim == hub_like.DIM
    painted = engine.model.paint_content(content, np.repeat(embedding, 2, axis=0))
    np.testing.assert_allclose(painted, whole, atol=1e-5)
    assert whole.std() > 0.02


def test_the_whole_way_in_bytes(engine: Any, saved: Any) -> None:
    frame, style = pictures(64, 64, 3), pictures(300, 200, 3)
    square = cv2.resize(style, (256, 256), interpolation=cv2.INTER_AREA)
    whole = saved[1](frame[None] / np.float32(255), square[None] / np.float32(255))[0].numpy()
    painted = engine.stylize(frame[None], engine.embed(style)[None])
    assert np.abs(painted - whole * 255).max() <= 0.51


def test_a_signature_with_its_inputs_the_other_way_round(tmp_path: Path) -> None:
    model = hub_like.save(tmp_path / "m", seed=3, signature_only=True)
    content, style = floats(1, 32, 32, 3), floats(1, 256, 256, 3)
    with MagentaEngine(model=str(tmp_path / "m")) as engine:
        found = engine.model.embed_style(style)
        np.testing.assert_allclose(found, model.bottleneck(style).numpy()[:, 0, 0], atol=1e-5)
        whole = model(content, style)[0].numpy()
        np.testing.assert_allclose(engine.model.paint_content(content, found), whole, atol=1e-5)


def test_numbers_that_are_split_afterwards_are_found_whole(tmp_path: Path) -> None:
    model = hub_like.save(tmp_path / "m", halves=True)
    content, style = floats(1, 32, 32, 3), floats(1, 256, 256, 3)
    with MagentaEngine(model=str(tmp_path / "m")) as engine:
        assert engine.dim == hub_like.DIM
        found = engine.model.paint_content(content, engine.model.embed_style(style))
        np.testing.assert_allclose(found, model(content, style)[0].numpy(), atol=1e-5)


def styles_asked(engine: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a job of 50 frames and 5 styles runs the embedding part."""
    asked = []
    embed = engine.model._embed
    monkeypatch.setattr(engine.model, "_embed", lambda style: asked.append(1) or embed(style))
    names = [f"style {i}" for i in range(5)]
    engine.prepare({name: pictures(40, 30, 3) for name in names})
    line = Timeline.through(names, 2.0)
    for frame in range(50):
        engine.paint(pictures(1, 16, 16, 3), [line.at(frame / 25)])
    return len(asked)


def test_a_job_asks_for_each_style_once(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert styles_asked(engine, monkeypatch) == 5


def test_frames_of_many_sizes_are_one_trace(engine: Any) -> None:
    # The functions are traced once and for all: there is nothing left that could trace again.
    assert not hasattr(engine.model._paint, "python_function")
    numbers = engine.embed(pictures(20, 20, 3))[None]
    for side in range(16, 80, 3):
        assert engine.stylize(pictures(1, side, 90 - side, 3), numbers).shape[1] == side


def test_the_space_tells_two_trainings_apart(engine: Any, saved: Any, tmp_path: Path) -> None:
    shutil.copytree(saved[0], tmp_path / "same")
    hub_like.save(tmp_path / "other", seed=1)
    with MagentaEngine(model=str(tmp_path / "same")) as same:
        assert same.space == engine.space
    with MagentaEngine(model=str(tmp_path / "other")) as other:
        assert other.space != engine.space
        assert other.space.startswith(f"magenta-hub-{hub_like.DIM}-")
        assert other.dim == engine.dim


def test_embeddings_of_another_length_are_refused(engine: Any) -> None:
    with pytest.raises(SpaceError, match=f"{engine.space}"):
        engine.stylize(pictures(1, 16, 16, 3), np.zeros((1, 100), np.float32))
    with pytest.raises(SpaceError):
        engine.stylize(pictures(2, 16, 16, 3), np.zeros((1, hub_like.DIM), np.float32))


def test_numbers_that_are_not_finite_are_an_error(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not finite"):
        engine.stylize(pictures(1, 16, 16, 3), np.full((1, hub_like.DIM), np.nan, np.float32))
    hub_like.save(tmp_path / "m", damaged=True)
    with MagentaEngine(model=str(tmp_path / "m")) as damaged:
        style = damaged.embed(pictures(9, 9, 3))
        with pytest.raises(EngineError, match="not finite") as caught:
            damaged.stylize(pictures(1, 16, 16, 3), style[None])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("harm", ["pb", "cut data", "flipped data", "no data", "no index"])
def test_a_damaged_folder_is_one_clear_line(saved: Any, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "m"
    shutil.copytree(saved[0], folder)
    data = next((folder / "variables").glob("*.data-*"))
    content = data.read_bytes()
    if harm == "pb":
        (folder / "saved_model.pb").write_bytes(b"no graph at all")
    elif harm == "cut data":
        data.write_bytes(content[: len(content) // 2])
    elif harm == "flipped data":
        data.write_bytes(content[:2000] + bytes([content[2000] ^ 255]) + content[2001:])
    elif harm == "no data":
        data.unlink()
    else:
        (folder / "variables" / "variables.index").unlink()
    with pytest.raises(AssetError, match="models pull") as caught:
        MagentaEngine(model=str(folder))
    assert "\n" not in str(caught.value)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.double = tf.function(
        lambda x: 2 * x, input_signature=[tf.TensorSpec([None], tf.float32)], autograph=False
    )
    tf.saved_model.save(module, str(tmp_path / "m"))
    with pytest.raises(EngineError, match="content, style"):
        MagentaEngine(model=str(tmp_path / "m"))


def test_a_model_without_an_embedding_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None, None, None, 3], tf.float32)
    module.__call__ = None
    function = tf.function(lambda a, b: {"mean": (a + b) / 2}, autograph=False)
    signature = function.get_concrete_function(
        tf.TensorSpec(spec.shape, tf.float32, "a"), tf.TensorSpec(spec.shape, tf.float32, "b")
    )
    tf.saved_model.save(tf.Module(), str(tmp_path / "m"), signatures=signature)
    with pytest.raises(EngineError, match="no style embedding"):
        MagentaEngine(model=str(tmp_path / "m"))


@pytest.mark.parametrize("name", ["magneta", "no/such/folder", "a.tflite,b.tflite"])
def test_a_model_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(MissingFileError):
        MagentaEngine(model=name)


def test_folders_and_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"neither a SavedModel .* nor .tflite"):
        MagentaEngine(model=str(tmp_path))
    (tmp_path / "model.zip").write_bytes(b"zip")
    with pytest.raises(AssetError, match="from-folder"):
        MagentaEngine(model=str(tmp_path / "model.zip"))
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    with pytest.raises(AssetError, match="not a readable TFLite model"):
        MagentaEngine(model=str(tmp_path))


def test_threads_and_pictures_are_checked(engine: Any) -> None:
    with pytest.raises(UsageError, match="threads 0"):
        MagentaEngine(threads=0)
    with pytest.raises(UsageError, match="RGB uint8"):
        engine.embed(np.zeros((5, 5), np.uint8))


def test_a_broken_model_in_the_cache_is_fetched_again(
    saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks whole, but does not load: the handle is resolved anew."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    handle = "http://127.0.0.1:9/model/1"
    folder = tmp_path / "cache" / "by-handle"
    shutil.copytree(saved[0], folder)
    (folder / "saved_model.pb").write_bytes(b"spoilt")
    resolved = []

    def obtain(handle: str, on_progress: Any) -> Path:
        resolved.append(handle)
        if not folder.exists():
            shutil.copytree(saved[0], folder)
        return folder

    monkeypatch.setattr(assets, "obtain_handle", obtain)
    with MagentaEngine(model=handle) as engine:
        assert engine.dim == hub_like.DIM
    assert resolved == [handle, handle]


def test_a_folder_needs_no_tensorflow_hub(saved: Any) -> None:
    code = (
        "import sys; from vst.engines.magenta import MagentaEngine; "
        f"MagentaEngine(model={str(saved[0])!r}); print('tensorflow_hub' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


class ArchiveHandler(BaseHTTPRequestHandler):
    """Sends one archive for whatever is asked."""

    body = b""

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


def test_a_handle_from_the_server_to_the_painting(
    saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    archive = shutil.make_archive(str(tmp_path / "model"), "gztar", saved[0])
    monkeypatch.setattr(ArchiveHandler, "body", Path(archive).read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), ArchiveHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        handle = f"http://127.0.0.1:{server.server_address[1]}/magenta/1"
        with MagentaEngine(model=handle) as engine:
            frame = pictures(1, 20, 20, 3)
            assert engine.stylize(frame, engine.embed(frame[0])[None]).shape == frame.shape
        server.shutdown()
        thread.join()
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)  # as where pkg_resources is gone
    with MagentaEngine(model=handle) as engine:  # from the cache: nobody answers any more
        assert engine.dim == hub_like.DIM
    monkeypatch.undo()
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    hub = pytest.importorskip("tensorflow_hub")
    assert Path(hub.resolve(handle)) == assets.obtain_handle(handle)


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real graph with made-up values."""
    folder = tmp_path_factory.mktemp("hub") / "model"
    tool = hub_like.shared() / "tools" / "complete_hub_graph.py"
    subprocess.run([sys.executable, str(tool), str(GRAPH), str(folder)], check=True)
    return folder


@needs_graph
@pytest.mark.slow
def test_the_real_graph_is_split_exactly(complete: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    whole = tf.saved_model.load(str(complete))
    with MagentaEngine(model=str(complete)) as engine:
        assert engine.dim == 768
        for height, width in ((64, 64), (96, 160), (256, 256)):
            content, style = floats(1, height, width, 3), floats(1, 256, 256, 3)
            expected = whole(tf.constant(content), tf.constant(style))[0].numpy()
            found = engine.model.paint_content(content, engine.model.embed_style(style))
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert styles_asked(engine, monkeypatch) == 5
