"""Write the files of an export into a folder, each checked before it gets its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vst.core.files import atomic_write
from vst.core.packages import require_tensorflow
from vst.errors import DependencyError, OutputError, OutputExistsError
from vst.export.check import RunFile, check_likeness, measure_likeness
from vst.export.lite_files import convert_to_lite, open_lite_file
from vst.export.networks import LoadedNetwork, load_networks
from vst.export.onnx_files import convert_to_onnx, open_onnx_file
from vst.export.plan import ExportPlan


@dataclass(frozen=True)
class Format:
    """A kind of file: how a network is converted to its content, and how a file is run
    (``open_file`` takes its path and a number of threads, 0: all cores).
    """

    suffix: str
    convert: Callable[[LoadedNetwork, ExportPlan], bytes]
    open_file: Callable[..., RunFile]


FORMATS = {
    "onnx": Format(".onnx", convert_to_onnx, open_onnx_file),
    "tflite": Format(".tflite", convert_to_lite, open_lite_file),
}
"""Name of a format -> how it is written and run."""


@dataclass(frozen=True)
class ExportedFile:
    """A written file. ``likeness``: PSNR to TensorFlow in dB; None: it could not be checked, for
    the reason in ``unchecked``.
    """

    path: Path
    kind: str
    bytes: int
    likeness: float | None
    unchecked: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "path": str(self.path)}


def export_networks(
    format_name: str, plan: ExportPlan, folder: Path, *, overwrite: bool = False
) -> list[ExportedFile]:
    """Write the networks of ``plan`` into ``folder``, which is created if needed.

    Raises `OutputExistsError` for a file that exists, without ``overwrite``; `DependencyError`
    where a package that writes the format is not installed; `EngineError` where a file computes
    something else than TensorFlow. None of these leaves a part of a file.
    """
    require_tensorflow("vst export")
    chosen = FORMATS[format_name]
    paths = [folder / f"{kind}{chosen.suffix}" for kind in plan.kinds]
    check_outputs(paths, overwrite)
    networks = load_networks(plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise make_output_error(folder, error) from error
    return [write_network(chosen, network, plan, path) for network, path in zip(networks, paths)]


def check_outputs(paths: list[Path], overwrite: bool) -> None:
    """Raise if one of the outputs may not be written."""
    for path in paths:
        if path.exists() and not overwrite:
            raise OutputExistsError(
                f"{str(path)!r} is already there. Give another folder, or overwrite it "
                "(--overwrite)."
            )
        if path.parent.exists() and not path.parent.is_dir():
            raise OutputExistsError(f"{str(path.parent)!r} is a file. Give a folder.")


def write_network(
    chosen: Format, network: LoadedNetwork, plan: ExportPlan, path: Path
) -> ExportedFile:
    """Convert a network, check it against TensorFlow, and move it to ``path``."""
    content, likeness, unchecked = chosen.convert(network, plan), None, ""
    try:
        with atomic_write(path) as draft:
            draft.write_bytes(content)
            try:
                likeness = measure_likeness(network, plan, chosen.open_file(draft))
            except DependencyError as error:
                unchecked = str(error).replace(draft.name, path.name)
            else:
                check_likeness(path.name, plan.precision, likeness)
    except OSError as error:
        raise make_output_error(path, error) from error
    return ExportedFile(path, network.kind, len(content), likeness, unchecked)


def make_output_error(path: Path, error: OSError) -> OutputError:
    """Return the error for a file or folder that cannot be written."""
    return OutputError(
        f"cannot write {str(path)!r} ({error.strerror or error}). "
        "Free some space, or give another folder."
    )
