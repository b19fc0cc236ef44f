"""Writes the package's networks as the TFLite files in int8 that engine `embedded` runs in LiteRT.

    python tools/write_lite_files.py [--folder vst/data/weights]

Run it whenever the weights change: a test compares the hashes of the weights in the files. It needs
TensorFlow, whose converter rounds the weights, and ai-edge-litert, which checks the pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from vst.core.data_folder import WEIGHTS
from vst.export.plan import ExportPlan
from vst.export.write import export_networks
from vst.nets.weight_files import INT8_PARTS, add_to_index, read_index


def write_lite_files(folder: Path, only: str | None = None) -> None:
    """Export the networks whose weights are in ``folder``, or ``only`` one of them, and enter the
    files into its index.
    """
    plan = ExportPlan(precision="int8", model=folder, only=only)
    for file in export_networks("tflite", plan, folder, overwrite=True):
        weights = read_index(folder)["parts"][file.kind]["sha256"]
        about = {"made_from": weights, "license": "Apache-2.0"}
        add_to_index(folder, INT8_PARTS[file.kind], file.path, about)
        print(f"{file.path}: {file.bytes} bytes, {file.likeness} dB to TensorFlow in float32")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=WEIGHTS)
    write_lite_files(parser.parse_args().folder)
