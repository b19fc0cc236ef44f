"""The cores shared out, and who then works side by side."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.test_pipeline import make_parts, scene, without_mask
from vst.core.threads import (
    TENSORFLOW_SETTING,
    count_cores,
    limit_opencv_threads,
    limit_tensorflow_threads,
    share_cores,
)
from vst.core.types import Picture, Pictures
from vst.engines.embedded import EmbeddedEngine
from vst.engines.embedded_options import EmbeddedOptions
from vst.engines.tensorflow_runtime import TensorFlowRuntime, build_batch_operations
from vst.engines.tint import TintEngine
from vst.pipeline.loop import run_loop
from vst.pipeline.painter import FramePainter
from vst.pipeline.parts import PipelineParts
from vst.stabilizers.off import Off

BENCH = Path(__file__).parent.parent / "bench"
PATIENCE = 20.0


@pytest.mark.parametrize(("cores", "frames", "opencv"), [(1, 1, 1), (2, 2, 1), (8, 8, 4)])
def test_each_core_gets_a_frame_and_opencv_half_of_the_cores(
    cores: int, frames: int, opencv: int
) -> None:
    given = share_cores(cores)
    assert (given.frames, given.opencv) == (frames, opencv)


def test_without_a_number_all_cores_are_shared() -> None:
    assert share_cores().cores == count_cores() >= 1


def test_opencv_has_its_threads_back_afterwards() -> None:
    before = cv2.getNumThreads()
    with limit_opencv_threads(1):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before


def test_what_the_user_set_for_tensorflow_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TENSORFLOW_SETTING, "3")
    with limit_tensorflow_threads():
        assert os.environ[TENSORFLOW_SETTING] == "3"
    monkeypatch.delenv(TENSORFLOW_SETTING)
    with limit_tensorflow_threads():
        assert os.environ[TENSORFLOW_SETTING] == "1"
    assert TENSORFLOW_SETTING not in os.environ


def test_a_frame_is_painted_while_an_earlier_one_is_steadied() -> None:
    painting, steadying = threading.Event(), threading.Event()

    class Engine(TintEngine):
        calls = 0

        def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
            self.calls += 1
            if self.calls == 2:
                painting.set()
                assert steadying.wait(PATIENCE)
            return super().stylize(frames, embeddings)

    class Steady(Off):
        def step(self, content: Picture, painted: Picture) -> list[Picture]:
            steadying.set()
            assert painting.wait(PATIENCE)
            return super().step(content, painted)

    parts, sink = make_parts()
    engine = Engine()
    engine.prepare({name: np.zeros((2, 2, 3), np.uint8) for name in ("red", "blue")})
    both = PipelineParts(
        FramePainter(engine, parts.painter.width, parts.painter.height),
        parts.timeline,
        Steady(),
        sink,
    )
    assert run_loop(both, without_mask(scene(90, 4)), 4, lambda _: None).frames == 4


def test_what_a_stabilizer_raises_ends_the_run() -> None:
    class Broken(Off):
        def step(self, content: Picture, painted: Picture) -> list[Picture]:
            raise ArithmeticError("no flow")

    parts, _ = make_parts(stabilizer=Broken())
    threads = threading.active_count()
    with pytest.raises(ArithmeticError, match="no flow"):
        run_loop(parts, without_mask(scene(90, 40)), 40, lambda _: None)
    assert threading.active_count() == threads


def test_frames_side_by_side_are_painted_as_one_by_one() -> None:
    rng = np.random.default_rng(2)
    frames = rng.integers(0, 256, (5, 24, 40, 3), dtype=np.uint8)
    numbers = rng.normal(0, 0.3, (5, 100)).astype(np.float32)
    with EmbeddedEngine(threads=3) as engine:
        assert engine.batch == 3
        together = engine.stylize(frames, numbers)
        alone = [engine.stylize(frames[i : i + 1], numbers[i : i + 1])[0] for i in range(5)]
    assert (together == np.stack(alone)).all()
    assert not [t for t in threading.enumerate() if t.name.startswith("vst painting")]


def test_a_gpu_s_half_precision_gives_the_same_picture() -> None:
    """The operations that a GPU gets, run here: a batch of frames in float16 and in float32."""
    with EmbeddedEngine(options=EmbeddedOptions("float32")) as engine:
        runtime = engine.runtime
        assert isinstance(runtime, TensorFlowRuntime)
        tf: Any = runtime.tensorflow
        engine.prepare_size(32, 32)
        rng = np.random.default_rng(4)
        small = rng.random((2, 8, 8, 3)).astype(np.float32)
        numbers = tf.constant(rng.normal(0, 0.3, (2, 100)), tf.float32)
        frames = tf.cast(tf.image.resize(small, (32, 32)) * 255, tf.uint8)
        halves = []
        for kind in (tf.float16, tf.float32):
            kit, painter = build_batch_operations(tf, kind), runtime.painter
            styles = painter.styles(numbers)
            x = painter.trunk(painter.encode(frames, kit), styles, kit)
            halves.append(tf.sigmoid(tf.cast(painter.decode(x, styles, kit), tf.float32)).numpy())
    error = float(np.mean((halves[0] - halves[1]) ** 2))
    assert 10 * np.log10(1 / error) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("script", ["gpu.py", "runtimes.py"])
def test_the_measuring_scripts_run_where_there_is_no_gpu(script: str, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, str(BENCH / script), "--quick", "--json", str(found)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("|") > 20
    assert found.stat().st_size > 100
