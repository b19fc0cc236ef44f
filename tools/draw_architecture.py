"""Draw docs/pictures/architecture.png: the package layers of `vst`, as tests/test_layers.py checks
them.

python tools/draw_architecture.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.draw_scores import save_small_png  # noqa: E402
from vst.plotting.basics import LIGHT, make_canvas, write_text  # noqa: E402

LAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("foundation", ("errors", "core")),
    ("tools", ("storage", "imaging", "assets", "nets", "samples")),
    ("media", ("video",)),
    ("time", ("schedule", "plotting")),
    ("parts", ("engines", "keyframes", "stabilizers", "masks", "metrics")),
    ("job", ("styles", "job")),
    ("run", ("checkpoint", "pipeline")),
    ("results", ("preview", "evaluation", "export", "doctor", "api", "moviepy", "live")),
    ("many jobs", ("batch", "cluster", "research", "notebook")),
    ("front ends", ("web", "cli", "__main__")),
)
"""From the bottom up: a module imports packages of lower layers and, in its own layer, those to its
left."""
CAPTIONS = {
    "errors": "exceptions",
    "core": "types, fields, registry, limits, locks",
    "storage": "s3://, gs://",
    "imaging": "flow, color, compositing",
    "assets": "models on disk",
    "nets": "networks in Keras 3",
    "samples": "drawn clips and pictures",
    "video": "open, sources, sinks, cuts, beats, retiming",
    "schedule": "timeline, mixes, easing, scores",
    "plotting": "charts, sheets, HTML reports",
    "engines": "frame + mix → painting",
    "keyframes": "video → pictures",
    "stabilizers": "remove flicker",
    "masks": "foreground, edges",
    "metrics": "one measure a file",
    "styles": "names and files → styles",
    "job": "every option, as one value",
    "checkpoint": "chunks, manifest, resume state",
    "pipeline": "resolve, schedule, paint, write",
    "preview": "a few frames",
    "evaluation": "metrics of videos",
    "export": "ONNX, TFLite",
    "doctor": "checks the set-up",
    "api": "vst.stylize",
    "live": "in real time",
    "moviepy": "its effect",
    "batch": "contents × styles",
    "cluster": "chunks on a Ray cluster",
    "research": "training, studies",
    "notebook": "objects as HTML",
    "web": "the page of vst app",
    "cli": "one file per verb",
    "__main__": "python -m vst",
}
PARTS = dict(LAYERS)["parts"]
"""Packages of interchangeable parts, which never import each other."""

TARGET = ROOT / "docs" / "pictures" / "architecture.png"
WIDTH, ROW, GAP, MARGIN, LABEL = 1100, 58, 14, 30, 150


def main() -> None:
    height = 2 * MARGIN + len(LAYERS) * (ROW + GAP) + 34
    canvas = make_canvas(height, WIDTH, LIGHT)
    for number, (layer, packages) in enumerate(reversed(LAYERS)):
        top = MARGIN + number * (ROW + GAP)
        text = f"{len(LAYERS) - number} {layer}"
        write_text(canvas, text, (MARGIN, top + 18), 18, LIGHT.faint)
        width = (WIDTH - 2 * MARGIN - LABEL - GAP * (len(packages) - 1)) // len(packages)
        for place, package in enumerate(packages):
            left = MARGIN + LABEL + place * (width + GAP)
            corner = (left + width, top + ROW)
            cv2.rectangle(canvas, (left, top), corner, (255, 254, 251), -1)
            cv2.rectangle(canvas, (left, top), corner, LIGHT.line, 2)
            middle = left + width / 2
            write_text(canvas, package, (middle, top + 7), 19, LIGHT.ink, "ma")
            write_text(canvas, CAPTIONS[package], (middle, top + 33), 13, LIGHT.faint, "ma")
    note = "A package imports those below it and, in its row, those to its left. Parts never do."
    write_text(canvas, note, (MARGIN, height - MARGIN - 14), 16, LIGHT.faint)
    save_small_png(TARGET, canvas)
    print(TARGET)


if __name__ == "__main__":
    main()
