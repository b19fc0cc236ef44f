"""TFLite files of the networks: equal to TensorFlow in LiteRT, complete, and described.

tests/test_engines_contract.py runs the contract of the engines on the files.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.random_networks import write_network
from vst.engines.embedded import EmbeddedEngine
from vst.export.lite_files import open_lite_file, read_metadata
from vst.export.plan import ExportPlan
from vst.export.write import ExportedFile, export_networks
from vst.plotting import save_picture
from vst.samples import draw_pattern, draw_photo
from vst.styles.library import get_style

pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.slow  # TensorFlow's converter takes seconds for each file


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> ExportedFile:
    """The package's painter, with its predictor beside it."""
    return export_networks("tflite", ExportPlan(), tmp_path_factory.mktemp("lite"))[0]


def test_the_programs_of_the_document_paint_alike(
    painter: ExportedFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    page = Path(__file__).parent.parent / "docs" / "export.md"
    programs = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(programs) == 2
    (tmp_path / "files").symlink_to(painter.path.parent)
    export_networks("onnx", ExportPlan(), painter.path.parent, overwrite=True)
    save_picture(tmp_path / "content.jpg", draw_photo(103, 66))
    save_picture(tmp_path / "style.jpg", draw_pattern("blue-swirls", 90))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    pictures = []
    for program in programs:
        exec(program, names)
        pictures.append(cv2.imread("painted.png").astype(int))
    assert pictures[0].shape == (64, 100, 3)
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert pictures[0].std() > 10


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> ExportedFile:
    """A thin trained network, of one size."""
    folder = tmp_path_factory.mktemp("lite")
    plan = ExportPlan((64, 48), model=write_network(folder / "style.keras", 1))
    return export_networks("tflite", plan, folder)[0]


def test_a_trained_network_computes_what_tensorflow_computes(network: ExportedFile) -> None:
    assert network.path.name == "network.tflite"
    assert network.likeness is not None and network.likeness >= 80


def test_a_file_says_what_it_takes_and_gives(network: ExportedFile) -> None:
    texts = read_metadata(network.path.read_bytes())
    assert (texts["kind"], texts["precision"]) == ("network", "float32")
    assert texts["tensor frames"] == "RGB, 0 to 1"
    assert "style" in texts and len(texts["weights"]) == 64


def test_the_file_holds_the_weights_and_reads_no_variables(network: ExportedFile) -> None:
    from ai_edge_litert.interpreter import Interpreter

    kinds = {part["op_name"] for part in Interpreter(str(network.path))._get_ops_details()}
    assert not {kind for kind in kinds if "VAR" in kind}
    assert "CONV_2D" in kinds or "DELEGATE" in kinds


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_a_trained_network_of_any_size_computes_what_tensorflow_computes(
    tmp_path: Path, upsampling: str, precision: str
) -> None:
    model = write_network(tmp_path / "style.keras", 2, upsampling=upsampling)
    plan = ExportPlan(precision=precision, model=model)
    (file,) = export_networks("tflite", plan, tmp_path)
    assert file.likeness is not None and file.likeness >= 45


def test_the_painter_computes_what_tensorflow_computes(painter: ExportedFile) -> None:
    assert painter.likeness is not None and painter.likeness >= 90


@pytest.mark.parametrize("levels", [0, 1, 4, 7])
def test_a_frame_with_little_contrast_fades_as_in_the_engine(
    painter: ExportedFile, levels: int
) -> None:
    frame = np.full((1, 32, 48, 3), 9, np.uint8)
    frame[:, 8:20, 12:30] += np.uint8(levels)
    numbers = get_style("ink-wash").embedding[None]
    with EmbeddedEngine() as engine:
        wanted = engine.stylize(frame, numbers).astype(int)
    run_file = open_lite_file(painter.path)
    painted = 255 * run_file({"frames": frame / np.float32(255), "styles": numbers})
    # The engine may compute in bfloat16, which shows most where little contrast is amplified.
    assert np.abs(painted - wanted).mean() < 4
    if levels <= 1:
        assert np.abs(painted - wanted).max() <= 1
