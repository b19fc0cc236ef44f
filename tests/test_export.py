"""ONNX files of the networks: equal to TensorFlow, described, and never written wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import CommandResult
from tests.random_networks import write_network
from vst.core.style_spaces import TFLITE_SPACE
from vst.engines.embedded import EmbeddedEngine
from vst.errors import DependencyError, EngineError, OutputExistsError, UsageError
from vst.export.networks import LoadedNetwork
from vst.export.onnx_files import open_onnx_file
from vst.export.plan import ExportPlan, parse_size
from vst.export.write import ExportedFile, export_networks
from vst.styles.library import get_style

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

Run = Callable[..., CommandResult]
Files = dict[str, ExportedFile]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Kind -> the file of the package's painter or predictor in float32."""
    folder = tmp_path_factory.mktemp("export")
    return {file.kind: file for file in export_networks("onnx", ExportPlan(), folder)}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A thin network, as `vst train fast` would leave it."""
    return write_network(tmp_path / "style.keras", 1)


def test_the_written_files_compute_what_tensorflow_computes(files: Files) -> None:
    for kind in ("painter", "predictor"):
        likeness = files[kind].likeness
        assert likeness is not None and likeness >= 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "lowest", "megabytes"), [("float16", 80, (0.6, 4)), ("int8", 45, (0.45, 2.1))]
)
def test_smaller_files_compute_almost_the_same(
    tmp_path: Path, precision: str, lowest: float, megabytes: tuple[float, float]
) -> None:
    files = export_networks("onnx", ExportPlan(precision=precision), tmp_path)
    for file, most in zip(files, megabytes):
        assert file.likeness is not None and file.likeness >= lowest
        assert file.path.stat().st_size < 1e6 * most


@pytest.mark.parametrize(("upsampling", "size"), [("resize", None), ("transposed", (64, 48))])
def test_a_trained_network_computes_what_tensorflow_computes(
    tmp_path: Path, upsampling: str, size: tuple[int, int] | None
) -> None:
    model = write_network(tmp_path / "style.keras", 2, upsampling=upsampling)
    (file,) = export_networks("onnx", ExportPlan(size, model=model), tmp_path)
    assert file.path.name == "network.onnx"
    assert file.likeness is not None and file.likeness >= 90


@pytest.mark.parametrize("levels", [0, 1, 4, 7])
def test_a_frame_with_little_contrast_fades_as_in_the_engine(files: Files, levels: int) -> None:
    frame = np.full((1, 32, 48, 3), 9, np.uint8)
    frame[:, 8:20, 12:30] += np.uint8(levels)
    numbers = get_style("ink-wash").embedding[None]
    with EmbeddedEngine() as engine:
        wanted = engine.stylize(frame, numbers).astype(int)
    run_file = open_onnx_file(files["painter"].path)
    painted = 255 * run_file({"frames": frame / np.float32(255), "styles": numbers})
    # The engine may compute in bfloat16, which shows most where little contrast is amplified.
    assert np.abs(painted - wanted).mean() < 4
    if levels <= 1:
        assert np.abs(painted - wanted).max() <= 1


def test_a_file_says_what_it_takes_and_gives(files: Files) -> None:
    model = onnx.load(files["painter"].path)
    texts = {one.key: one.value for one in model.metadata_props}
    assert (texts["kind"], texts["space"]) == ("painter", TFLITE_SPACE)
    assert texts["tensor frames"].startswith("RGB, 0 to 1; height and width: multiples of 4")
    assert [one.name for one in model.graph.input] == ["frames", "styles"]
    assert [one.name for one in model.graph.output] == ["paintings"]


def test_a_file_of_one_size_says_so(network: Path, tmp_path: Path) -> None:
    (file,) = export_networks("onnx", ExportPlan((64, 48), model=network), tmp_path)
    (frames,) = onnx.load(file.path).graph.input
    assert [axis.dim_value for axis in frames.type.tensor_type.shape.dim] == [1, 48, 64, 3]


def test_a_file_that_computes_something_else_is_not_written(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = LoadedNetwork.compute
    monkeypatch.setattr(LoadedNetwork, "compute", lambda self, inputs: compute(self, inputs) + 0.02)
    with pytest.raises(EngineError, match=r"network\.onnx: its output has 3\d\.\d dB"):
        export_networks("onnx", ExportPlan(model=network), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_numbers_that_are_not_finite_are_not_written(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = LoadedNetwork.compute
    monkeypatch.setattr(
        LoadedNetwork, "compute", lambda self, inputs: compute(self, inputs) * np.nan
    )
    with pytest.raises(EngineError, match="has -inf dB"):
        export_networks("onnx", ExportPlan(model=network), tmp_path / "out")


def test_existing_files_are_kept(network: Path, tmp_path: Path) -> None:
    (tmp_path / "network.onnx").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        export_networks("onnx", ExportPlan(model=network), tmp_path)
    assert (tmp_path / "network.onnx").read_text(encoding="utf-8") == "mine"
    export_networks("onnx", ExportPlan(model=network), tmp_path, overwrite=True)
    assert onnx.load(tmp_path / "network.onnx").graph.node


def test_without_the_writing_package_the_error_says_how_to_install_it(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(DependencyError, match=r"pip install 'vst-video\[export\]'"):
        export_networks("onnx", ExportPlan(model=network), tmp_path)


def test_without_the_runtime_the_file_is_written_and_called_unchecked(
    run: Run, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    done = run("export", "onnx", tmp_path / "out", "--model", network)
    assert done.code == 0, done.err
    assert "not checked: checking network.onnx needs onnxruntime" in done.out
    assert (tmp_path / "out" / "network.onnx").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--size", "30x40"), "multiples of 4"),
        (("--size", "big"), "is not a width and a height"),
        (("--precision", "int4"), "int4"),
        (("--model", "nothing.keras"), "does not exist"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_loaded(
    run: Run, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    done = run("export", "onnx", tmp_path / "out", *words)
    assert done.code == 2
    assert expected in done.err
    assert not (tmp_path / "out").exists()


def test_the_command_lists_the_files_as_json(run: Run, network: Path, tmp_path: Path) -> None:
    done = run("export", "onnx", tmp_path / "out", "--model", network, "--json")
    (file,) = json.loads(done.out)["files"]
    assert file["path"] == str(tmp_path / "out" / "network.onnx")
    assert file["bytes"] == Path(file["path"]).stat().st_size


def test_a_size_is_width_times_height() -> None:
    assert parse_size("640x360") == (640, 360)
    with pytest.raises(UsageError):
        parse_size("640")
