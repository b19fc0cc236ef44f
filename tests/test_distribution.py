"""What the repository offers beside its code: container, workflows, tested versions, Space."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from tools.check_container import read_instructions

ROOT = Path(__file__).parent.parent


def test_the_container_ends_as_an_ordinary_user() -> None:
    for name in ("Dockerfile", ".devcontainer/Dockerfile"):
        users = [
            words for verb, words in read_instructions((ROOT / name).read_text()) if verb == "USER"
        ]
        assert users[-1:] == ["1000"], name


def test_the_container_copies_files_that_exist_and_are_not_ignored() -> None:
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    for verb, words in read_instructions((ROOT / "Dockerfile").read_text()):
        if verb == "COPY" and not words.startswith("--from"):
            for source in words.split()[:-1]:
                assert (ROOT / source).exists() and source in kept, source


def test_every_system_and_python_is_tested() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert {one.partition("-")[0] for one in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.10", "3.11", "3.12", "3.13"]


def test_the_tested_versions_are_allowed_and_name_no_place() -> None:
    text = (ROOT / "packaging/constraints.txt").read_text()
    assert "://" not in text
    tested: dict[str, list[str]] = {}
    for line in text.splitlines():
        if found := re.match(r"([\w.-]+)==([^ ;]+)", line):
            tested.setdefault(found[1].lower(), []).append(found[2])
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            wanted = Requirement(line)
            versions = tested[wanted.name.lower()]
            assert versions and all(one in wanted.specifier for one in versions), line


def test_the_version_to_cite_is_the_packages() -> None:
    from vst import __version__

    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__
