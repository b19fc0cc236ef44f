"""Measures how many frames a second the page of `vst export web` paints, by backend.

    make browser
    python bench/browser_speed.py [--seconds 6] [--json FILE]

Opens the page in headless Chromium, from a plain web server on this machine, and plays the sample
picture with three styles: 256 x 256 and 640 x 360, WebAssembly in one thread and in two. The rates
are what a visitor sees, with pixels read, painted and shown; the CPU time is that of all processes
of the browser, and steadier on a machine that is not idle. All rows are measured in turn, in
several rounds, and the median of each is reported.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from harness import describe_machine, format_machine, write_json

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.site_page import Visitor, serve  # noqa: E402
from vst.export.site import export_site  # noqa: E402
from vst.plotting import save_picture  # noqa: E402
from vst.samples import draw_photo  # noqa: E402

SIZES = {"256 x 256": (256, 256, 256), "640 x 360": (640, 360, 360)}
"""Name -> width and height of the content, and the detail that the page is set to."""
BACKENDS = {
    "WebAssembly, one thread": "?backend=wasm&threads=1",
    "WebAssembly, two threads": "?backend=wasm&threads=2",
}


def sum_cpu_seconds() -> float:
    """CPU time of all processes below this one: the browser's, and a driver that does little."""
    spent = (process.cpu_times() for process in psutil.Process().children(recursive=True))
    return sum(times.user + times.system for times in spent)


def measure_rate(visitor: Visitor, seconds: float) -> tuple[float, float]:
    """Play for a while; return frames a second, and milliseconds of CPU time for each."""
    visitor.click("#play")
    visitor.wait(
        lambda: visitor.js("return document.getElementById('speed').dataset.rate"), "speed"
    )
    before, start, spent = visitor.painted(), time.perf_counter(), sum_cpu_seconds()
    time.sleep(seconds)
    frames, spent = visitor.painted() - before, sum_cpu_seconds() - spent
    rate = frames / (time.perf_counter() - start)
    visitor.click("#play")
    return rate, 1000 * spent / max(1, frames)


def measure_all(folder: Path, rounds: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Return backend and size -> the median rate and CPU time of a frame, over all rounds."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, (width, height, _) in SIZES.items():
        save_picture(folder / f"{name}.png", draw_photo(width, height))
    site = export_site(folder / "site").folder
    with serve(site) as address:
        visitor = Visitor(folder / "profile")
        try:
            visitor.arrive(address)
            for _ in range(rounds):
                for backend, words in BACKENDS.items():
                    visitor.arrive(address + words)
                    for name, (_, _, side) in SIZES.items():
                        visitor.set("#set-side", (128, 192, 256, 360, 480, 720).index(side))
                        visitor.take(folder / f"{name}.png")
                        row = f"{backend}, {name}"
                        found.setdefault(row, []).append(measure_rate(visitor, seconds))
        finally:
            visitor.close()
    return {
        row: {
            "rate": median(rate for rate, _ in values),
            "cpu_milliseconds": median(spent for _, spent in values),
        }
        for row, values in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machine = describe_machine()
    print(format_machine(machine))
    with tempfile.TemporaryDirectory() as name:
        rows = measure_all(Path(name), options.rounds, options.seconds)
    for row, values in rows.items():
        print(
            f"{row}: {values['rate']:.1f} frames a second,"
            f" {values['cpu_milliseconds']:.0f} ms of CPU time each"
        )
    if options.json:
        write_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
