"""The notebooks run from top to bottom in their folder, and are stored without outputs."""

from __future__ import annotations

import ast
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 16
"""Lines."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# Each starts a kernel and TensorFlow: `make test` runs the first, `make test-all` the others too.
each_run = pytest.mark.parametrize(
    "path",
    [NOTEBOOKS[0], *(pytest.param(path, marks=pytest.mark.slow) for path in NOTEBOOKS[1:])],
    ids=lambda path: path.stem,
)


def cells(path: Path) -> list[dict[str, Any]]:
    return [
        {**cell, "source": "".join(cell["source"])}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]


def test_notebooks_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:2]) for path in NOTEBOOKS]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 4


@each
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert code
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


@each
def test_cells_are_short_and_define_no_algorithm(path: Path) -> None:
    for cell in cells(path):
        source = cell["source"]
        assert len(source.splitlines()) <= LONGEST_CELL, source
        assert all(len(line) <= 100 for line in source.splitlines()), source
        if cell["cell_type"] == "code":
            found = {type(node) for node in ast.walk(ast.parse(source))}
            assert not found & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.While}, source


@each
def test_a_notebook_contains_no_absolute_path(path: Path) -> None:
    assert not re.search(r"/(?:home|work|tmp|Users)/|[A-Z]:\\\\", path.read_text(encoding="utf-8"))


@each
def test_the_names_that_a_notebook_imports_exist(path: Path) -> None:
    code = [cell["source"] for cell in cells(path) if cell["cell_type"] == "code"]
    for node in (node for source in code for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("vst"):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.filterwarnings("ignore")  # Jupyter's own warnings
@each_run
def test_a_notebook_runs_in_its_folder(path: Path) -> None:
    pytest.importorskip(
        "ipykernel", reason="running notebooks needs ipykernel: pip install -e .[dev]"
    )
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install -e .[dev]")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install -e .[dev]")
    book = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(book, timeout=240, kernel_name="python3", resources=where).execute()
    shown = [
        kind
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind in output.get("data", {})
    ]
    assert shown.count("text/html") >= 4, "objects of vst display themselves"
