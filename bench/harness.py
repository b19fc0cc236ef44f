"""Shared code of the speed measurements: clips with motion and sound, a description of the machine,
alternating runs, Magenta's TFLite painter in a bare loop.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import psutil

from vst.core.threads import count_cores
from vst.samples import draw_pattern, write_content
from vst.video.sources import open_source

ROOT = Path(__file__).parent.parent
RATE = 25
STYLE = "blue-swirls"
SIZES = ((256, 256), (512, 512), (1280, 720))
PAINTER_FILE = "style_transfer_quantized_dynamic.tflite"
PACKAGES = ("tensorflow", "keras", "opencv-python-headless", "av", "moviepy", "numpy")


def format_size(size: Sequence[int]) -> str:
    """Format a size as the tables do."""
    return f"{size[0]} × {size[1]}"


def draw_clip(folder: Path, width: int, height: int, frames: int) -> Path:
    """Draw a clip with motion and sound, unless it exists."""
    path = folder / f"content-{width}x{height}-{frames}.mp4"
    if not path.exists():
        write_content(path, width=width, height=height, rate=RATE, duration=frames / RATE)
    return path


def read_frames(path: Path, count: int) -> list[np.ndarray]:
    """The first frames of a clip, RGB."""
    found = []
    with open_source(path) as source:
        for frame in source.frames():
            found.append(frame.picture)
            if len(found) == count:
                break
    return found


def embed_style(engine: Any) -> np.ndarray:
    """The embedding that all measurements use, (1, 100)."""
    return engine.embed(draw_pattern(STYLE, 512, 512))[None]


def time_call(work: Callable[[], Any]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run_in_turn(rounds: int, *works: Callable[[], float]) -> list[list[float]]:
    """Call the given functions in turn, round by round, so that other load affects all of them;
    return their results. The order is reversed each time.
    """
    results: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        order = list(range(len(works)))
        for index in order if number % 2 == 0 else reversed(order):
            results[index].append(works[index]())
    return results


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the rounds' quotients."""
    return median(a / b for a, b in zip(over, under))


def time_lite_loop(folder: Path, frames: list[np.ndarray], threads: int = 2) -> Callable[[], float]:
    """Seconds per frame of Magenta's dynamic TFLite painter over frames in memory, with the style
    already embedded.
    """
    from vst.research.training.teacher import open_teacher_file

    painter = open_teacher_file(folder / PAINTER_FILE, threads)
    slots = {tuple(entry["shape"]): entry["index"] for entry in painter.get_input_details()}
    style = next(index for shape, index in slots.items() if shape[-1] == 100)
    content = next(index for shape, index in slots.items() if shape[-1] == 3)
    height, width = frames[0].shape[:2]
    painter.resize_tensor_input(content, (1, height, width, 3))
    painter.allocate_tensors()
    out = painter.get_output_details()[0]["index"]
    floats = [frame[None].astype(np.float32) / 255 for frame in frames]
    painter.set_tensor(style, np.zeros((1, 1, 1, 100), np.float32))

    def paint(frame: np.ndarray) -> None:
        painter.set_tensor(content, frame)
        painter.invoke()
        painter.get_tensor(out)

    paint(floats[0])

    def loop() -> float:
        return time_call(lambda: [paint(frame) for frame in floats]) / len(floats)

    return loop


def run_program(
    content: Path, output: Path, tree: Path = ROOT, options: Sequence[str] = ()
) -> dict[str, float]:
    """Run `vst stylize` (of the checkout ``tree``) in a separate process at the content's size,
    with further ``options``. Returns seconds per frame from the first frame read to the finished
    file, seconds of start-up, total CPU seconds, and peak memory (of all its processes, MB).
    """
    command = [
        *(sys.executable, str(tree / "cli.py"), "stylize", str(content), "-s", f"@{STYLE}"),
        *("-o", str(output), "--size", "native", "--crf", "20", "--overwrite", "--json"),
        *options,
    ]
    place = {**os.environ, "PYTHONPATH": str(tree)}
    used = children_cpu_seconds()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=place
    ) as process:
        most = 0.0
        while process.poll() is None:
            most = max(most, measure_process_memory(process.pid))
            time.sleep(0.1)
        output, error = process.communicate()
    if process.returncode:
        sys.exit(error.decode() or output.decode())
    report = json.loads(output)
    whole, frames = report["seconds"], report["frames"]
    return {
        "frame": whole / frames, "startup": report["startup"], "memory": most, "frames": frames,
        "processor": children_cpu_seconds() - used,
    }  # fmt: skip


def children_cpu_seconds() -> float:
    """CPU seconds of child processes that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def measure_process_memory(pid: int) -> float:
    """Memory of a process and its descendants, MB; 0 where it cannot be had.

    Pages that several of them share count once: a process that is just being started shares all of
    its parent's.
    """
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        return sum(one.memory_full_info().pss for one in family) / 1e6
    except (psutil.Error, AttributeError):  # systems but Linux do not say
        return 0.0


def describe_machine() -> dict[str, Any]:
    """Describe the machine, with its load before the measurements."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": describe_cpu(),
        "cores": count_cores(),
        "memory, GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
        **versions,
    }


def describe_cpu() -> str:
    """The CPU's name, with the short number formats that it supports."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    name = next((x.split(":")[1].strip() for x in text.splitlines() if "model name" in x), "")
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in text]
    return f"{name} ({', '.join(flags)})"


def format_machine(about: dict[str, Any]) -> str:
    """`describe_machine` as one line."""
    return ", ".join(f"{key} {value}" for key, value in about.items())


def format_target(value: float, asked: tuple[str, float] | None) -> str:
    """``value`` and its target, as two cells of a table."""
    if asked is None:
        return f"{value:.3g} | |"
    kind, limit = asked
    reached = value >= limit if kind == "≥" else value <= limit
    return f"{value:.3g} | {kind} {limit:g} {'reached' if reached else '**not reached**'} |"


def parse_sizes(text: str) -> list[tuple[int, int]]:
    """Parse sizes such as 256x256,1280x720."""
    pairs = [part.split("x") for part in text.split(",")]
    return [(int(width), int(height)) for width, height in pairs]


def count_multiply_adds(table: Mapping[str, Any], width: int, height: int) -> float:
    """Multiply-adds of the painter's convolutions for one frame: kernel values times the positions
    where each is applied.
    """
    total = 0.0
    for name, value in table.items():
        if len(value.shape) == 4:
            # `stem`, `fine` and `colour` work at half the resolution, all else at a quarter.
            scale = 2 if name in ("stem", "fine", "colour") else 4
            total += float(np.prod(value.shape)) * (width // scale) * (height // scale)
    return total


def write_json(path: Path | None, found: dict[str, Any]) -> None:
    """Write all figures, if a path is given."""
    if path is not None:
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
