"""Draw docs/pictures/styles.jpg: every built-in style on the project's photo-like sample, by the
embedded engine.

python tools/draw_styles_sheet.py [OUTPUT]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.engines import ENGINES  # noqa: E402
from vst.plotting import draw_swatches, save_picture  # noqa: E402
from vst.samples import draw_photo  # noqa: E402
from vst.styles.library import load_builtin_styles  # noqa: E402

LARGEST = 600_000  # bytes: every clone downloads the pictures of the documents


def main(output: Path) -> None:
    """Paint the sample in each style, and write a sheet of the paintings with their names."""
    photo = draw_photo(432, 288)
    engine = ENGINES["embedded"]()
    styles = load_builtin_styles()
    cells = {"(the picture)": photo}
    for name, style in styles.items():
        cells[name] = engine.stylize(photo[None], np.asarray(style.embedding, np.float32)[None])[0]
    sheet = draw_swatches(
        cells, columns=6, cell=(252, 168), title=f"The {len(styles)} built-in styles"
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(90, 40, -6):
        save_picture(output, sheet, quality)
        if output.stat().st_size <= LARGEST:
            break
    size = f"{sheet.shape[1]}x{sheet.shape[0]}"
    print(f"{output}: {size}, {output.stat().st_size} bytes, quality {quality}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures" / "styles.jpg")
