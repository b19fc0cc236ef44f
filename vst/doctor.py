"""Check the installation: what is installed, which engines work, and how to fix the rest.

The checks import nothing heavy: versions come from the packages' metadata, so that a broken
TensorFlow cannot break the doctor.
"""

from __future__ import annotations

import math
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vst import assets
from vst.core.data_folder import WEIGHTS
from vst.core.files import hash_file
from vst.errors import AssetError, VSTError

PROBE_SECONDS = 5.0
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly")
"""Packages that contain TensorFlow."""
INSTALL_TENSORFLOW = "pip install 'vst-video[tensorflow]'"

ENGINE_CHECKS: dict[str, tuple[str, ...]] = {
    "embedded": ("painting library", "embedded weights"),
    "embedded --precision bfloat16": ("tensorflow", "keras", "embedded weights"),
    "fast": ("tensorflow", "keras"),
    "gatys": ("tensorflow", "keras", "embedded weights"),
    "magenta": ("tensorflow", "magenta model"),
    "magenta --model magenta-lite": ("tflite runtime", "magenta-lite model"),
    "tint": (),
}
"""Engine -> the checks that it needs, with its default model."""


@dataclass(frozen=True)
class Check:
    """One finding. ``needed``: `vst` cannot paint while this is not ``ok``; any other finding only
    limits what can be used. ``remedy`` is empty if nothing needs fixing.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Examination:
    """All findings. ``ok``: every needed check has passed."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks if check.needed)

    @property
    def engines(self) -> dict[str, str]:
        """Return engine -> "ready", or what it lacks."""
        found = {check.name: check for check in self.checks}
        return {
            name: ", ".join(
                f"{part} {found[part].detail.partition(';')[0]}"
                for part in parts
                if not found[part].ok
            )
            or "ready"
            for name, parts in ENGINE_CHECKS.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """Return what `vst doctor --json` prints."""
        checks = [asdict(check) for check in self.checks]
        return {"ok": self.ok, "engines": self.engines, "checks": checks}


def examine(network: bool = True) -> Examination:
    """Run every check; with ``network`` False, none that connects to a server."""
    checks = [_safely(check) for check in CHECKS]
    checks += [_safely(partial(check_model, model)) for model in assets.MODELS.values()]
    checks.append(_safely(partial(check_handle, network)))
    return Examination(tuple(checks))


def _safely(check: Callable[[], Check]) -> Check:
    """Run a check; a check that raises is itself a finding."""
    try:
        return check()
    except Exception as error:  # a broken check must not hide the others
        name = (
            getattr(getattr(check, "func", check), "__name__", "check")
            .removeprefix("check_")
            .replace("_", " ")
        )
        return Check(name, False, f"the check failed: {error}", "report it, with this line")


def find_installed(*names: str) -> tuple[str, str] | None:
    """Return name and version of the first of these packages that is installed."""
    for name in names:
        try:
            return name, version(name)
        except PackageNotFoundError:
            continue
    return None


def check_python() -> Check:
    """The Python version."""
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    ok = sys.version_info >= (3, 10)
    return Check("python", ok, detail, "" if ok else "use Python 3.10 or newer", needed=True)


def check_painting_library() -> Check:
    """What runs the embedded model: LiteRT, or else TensorFlow with Keras."""
    found = find_installed("ai-edge-litert")
    if found is not None:
        return Check("painting library", True, " ".join(found), needed=True)
    name = "painting library"
    if all(check.ok for check in (check_tensorflow(), check_keras())):
        detail = f"{' '.join(find_installed(*TENSORFLOWS) or ())}; ai-edge-litert is faster"
        return Check(name, True, detail, needed=True)
    detail = "neither ai-edge-litert nor TensorFlow with Keras is installed"
    return Check(name, False, detail, f"pip install ai-edge-litert, or {INSTALL_TENSORFLOW}", True)


def check_tensorflow() -> Check:
    """TensorFlow under any of its names."""
    found = find_installed(*TENSORFLOWS)
    if found is None:
        text = "not installed; engines magenta, gatys and fast, training and export need it"
        return Check("tensorflow", False, text, INSTALL_TENSORFLOW)
    return Check("tensorflow", True, " ".join(found))


def check_keras() -> Check:
    """Keras 3, which the networks are written in, and the backend it will run under."""
    found = find_installed("keras")
    if found is None or int(found[1].split(".")[0]) < 3:
        detail = f"{found[1]} is too old" if found else "not installed"
        return Check("keras", False, detail, INSTALL_TENSORFLOW)
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        text = f"{found[1]}, but KERAS_BACKEND is {backend!r}"
        return Check("keras", False, text, "unset KERAS_BACKEND")
    return Check("keras", True, found[1])


def check_opencv() -> Check:
    """OpenCV: exactly one of its packages, importable without a display."""
    names = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless",
             "opencv-contrib-python")  # fmt: skip
    there = [found for found in map(find_installed, names) if found]
    remedy = "pip install opencv-python-headless"
    if not there:
        return Check("opencv", False, "not installed", remedy, needed=True)
    detail = ", ".join(" ".join(found) for found in there)
    try:
        import cv2  # noqa: F401
    except ImportError as error:  # version 4 needs the libraries of a display
        remedy = f"pip uninstall -y {' '.join(name for name, _ in there)} && {remedy}"
        return Check("opencv", False, f"{detail} cannot be imported: {error}", remedy, needed=True)
    if len(there) > 1:
        remedy = f"pip uninstall -y {' '.join(name for name, _ in there)} && {remedy}"
        return Check("opencv", False, f"{detail} overwrite each other", remedy)
    return Check("opencv", True, detail, needed=True)


def check_moviepy() -> Check:
    """MoviePy 2, which writes the video."""
    found = find_installed("moviepy")
    ok = found is not None and found[1].startswith("2.")
    detail = found[1] if found else "not installed"
    return Check("moviepy", ok, detail, "" if ok else "pip install 'moviepy>=2,<3'", needed=True)


def check_ffmpeg() -> Check:
    """The ffmpeg program that MoviePy calls."""
    named = os.environ.get("FFMPEG_BINARY") or os.environ.get("IMAGEIO_FFMPEG_EXE")
    if named and named not in ("ffmpeg-imageio", "auto-detect"):
        path = shutil.which(named)
        remedy = "" if path else "unset FFMPEG_BINARY and IMAGEIO_FFMPEG_EXE, or name a program"
        return Check("ffmpeg", bool(path), path or f"{named} is not a program", remedy, needed=True)
    spec = find_spec("imageio_ffmpeg")
    places = spec.submodule_search_locations if spec else None
    carried = [p for place in places or () for p in Path(place).glob("binaries/ffmpeg-*")]
    path = str(carried[0]) if carried else shutil.which("ffmpeg")
    remedy = "" if path else "pip install imageio-ffmpeg"
    return Check("ffmpeg", bool(path), path or "not found", remedy, needed=True)


def check_av() -> Check:
    """PyAV, which reads the videos."""
    found = find_installed("av")
    detail = found[1] if found else "not installed"
    return Check("av", found is not None, detail, "" if found else "pip install av", needed=True)


def check_tensorflow_hub() -> Check:
    """tensorflow-hub, needed only for handles that are not web addresses (gs://…)."""
    found = find_installed("tensorflow-hub")
    absent = "not installed; only handles such as gs://… need it"
    return Check("tensorflow-hub", True, found[1] if found else absent)


def check_pkg_resources() -> Check:
    """pkg_resources, which tensorflow-hub imports and setuptools removed in version 82."""
    if find_installed("tensorflow-hub") is None:
        return Check("pkg_resources", True, "not needed without tensorflow-hub")
    if find_spec("pkg_resources") is not None:
        return Check("pkg_resources", True, "importable, for tensorflow-hub")
    found = find_installed("setuptools")
    why = f"gone with setuptools {found[1]}" if found else "setuptools is not installed"
    text = f"{why}; tensorflow-hub cannot be imported without it"
    return Check("pkg_resources", False, text, "pip install 'setuptools<82'")


def check_tf_keras() -> Check:
    """tf_keras, which tensorflow-hub needs beside Keras 3."""
    found = find_installed("tf-keras", "tf_keras")
    if find_installed("tensorflow-hub") is None:
        return Check("tf_keras", True, "not needed without tensorflow-hub")
    if found is None:
        text = "not installed; tensorflow-hub cannot be imported without it"
        return Check("tf_keras", False, text, "pip install tf-keras")
    tensorflow = find_installed("tensorflow", "tensorflow-cpu")
    if tensorflow and tensorflow[1].split(".")[:2] != found[1].split(".")[:2]:
        want = ".".join(tensorflow[1].split(".")[:2])
        text = f"{found[1]} does not fit TensorFlow {tensorflow[1]}"
        return Check("tf_keras", False, text, f"pip install 'tf-keras=={want}.*'")
    return Check("tf_keras", True, found[1])


def check_cache_lasts() -> Check:
    """Whether the model cache is permanent: TensorFlow Hub's default is a temporary folder."""
    folder = assets.get_cache_folder()
    temporary = Path(tempfile.gettempdir()).resolve()
    if temporary in [folder.resolve(), *folder.resolve().parents]:
        text = f"{folder} is a temporary folder: the system may delete the models"
        return Check("cache lasts", False, text, "name a permanent folder in TFHUB_CACHE_DIR")
    return Check("cache lasts", True, str(folder))


def check_cache_writable() -> Check:
    """Whether the cache can be written, and has space for the largest model."""
    folder = assets.get_cache_folder()
    base = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=base):
            pass
    except OSError as error:
        text = f"{base}: {error.strerror or error}"
        return Check("cache writable", False, text, "name a folder of yours in TFHUB_CACHE_DIR")
    free, wanted = shutil.disk_usage(base).free, 3 * assets.MODELS["magenta"].size
    if free < wanted:
        text = f"{free / 1e6:.0f} MB free in {base}; Magenta's model takes {wanted / 1e6:.0f} MB"
        return Check("cache writable", False, text, "free space, or name another TFHUB_CACHE_DIR")
    return Check("cache writable", True, f"{free / 1e9:.1f} GB free in {base}")


def check_embedded_weights() -> Check:
    """The weights in the package: complete, with the right hashes."""
    try:
        from vst.nets.weight_files import list_packaged_files

        files = list_packaged_files(WEIGHTS)
        for path, entry in files.items():
            if hash_file(path) != entry["sha256"]:
                raise ValueError(f"{path.name} is damaged")
    except (
        AssetError,
        ImportError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        text = f"{WEIGHTS}: {error}"
        return Check("embedded weights", False, text, "install vst again", needed=True)
    names = sorted({entry["part"] for entry in files.values()})
    size = sum(path.stat().st_size for path in files)
    text = f"{', '.join(names)}: {size / 1e6:.1f} MB, hashes correct"
    return Check("embedded weights", bool(files), text, needed=True)


def check_tflite_runtime() -> Check:
    """A runtime for .tflite files."""
    found = find_installed("ai-edge-litert")
    if found:
        return Check("tflite runtime", True, " ".join(found))
    tensorflow = find_installed("tensorflow", "tensorflow-cpu", "tensorflow-macos")
    spec = find_spec("tensorflow") if tensorflow else None
    places = spec.submodule_search_locations if spec else None
    if any((Path(place) / "lite" / "python" / "interpreter.py").exists() for place in places or ()):
        return Check("tflite runtime", True, f"the one in {' '.join(tensorflow or ())}")
    return Check("tflite runtime", False, "none", "pip install ai-edge-litert")


def check_gpu() -> Check:
    """Whether there is an NVIDIA GPU, and what TensorFlow needs to use it."""
    if not (shutil.which("nvidia-smi") or Path("/proc/driver/nvidia/version").exists()):
        return Check("gpu", True, "none found; everything runs on the CPU")
    if find_installed("nvidia-cudnn-cu12", "nvidia-cudnn-cu13") or os.environ.get("CUDA_HOME"):
        return Check("gpu", True, "NVIDIA driver and CUDA libraries found")
    text = "an NVIDIA driver, but no CUDA libraries for TensorFlow: it uses the CPU"
    return Check("gpu", False, text, "pip install 'tensorflow[and-cuda]'")


def check_model(model: assets.KnownModel) -> Check:
    """Whether a model is downloaded and complete."""
    name, place = f"{model.name} model", assets.find_model_folder(model)
    if place.is_complete:
        return Check(name, True, f"in {place.folder}")
    remedy = f"vst models pull {model.name}"
    if place.folder.exists():
        return Check(name, False, f"{place.folder} is incomplete: {place.problems[0]}", remedy)
    return Check(name, False, f"not downloaded ({math.ceil(model.size / 1e6)} MB)", remedy)


def check_handle(network: bool) -> Check:
    """Whether the default handle can be resolved: from the cache, or because its address answers.

    tfhub.dev redirects to Kaggle, and either may refuse.
    """
    model = assets.MODELS["magenta"]
    if assets.find_model_folder(model).is_complete:
        return Check("handle", True, f"{model.handle} is in the cache")
    if not network:
        return Check("handle", True, f"{model.handle} was not checked")
    try:
        assets.probe_url(model.archives[0], PROBE_SECONDS)
    except VSTError as error:
        remedy = (
            "use --engine embedded, which needs no download; or download the archive elsewhere "
            "and run `vst models pull magenta --from-folder FOLDER`"
        )
        return Check("handle", False, f"does not answer: {error}", remedy)
    return Check("handle", True, f"{model.handle} answers")


CHECKS: tuple[Callable[[], Check], ...] = (
    check_python,
    check_painting_library,
    check_tensorflow,
    check_keras,
    check_opencv,
    check_moviepy,
    check_ffmpeg,
    check_av,
    check_embedded_weights,
    check_tflite_runtime,
    check_gpu,
    check_tensorflow_hub,
    check_pkg_resources,
    check_tf_keras,
    check_cache_lasts,
    check_cache_writable,
)
"""Every check without an argument, in the order of the output."""
