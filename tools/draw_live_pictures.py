"""Draw docs/pictures/live.jpg, frames of a live run while the style glides, and
docs/pictures/precision.jpg, paintings in bfloat16 and in int8 beside each other.

    python tools/draw_live_pictures.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Picture  # noqa: E402
from vst.engines.embedded import EmbeddedEngine  # noqa: E402
from vst.engines.embedded_options import EmbeddedOptions  # noqa: E402
from vst.live.painting import LivePainter  # noqa: E402
from vst.live.slot import LiveFrame  # noqa: E402
from vst.live.style_control import StyleControl  # noqa: E402
from vst.plotting import draw_grid, save_picture  # noqa: E402
from vst.samples import Landscape  # noqa: E402
from vst.schedule.timeline import Mix  # noqa: E402
from vst.styles.library import get_style  # noqa: E402

STYLES = ("@ink-wash", "@stained-glass")
RATE, PRESSED, GLIDE = 25, 0.8, 2.0
SHOWN = (0.6, 1.2, 1.6, 2.0, 2.4, 3.0)
"""Seconds of the frames in the picture."""
PRECISIONS = ("bfloat16", "int8")
COMPARED = ("stained-glass", "indigo-waves", "ink-wash", "ochre-facets")


def draw_live_strip() -> Picture:
    """Paint a drawn landscape as `vst live` does; key 2 is pressed after `PRESSED` seconds."""
    now = [0.0]
    scene = Landscape(640, 360, grain=0.0)
    rows: list[list[Picture]] = [[], []]
    with EmbeddedEngine() as engine:
        engine.prepare({name: get_style(name).embedding for name in STYLES})
        control = StyleControl(STYLES, Mix({STYLES[0]: 1.0}), GLIDE, clock=lambda: now[0])
        painter = LivePainter(engine, 0.5, control)
        painter.resize_to((455, 256))
        for index in range(round(RATE * SHOWN[-1]) + 1):
            now[0] = index / RATE
            if index == round(PRESSED * RATE):
                control.choose(2)
            content = scene.frame(now[0])
            painted = painter.steady(painter.paint(LiveFrame(index, now[0], content)))[0].picture
            if any(index == round(RATE * time) for time in SHOWN):
                rows[0].append(content)
                rows[1].append(painted)
        painter.stabilizer.close()
    return draw_grid(rows, ["camera", "shown"], [f"{time:g} s" for time in SHOWN], cell=(224, 126))


def draw_precisions() -> Picture:
    """Paint a drawn landscape in both precisions."""
    content = Landscape(568, 320, grain=0.0).frame(2.0)
    numbers = np.stack([get_style(name).embedding for name in COMPARED])
    rows = []
    for precision in PRECISIONS:
        with EmbeddedEngine(options=EmbeddedOptions(precision)) as engine:
            rows.append(list(engine.stylize(np.repeat(content[None], len(COMPARED), 0), numbers)))
    return draw_grid(rows, PRECISIONS, COMPARED, cell=(336, 189))


def main(folder: Path) -> None:
    save_picture(folder / "live.jpg", draw_live_strip(), quality=85)
    save_picture(folder / "precision.jpg", draw_precisions(), quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
