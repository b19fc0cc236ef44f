"""The package layers of `docs/architecture.md`: who may import whom, how large a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tools.draw_architecture import LAYERS, PARTS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vst"
PAGE = ROOT / "docs" / "architecture.md"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
LONGEST_FILE = 400
"""Lines."""

# From the bottom up, and within a layer from left to right.
ORDER = [package for _, packages in LAYERS for package in packages]


def package_of(module: Path) -> str:
    """The package under `vst` (or the module at its top) that a file belongs to."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(module: Path) -> str:
    """The dotted name of a file's module."""
    return ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_names(module: Path) -> Iterator[str]:
    """The dotted names that a file imports anywhere, inside functions too."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_packages(module: Path) -> set[str]:
    """The packages of `vst` that a file imports."""
    names = (name.split(".") for name in imported_names(module))
    return {parts[1] for parts in names if parts[0] == "vst" and parts[1] in ORDER}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_packages_below_or_left_of_its_own(module: Path) -> None:
    package = package_of(module)
    assert package in ORDER, f"{package} is not in LAYERS: add it"
    allowed = set(ORDER[: ORDER.index(package) + 1])
    if package in PARTS:
        allowed -= set(PARTS) - {package}
    assert imported_packages(module) <= allowed


def test_the_layers_name_every_package_once() -> None:
    present = {package_of(module) for module in MODULES}
    assert present == set(ORDER) and len(ORDER) == len(set(ORDER))


def test_the_page_lists_the_same_layers() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Packages")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \d+ (\w[\w ]*) \| `(\w+)(?:\.py)?/?` \|", table, re.MULTILINE)
    listed = [(layer, package) for layer, packages in LAYERS for package in packages]
    assert sorted(rows) == sorted(listed)


def import_graph() -> dict[str, set[str]]:
    """Module → the modules of `vst` that it imports when it is loaded."""
    names = {name_of(module): module for module in MODULES}
    graph = {}
    for name, module in names.items():
        found = set()
        for target in loaded_names(module):
            while target not in names and "." in target:
                target = target.rpartition(".")[0]
            if target in names and target != name:
                found.add(target)
        graph[name] = found
    return graph


def loaded_names(module: Path) -> Iterator[str]:
    """The dotted names that a file imports outside functions and `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = [ast.parse(module.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def test_no_modules_import_each_other_in_a_cycle() -> None:
    try:
        TopologicalSorter(import_graph()).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("folder", ["vst", "tests", "tools", "bench"])
def test_no_file_is_longer_than_400_lines(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("folder", ["vst", "tests", "tools", "bench"])
def test_every_text_file_is_read_and_written_with_a_named_encoding(folder: str) -> None:
    # Ruff's PLW1514 sees this only where it can infer that the object is a path.
    nameless = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and (call.func.attr, len(call.args)) in {("read_text", 0), ("write_text", 1)}
        and "encoding" not in {keyword.arg for keyword in call.keywords}
        and ast.unparse(call.func.value) != "formatter"  # Click's, which is not a file
    ]
    assert nameless == []


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
            calls = [
                n
                for n in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
                if isinstance(n, ast.Call)
            ]
            assert not any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls), (
                module
            )


def find_texts_without_encoding(module: Path) -> list[str]:
    """List where a file reads or writes text in whatever encoding the system prefers."""
    found = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and "encoding" not in {one.arg for one in node.keywords}:
            called, words = ast.unparse(node.func), [ast.unparse(one) for one in node.args]
            is_binary = any(re.fullmatch(r"'[rwax]\+?b\+?'", word) for word in words)
            is_text = called.endswith((".read_text", ".write_text")) or called == "open"
            if is_text and not is_binary and called != "formatter.write_text":  # click's
                found.append(f"{module.relative_to(ROOT)}:{node.lineno}: {called}")
    return found


def test_text_files_are_read_and_written_in_a_named_encoding() -> None:
    folders = ("vst", "bench", "tools", "deploy")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert not [line for module in modules for line in find_texts_without_encoding(module)]
