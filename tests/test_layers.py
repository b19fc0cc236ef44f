"""The rule of the house: a module imports only from modules above it, and folders of parts never
import each other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vst"

# From the ground up. What stands in one group may not import the others of the group, unless it is
# one folder.
STOREYS = [
    {"errors", "spaces"},
    {"registry", "stages", "states", "locks", "limits", "cores", "paths"},
    {"easing", "frames", "options", "shown", "times"},
    {"blending", "colours"},
    {"fetch", "media", "timeline"},
    {"assets"},
    {"stylebook", "flow", "cuts", "draw", "space_map", "beats", "pace", "order"},
    {"nets", "losses"},
    {"sources", "keyframes", "engines", "stabilisers", "masks", "sinks", "metrics"},
    {"samples", "looks", "finish", "align", "effects", "masking"},
    {"score"},
    {"painting", "plan"},
    {"pipeline"},
    {"chunks"},
    {"chunked"},
    {"job"},
    {"arrange", "inputs", "memory"},
    {"work"},
    {"render"},
    {"resume"},
    {"report"},
    {"preview"},
    {"api"},
    {"notebook"},
    {"evaluate", "batch", "doctor", "training"},
    {"cluster", "study"},
    {"webapp"},
    {"commands"},
    {"__main__"},
]
HEIGHT = {name: height for height, names in enumerate(STOREYS) for name in names}


def room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(module: Path) -> set[str]:
    """The rooms of `vst` that a file imports anywhere, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "vst" and len(parts) > 1 and parts[1] in HEIGHT:
                found.add(parts[1])
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_below_it(module: Path) -> None:
    here = room(module)
    assert here in HEIGHT, f"{here} has no storey: add it to STOREYS"
    wrong = {name for name in imported_rooms(module) - {here} if HEIGHT[name] >= HEIGHT[here]}
    assert not wrong


HEAVY = ("tensorflow", "moviepy", "gradio", "ray", "keras")


@pytest.mark.parametrize(
    "command", ["import vst", "import vst.commands; vst.commands.cli(['--help'])"]
)
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
        if room(module) != "commands":
            calls = [n for n in ast.walk(ast.parse(module.read_text())) if isinstance(n, ast.Call)]
            assert not any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls), (
                module
            )
