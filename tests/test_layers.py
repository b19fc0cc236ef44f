"""A module imports only from layers below its own, and packages of one layer never import each
other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vst"

# From the bottom up: a module imports only from layers below its own, or from its own package.
LAYERS = [
    {"errors", "core"},
    {"assets", "imaging"},
    {"video"},
    {"schedule"},
    {"nets", "plotting", "samples"},
    {"engines", "keyframes", "stabilizers", "masks", "metrics"},
    {"styles"},
    {"job"},
    {"checkpoint"},
    {"pipeline"},
    {"preview", "evaluation", "doctor"},
    {"api"},
    {"batch"},
    {"cluster", "research", "notebook"},
    {"web"},
    {"cli"},
    {"__main__"},
]
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}


def package_of(module: Path) -> str:
    """The package under `vst` (or the module at its top) that a file belongs to."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_packages(module: Path) -> set[str]:
    """The packages of `vst` that a file imports anywhere, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "vst" and len(parts) > 1 and parts[1] in LAYER:
                found.add(parts[1])
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_layers_below_its_own(module: Path) -> None:
    package = package_of(module)
    assert package in LAYER, f"{package} is not in LAYERS: add it"
    below = {"errors"} if package == "core" else set()
    wrong = {
        name
        for name in imported_packages(module) - {package} - below
        if LAYER[name] >= LAYER[package]
    }
    assert not wrong


HEAVY = ("tensorflow", "moviepy", "gradio", "ray", "keras")


@pytest.mark.parametrize("command", ["import vst", "import vst.cli; vst.cli.cli(['--help'])"])
def test_help_and_import_load_nothing_heavy(command: str) -> None:
    code = "\n".join(
        [
            "import sys",
            "try:",
            f"    {command}",
            "except SystemExit:",
            "    pass",
            f"print(sorted(set(sys.modules) & set({HEAVY})))",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_the_library_never_prints() -> None:
    for module in MODULES:
        if package_of(module) != "cli":
            calls = [n for n in ast.walk(ast.parse(module.read_text())) if isinstance(n, ast.Call)]
            assert not any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls), (
                module
            )
