"""Draw docs/pictures/score-*.png: the scores in docs/scores, as `vst score plot` draws them.

python tools/draw_scores.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.cli.score import read_thumbnails  # noqa: E402
from vst.core.types import Picture  # noqa: E402
from vst.plotting import Look, plot_score  # noqa: E402
from vst.samples import draw_photo  # noqa: E402
from vst.schedule.score import read_score, sketch_timeline  # noqa: E402
from vst.schedule.timeline import NONE  # noqa: E402
from vst.styles.from_score import check_score_files  # noqa: E402

WIDTH = 860
COLORS = 96
"""Colors of a picture: every clone downloads the pictures of the documents."""


def main() -> None:
    """Draw every score; the sample photo stands for the content."""
    content = draw_photo(480, 360)
    for path in sorted((ROOT / "docs" / "scores").glob("*.yaml")):
        score = read_score(path)
        check_score_files(score)
        timeline, duration = sketch_timeline(score)
        pictures = {**read_thumbnails(score), NONE: content}
        picture = plot_score(timeline, pictures, duration, look=Look(path.stem, WIDTH))
        target = ROOT / "docs" / "pictures" / f"score-{path.stem}.png"
        save_small_png(target, picture)
        print(f"{target}: {picture.shape[1]}x{picture.shape[0]}, {target.stat().st_size} bytes")


def save_small_png(target: Path, picture: Picture) -> None:
    """Save as a PNG of few colors: a third of the bytes, and no visible difference."""
    from PIL import Image

    Image.fromarray(picture).quantize(
        COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    ).save(target, optimize=True)


if __name__ == "__main__":
    main()
