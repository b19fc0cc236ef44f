"""Draw docs/pictures/brush.jpg and brush-spectrum.png: brush sizes from 0.25 to 4, as painted and
only enlarged, and the energy of their paintings at each frequency.

python tools/draw_brush.py [FOLDER]
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.core.types import Frame, Picture  # noqa: E402
from vst.engines.embedded import EmbeddedEngine  # noqa: E402
from vst.imaging.resize import resize  # noqa: E402
from vst.pipeline.painter import FrameBatch, FramePainter  # noqa: E402
from vst.plotting import Look, Scales, draw_curves, draw_grid, save_picture  # noqa: E402
from vst.samples import Landscape  # noqa: E402
from vst.schedule.timeline import Mix  # noqa: E402
from vst.styles.library import get_style  # noqa: E402

STYLES = ("@blue-swirls", "@fire-impasto")
BRUSHES = (0.25, 0.5, 1.0, 2.0, 4.0)
SIZE = (640, 360)
SHORTEST = 11
"""Pixels from one crest to the next in the coarsest of the finest third of the bands."""
BANDS = 24
"""Bands of the spectrum, from one wave across the picture's height to one in two pixels."""


def measure_spectrum(picture: Picture) -> npt.NDArray[np.float64]:
    """Measure each band's share of the energy of the brightness, in decibels."""
    bright = picture.astype(np.float64).mean(2)
    window = np.outer(np.hanning(bright.shape[0]), np.hanning(bright.shape[1]))
    power = np.abs(np.fft.fft2((bright - bright.mean()) * window)) ** 2
    rows, columns = np.meshgrid(
        np.fft.fftfreq(bright.shape[0]), np.fft.fftfreq(bright.shape[1]), indexing="ij"
    )
    frequency = np.hypot(rows, columns)
    edges = np.geomspace(1 / min(bright.shape), 0.5, BANDS + 1)
    parts = [power[(frequency >= low) & (frequency < high)].sum() for low, high in pairwise(edges)]
    return 10 * np.log10(np.maximum(parts, 1e-9) / power.sum())


def main(folder: Path) -> None:
    """Paint every size, measure, and write both pictures."""
    engine = EmbeddedEngine()
    engine.prepare({name: get_style(name).embedding for name in STYLES})
    content = Landscape(*SIZE, grain=0.0).frame(2.0)
    painter = FramePainter(engine, *SIZE)
    rows, labels = [], []
    spectra: dict[str, npt.NDArray[np.float64]] = {}
    for name in STYLES:
        painted, enlarged = [], []
        for brush in BRUSHES:
            mix = Mix({name: 1.0}, brush=brush)
            batch = FrameBatch([Frame(0, 0.0, content)], [content], [None])
            painter.paint(batch, [mix])
            began = time.perf_counter()
            painted.append(painter.paint(batch, [mix])[0])
            print(f"{name} brush {brush:g}: {1000 * (time.perf_counter() - began):.0f} ms")
            size = [max(1, round(side * brush)) for side in SIZE]
            small = engine.paint(resize(content, *size)[None], [mix])[0]
            enlarged.append(resize(small, *SIZE))
            if brush <= 1 and name == STYLES[0]:
                spectra[f"brush {brush:g}"] = measure_spectrum(painted[-1])
                if brush < 1:
                    spectra[f"brush {brush:g}, only enlarged"] = measure_spectrum(enlarged[-1])
        rows += [enlarged, painted]
        labels += ["only enlarged", name[1:]]
    sheet = draw_grid(rows, labels, [f"brush {brush:g}" for brush in BRUSHES], cell=(240, 135))
    save_picture(folder / "brush.jpg", sheet, quality=85)
    save_picture(folder / "brush-spectrum.png", draw_spectra(spectra))


def draw_spectra(spectra: dict[str, npt.NDArray[np.float64]]) -> Picture:
    """Draw the spectra over the band, from coarse to fine, and print the energy of fine detail."""
    fine = BANDS // 3
    for name, bands in spectra.items():
        share = np.power(10, bands[-fine:] / 10).sum()
        print(f"{name}: {share:.1%} of the energy in waves shorter than {SHORTEST} pixels")
    return draw_curves(
        {name: list(enumerate(map(float, bands))) for name, bands in spectra.items()},
        Look(f"Energy of the brightness by frequency, {STYLES[0]}"),
        Scales("band, from the picture's height to 2 pixels", "dB"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
