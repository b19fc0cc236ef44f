"""Draw docs/pictures/score-*.png: the scores in docs/scores, as `vst score plot` draws them.

python tools/draw_scores.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.cli.score import thumbnails_of  # noqa: E402
from vst.core.types import Picture  # noqa: E402
from vst.plotting import plot_score  # noqa: E402
from vst.samples import sample_photo  # noqa: E402
from vst.schedule.score import read_score, sketch_timeline  # noqa: E402
from vst.schedule.timeline import NONE  # noqa: E402
from vst.styles.from_score import check_files  # noqa: E402

WIDTH = 860
COLOURS = 96
"""Colours of a picture: pictures in the docs travel with every clone."""


def main() -> None:
    """Draw every score, with the sample photo where the content itself is shown."""
    content = sample_photo(480, 360)
    for path in sorted((ROOT / "docs" / "scores").glob("*.yaml")):
        score = read_score(path)
        check_files(score)
        timeline, duration = sketch_timeline(score)
        pictures = {**thumbnails_of(score), NONE: content}
        picture = plot_score(timeline, pictures, duration, title=path.stem, width=WIDTH)
        target = ROOT / "docs" / "pictures" / f"score-{path.stem}.png"
        write_small(target, picture)
        print(f"{target}: {picture.shape[1]}x{picture.shape[0]}, {target.stat().st_size} bytes")


def write_small(target: Path, picture: Picture) -> None:
    """Save as PNG of few colours: a third of the bytes, and no difference that one sees."""
    from PIL import Image

    Image.fromarray(picture).quantize(
        COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    ).save(target, optimize=True)


if __name__ == "__main__":
    main()
