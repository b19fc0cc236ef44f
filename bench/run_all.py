"""Runs all speed measurements in sequence and writes one JSON file and one table, both with a
description of the machine.

    python bench/run_all.py [--shared ../shared] [--out bench-results] [--quick]

Takes about half an hour on two idle cores, two minutes with --quick (a trial whose figures mean
nothing). Reports a part that cannot run here (no models in --shared, a missing runtime) and
continues with the others. Exits with 1 if a part failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PARTS = {
    "whole_program": ("The whole program", True),
    "frame_stages": ("Where a frame's time goes", False),
    "runtimes": ("The painter in other runtimes", False),
    "gpu": ("The painter under Keras's backend", False),
}
"""Script -> heading, and whether it takes --shared."""
ON_PROCESSOR = ("--sizes", "256x256,512x512", "--batches", "1,4", "--kinds", "float32,bfloat16")
"""The options of bench/gpu.py that end in reasonable time without a GPU."""
LIMIT = 3600.0
"""Seconds after which a part is aborted."""


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    code = "import tensorflow as t, sys; sys.exit(not t.config.list_physical_devices('GPU'))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def run_part(name: str, options: argparse.Namespace) -> tuple[str, dict[str, object]]:
    """Run one part; return its table and its figures."""
    path = options.out / f"{name}.json"
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", str(path)]
    command += ["--shared", str(options.shared)] if PARTS[name][1] else []
    command += ["--quick"] if options.quick else []
    if name == "gpu" and not options.quick and not has_gpu():
        command += ON_PROCESSOR
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        return f"Failed: {lines[-1]}", {"failed": lines[-1]}
    found = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return done.stdout.strip(), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--quick", action="store_true", help="a trial: one round, small sizes")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    texts, figures = [], {}
    for name in options.only.split(","):
        began = time.perf_counter()
        text, figures[name] = run_part(name, options)
        minutes = (time.perf_counter() - began) / 60
        texts.append(f"## {PARTS[name][0]}\n\n{text}\n")
        print(f"{name}: {minutes:.1f} minutes", file=sys.stderr, flush=True)
    whole = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
    (options.out / "speed.json").write_text(whole, encoding="utf-8")
    (options.out / "speed.md").write_text("\n".join(texts), encoding="utf-8")
    print("\n".join(texts))
    sys.exit(any("failed" in part for part in figures.values()))


if __name__ == "__main__":
    main()
