"""What the measurements of speed share: clips with motion and sound, the machine in words, runs in
turn, Magenta's TFLite painter in a bare loop.
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

from vst.core.threads import available
from vst.samples import draw_pattern, write_content
from vst.video.sources import open_source

ROOT = Path(__file__).parent.parent
RATE = 25
STYLE = "blue-swirls"
SIZES = ((256, 256), (512, 512), (1280, 720))
PAINTER_FILE = "style_transfer_quantized_dynamic.tflite"
PACKAGES = ("tensorflow", "keras", "opencv-python-headless", "av", "moviepy", "numpy")


def named(size: Sequence[int]) -> str:
    """A size as it is written in the tables."""
    return f"{size[0]} × {size[1]}"


def clip(folder: Path, width: int, height: int, frames: int) -> Path:
    """A drawn clip with motion and sound; drawn once."""
    path = folder / f"content-{width}x{height}-{frames}.mp4"
    if not path.exists():
        write_content(path, width=width, height=height, rate=RATE, duration=frames / RATE)
    return path


def frames_of(path: Path, count: int) -> list[np.ndarray]:
    """The first frames of a clip, RGB."""
    found = []
    with open_source(path) as source:
        for frame in source.frames():
            found.append(frame.picture)
            if len(found) == count:
                break
    return found


def style_numbers(engine: Any) -> np.ndarray:
    """The style that all measurements paint in, (1, 100)."""
    return engine.embed(draw_pattern(STYLE, 512, 512))[None]


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes, by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(rounds: int, *works: Callable[[], float]) -> list[list[float]]:
    """What each of the works says of itself, round by round; the works take turns, so that what
    else the machine does falls on all. The order is turned round each time.
    """
    told: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        order = list(range(len(works)))
        for index in order if number % 2 == 0 else reversed(order):
            told[index].append(works[index]())
    return told


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the rounds' quotients."""
    return median(a / b for a, b in zip(over, under))


def lite_loop(folder: Path, frames: list[np.ndarray], threads: int = 2) -> Callable[[], float]:
    """Magenta's dynamic TFLite painter over frames in memory that are numbers already: seconds a
    frame.
    """
    from vst.research.training.teacher import interpreter

    painter = interpreter(folder / PAINTER_FILE, threads)
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
        return seconds(lambda: [paint(frame) for frame in floats]) / len(floats)

    return loop


def whole_program(content: Path, output: Path, tree: Path = ROOT) -> dict[str, float]:
    """`vst stylize` (of the checkout ``tree``) in a process of its own, painted at the content's
    size: seconds a frame from the first frame read to the finished file, seconds of start-up, all
    seconds of the processor, and the greatest memory (resident set of all its processes, MB).
    """
    command = [
        *(sys.executable, str(tree / "cli.py"), "stylize", str(content), "-s", f"@{STYLE}"),
        *("-o", str(output), "--size", "native", "--crf", "20", "--overwrite", "--json"),
    ]
    place = {**os.environ, "PYTHONPATH": str(tree)}
    used = processor_of_children()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=place
    ) as process:
        most = 0.0
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(0.1)
        said, error = process.communicate()
    if process.returncode:
        sys.exit(error.decode() or said.decode())
    told = json.loads(said)
    whole, frames = told["seconds"], told["frames"]
    return {
        "frame": whole / frames, "startup": told["startup"], "memory": most, "frames": frames,
        "processor": processor_of_children() - used,
    }  # fmt: skip


def processor_of_children() -> float:
    """Seconds of the processor that processes have used which have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def resident(pid: int) -> float:
    """Memory of a process and all below it, MB; 0 where /proc does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        below = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(resident(child) for child in below)


def machine() -> dict[str, Any]:
    """The machine in words, with how busy it was before anything was measured."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": processor(),
        "cores": available(),
        "memory, GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
        **versions,
    }


def processor() -> str:
    """The processor's name, with the short number formats that it multiplies."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    name = next((x.split(":")[1].strip() for x in text.splitlines() if "model name" in x), "")
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in text]
    return f"{name} ({', '.join(flags)})"


def described(about: dict[str, Any]) -> str:
    """`machine` as one line."""
    return ", ".join(f"{key} {value}" for key, value in about.items())


def verdict(value: float, asked: tuple[str, float] | None) -> str:
    """``value`` beside what is asked, as two cells of a table."""
    if asked is None:
        return f"{value:.3g} | |"
    kind, limit = asked
    reached = value >= limit if kind == "≥" else value <= limit
    return f"{value:.3g} | {kind} {limit:g} {'reached' if reached else '**not reached**'} |"


def parsed_sizes(text: str) -> list[tuple[int, int]]:
    """Sizes such as 256x256,1280x720."""
    pairs = [part.split("x") for part in text.split(",")]
    return [(int(width), int(height)) for width, height in pairs]


def multiply_adds(table: Mapping[str, Any], width: int, height: int) -> float:
    """Multiply-adds of the painter's convolutions for one frame: kernel values times the places
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
    """All figures, where a path is given."""
    if path is not None:
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
