"""The doctor finds each known fault, names the fix, and imports no TensorFlow."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vst import assets, doctor
from vst.cli.doctor import command
from vst.engines import ENGINES


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def findings(network: bool = False) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine(network).checks}


HUB = {"tensorflow_hub": "0.16.1"}


def without(monkeypatch: pytest.MonkeyPatch, *packages: str, **versions: str) -> None:
    """As if these packages were not installed, or in other versions."""
    real = doctor.version

    def version(name: str) -> str:
        if name in packages:
            raise doctor.PackageNotFoundError(name)
        return versions.get(name.replace("-", "_")) or real(name)

    monkeypatch.setattr(doctor, "version", version)


def test_every_finding_has_its_parts() -> None:
    found = findings()
    assert {"python", "tensorflow", "keras", "tf_keras", "opencv", "moviepy", "ffmpeg"} <= set(
        found
    )
    assert {"av", "pkg_resources", "cache lasts", "handle", "embedded weights"} <= set(found)
    assert {"tflite runtime", "gpu", "cache writable", "tensorflow-hub"} <= set(found)
    for check in found.values():
        assert check.detail and "\n" not in check.detail + check.remedy
        assert check.remedy or check.ok, check.name
    assert doctor.examine(False).ok


def test_nothing_of_tensorflow_hub_is_missed_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "tensorflow-hub", "tf-keras", "tf_keras")
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    for name in ("tensorflow-hub", "tf_keras", "pkg_resources"):
        assert findings()[name].ok and not findings()[name].remedy, name


def test_missing_pkg_resources_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.find_spec
    monkeypatch.setattr(
        doctor, "find_spec", lambda name: None if name == "pkg_resources" else real(name)
    )
    without(monkeypatch, setuptools="82.0.1", **HUB)
    check = findings()["pkg_resources"]
    assert not check.ok and "82.0.1" in check.detail and "setuptools<82" in check.remedy
    assert not check.needed and doctor.examine(False).ok


def test_missing_tf_keras_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "tf-keras", "tf_keras", **HUB)
    check = findings()["tf_keras"]
    assert not check.ok and "pip install tf-keras" in check.remedy


def test_tf_keras_of_another_tensorflow_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, tf_keras="2.16.0", tensorflow="2.21.0", **HUB)
    check = findings()["tf_keras"]
    assert not check.ok and "tf-keras==2.21.*" in check.remedy


def test_a_temporary_cache_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(Path(tempfile.gettempdir()) / "tfhub_modules"))
    check = findings()["cache lasts"]
    assert not check.ok and "TFHUB_CACHE_DIR" in check.remedy


def test_an_unwritable_cache_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(**where: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    check = findings()["cache writable"]
    assert not check.ok and "Permission denied" in check.detail


def test_a_handle_without_network_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_name(*args: Any, **others: Any) -> Any:
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    check = findings(network=True)["handle"]
    assert not check.ok and "no network" in check.detail
    assert "--from-folder" in check.remedy and "embedded" in check.remedy


def test_a_half_cache_is_found(own_cache: Path) -> None:
    folder = assets.find_model_folder(assets.MODELS["magenta"]).folder
    (folder / "variables").mkdir(parents=True)
    check = findings()["magenta model"]
    assert not check.ok and "saved_model.pb is missing" in check.detail
    assert check.remedy == "vst models pull magenta"


def test_damaged_weights_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(doctor.WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(doctor, "WEIGHTS", tmp_path / "weights")
    assert findings()["embedded weights"].ok
    part = next((tmp_path / "weights").glob("*.npz"))
    part.write_bytes(part.read_bytes()[:-1])
    check = findings()["embedded weights"]
    assert not check.ok and part.name in check.detail
    assert not doctor.examine(False).ok


def test_no_library_that_paints_ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, *doctor.TENSORFLOWS, "ai-edge-litert")
    done = CliRunner().invoke(command, ["--offline"])
    assert done.exit_code == 1
    assert "pip install 'vst-video[tensorflow]'" in done.output


def test_another_backend_of_keras_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert findings()["keras"].remedy == "unset KERAS_BACKEND"


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_the_moon() -> doctor.Check:
        raise RuntimeError("too far")

    monkeypatch.setattr(doctor, "CHECKS", (*doctor.CHECKS, check_the_moon))
    assert "too far" in findings()["the moon"].detail


def test_json_is_one_object() -> None:
    done = CliRunner().invoke(command, ["--json", "--offline"])
    found = json.loads(done.output)
    assert found["ok"] is True and done.exit_code == 0
    assert set(found["checks"][0]) == {"name", "ok", "detail", "remedy", "needed"}
    assert found["engines"]["embedded"] == "ready"


def test_it_imports_no_tensorflow() -> None:
    code = (
        "import sys; from vst.doctor import examine; examine(False); "
        "print(sorted({'tensorflow', 'keras', 'moviepy', 'tensorflow_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_engine_has_a_state() -> None:
    states = doctor.examine(False).engines
    assert {name.split(" ")[0] for name in states} == set(ENGINES)
    assert states["tint"] == states["fast"] == states["gatys"] == "ready"


def test_engines_that_run_on_keras_report_its_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "keras")
    states = doctor.examine(False).engines
    assert states["fast"] == states["gatys"] == "keras not installed"
    assert states["embedded --precision bfloat16"] == "keras not installed"
    assert states["tint"] == "ready"


def test_litert_alone_is_enough_to_paint(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, *doctor.TENSORFLOWS, "keras", ai_edge_litert="2.3.0")
    found = doctor.examine(False)
    assert found.ok and found.engines["embedded"] == "ready"


def test_tensorflow_alone_is_enough_to_paint(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "ai-edge-litert", tensorflow="2.21.0", keras="3.12.0")
    found = doctor.examine(False)
    assert found.ok and found.engines["embedded"] == "ready"
    without(monkeypatch, "ai-edge-litert", "keras")
    assert not doctor.examine(False).ok
