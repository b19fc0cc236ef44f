"""Draw docs/pictures/painted-frames.jpg and measure the figures of docs/painted-frames.md, on a
clip that the project draws: its layers are painted, so that the truly painted film is known.

python tools/draw_painted_frames.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.painted_clip import PaintedClip  # noqa: E402
from vst.api import stylize  # noqa: E402
from vst.core.types import Picture  # noqa: E402
from vst.pipeline.painted_keys import PaintedKeys  # noqa: E402
from vst.plotting import draw_grid, save_picture  # noqa: E402
from vst.samples import write_clip  # noqa: E402
from vst.samples.figure import FigureClip  # noqa: E402
from vst.video.sources import open_source  # noqa: E402

COUNT, RATE = 48, 24
SHOWN = (0, 12, 24, 36, 47)


def measure(pictures: list[Picture], truth: list[Picture]) -> float:
    """Mean difference (0..255) to the painted film, without the painted frames themselves."""
    pairs = list(zip(pictures, truth))[1:-1]
    return float(np.mean([cv2.absdiff(one, other).mean() for one, other in pairs]))


def measure_program(content: Path, painted: list[str]) -> tuple[float, float]:
    """Milliseconds of CPU time a frame, and frames a second, of the whole program: reading,
    painting, carrying, stabilizing and writing. The second of two runs: the first one loads.
    """
    for _ in range(2):
        start = time.process_time()
        out = content.with_name("painted.mp4")
        result = stylize(content, [], out, painted=painted, overwrite=True)
        spent = (time.process_time() - start) / result.frames * 1000
    return spent, result.frames_per_second


def main() -> None:
    """Draw the picture and print the figures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    shape = {"width": 640, "height": 360, "count": COUNT, "pace": 3.0, "pan": 1.2}
    content = [FigureClip(**shape).layers(index).picture for index in range(COUNT)]
    truth = [PaintedClip(**shape, grain=0.0).layers(index).picture for index in range(COUNT)]
    shares = [index / (COUNT - 1) for index in range(COUNT)]
    fades = [cv2.addWeighted(truth[0], 1 - s, truth[-1], s, 0) for s in shares]
    with tempfile.TemporaryDirectory() as folder:
        file = write_clip(Path(folder) / "shot.mp4", content, 640, 360, RATE, None)
        painted = []
        for index in (0, COUNT - 1):
            path = Path(folder) / f"{index}.png"
            save_picture(path, truth[index])
            painted.append(f"{index / RATE}={path}")
        with open_source(file) as source:
            keys = PaintedKeys(str(file), source.info, painted)
            frames = list(source.frames())
            start = time.process_time()
            carried = [keys.cover(frame, fades[frame.index]) for frame in frames]
            spent = (time.process_time() - start) / COUNT
        whole, speed = measure_program(Path(file), painted)
    ours, faded = measure(carried, truth), measure(fades, truth)
    print(f"carried {ours:.2f}, cross-fade {faded:.2f}, ratio {ours / faded:.3f}")
    print(f"{spent * 1000:.0f} ms of CPU time a frame; in the whole program {whole:.0f}")
    print(f"{speed:.1f} frames a second in the whole program")
    rows = [content, truth, fades, carried]
    cells = [[cv2.resize(row[index], (240, 135)) for index in SHOWN] for row in rows]
    labels = ["content", "painted film", "cross-fade", "carried"]
    save_picture(
        target / "painted-frames.jpg",
        draw_grid(cells, labels, [f"frame {index}" for index in SHOWN]),
        84,
    )


if __name__ == "__main__":
    main()
