"""Make docs/pictures/embedded-curves.png, the training curves of the shipped weights, from
docs/embedded-training.json: seconds of training, and measurements on held-out pairs.

draw_embedded_curves.py
"""

from __future__ import annotations

import json
from pathlib import Path

from vst.research.training.figures import draw_curves

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    curves = json.loads((DOCS / "embedded-training.json").read_text(encoding="utf-8"))
    target = DOCS / "pictures" / "embedded-curves.png"
    draw_curves(curves, target)
    print(target)


if __name__ == "__main__":
    main()
