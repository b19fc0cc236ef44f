"""Put a trained painter into the package: its weights, and the TFLite file in int8 for LiteRT.

    python tools/ship_painter.py RUN/weights --name fine --about "trained on …"

RUN is a folder of `vst train painter`. The painter `fine` shares the predictor of `fast`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from write_lite_files import write_lite_files

from vst.core.data_folder import FAST, PAINTERS, WEIGHTS
from vst.core.style_spaces import TFLITE_SPACE
from vst.nets.embedded import PainterPlan
from vst.nets.weight_files import INT8_PARTS, add_to_index, read_weights, write_weights


def ship(source: Path, name: str, trained_on: str) -> None:
    """Write the painter of the folder ``source`` into the package as ``name``."""
    folder, arrays = PAINTERS[name], read_weights(source, "painter")
    plan = PainterPlan.read(arrays)
    about = {
        "design": f"{plan.channels} channels, {plan.blocks} blocks at a quarter of the resolution",
        "licence": "Apache-2.0",
        "space": TFLITE_SPACE,
        "trained_from": "random values",
        "trained_on": trained_on,
    }
    print(write_weights(folder, "painter", arrays, about))
    if name != FAST:
        for part in ("predictor", INT8_PARTS["predictor"]):
            path = WEIGHTS / ("predictor.npz" if part == "predictor" else "predictor.tflite")
            add_to_index(folder, part, path, {"file": f"../{path.name}"})
    write_lite_files(folder, only="painter")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a folder of weights")
    parser.add_argument("--name", choices=PAINTERS, required=True)
    parser.add_argument("--about", required=True, help="what it was trained on")
    options = parser.parse_args()
    ship(options.source, options.name, options.about)
