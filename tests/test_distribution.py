"""What the repository offers beside its code: container, workflows, tested versions, Space."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tools.check_container import read_instructions

ROOT = Path(__file__).parent.parent
WINDOWS = 'sys_platform == "win32"'


def test_the_container_ends_as_an_ordinary_user() -> None:
    for name in ("Dockerfile", ".devcontainer/Dockerfile"):
        users = [
            words
            for verb, words in read_instructions((ROOT / name).read_text(encoding="utf-8"))
            if verb == "USER"
        ]
        assert users[-1:] == ["1000"], name


def test_the_container_copies_files_that_exist_and_are_not_ignored() -> None:
    kept = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line[0] == "!"
    }
    for verb, words in read_instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        if verb == "COPY" and not words.startswith("--from"):
            for source in words.split()[:-1]:
                assert (ROOT / source).exists() and source in kept, source


def test_every_system_and_python_is_tested() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))[
        "jobs"
    ]
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert {one.partition("-")[0] for one in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.10", "3.11", "3.12", "3.13"]


def test_the_tested_versions_are_allowed_and_name_no_place() -> None:
    text = (ROOT / "packaging/constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    tested: dict[str, list[str]] = {}
    for line in text.splitlines():
        if found := re.match(r"([\w.-]+)==([^ ;]+)", line):
            tested.setdefault(found[1].lower(), []).append(found[2])
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            wanted = Requirement(line)
            versions = tested[wanted.name.lower()]
            assert versions and all(one in wanted.specifier for one in versions), line


def test_the_version_to_cite_is_the_packages() -> None:
    from vst import __version__

    assert (
        yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
        == __version__
    )


def read_project() -> dict[str, Any]:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"  # pytest brings tomli
    project = pytest.importorskip(name).loads(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )["project"]
    return dict(project)


def read_requirements(lines: Iterable[str]) -> set[tuple[str, str, str]]:
    """Name, versions and marker of each requirement."""
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {(one.name.lower(), str(one.specifier), str(one.marker or "")) for one in wanted}


def test_requirements_are_what_the_distribution_needs_and_tensorflow() -> None:
    project = read_project()
    needed = read_requirements(project["dependencies"])
    tensorflow = read_requirements(project["optional-dependencies"]["tensorflow"])
    # Where LiteRT has no wheels, TensorFlow is needed.
    on_windows = {(name, versions, WINDOWS) for name, versions, _ in tensorflow}
    listed = read_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    assert {name for name, _, _ in tensorflow} == {"tensorflow", "keras"}
    assert {one for one in needed if one[2] == WINDOWS} == on_windows
    assert needed - on_windows | tensorflow == listed


def test_tensorflow_without_gpu_kernels_has_the_versions_of_tensorflow() -> None:
    extras = read_project()["optional-dependencies"]
    small = [line.replace("tensorflow-cpu", "tensorflow") for line in extras["tensorflow-cpu"]]
    assert small == extras["tensorflow"]
