"""Write networks as ONNX files, and run those in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vst.errors import DependencyError
from vst.export.check import Inputs, RunFile
from vst.export.networks import LoadedNetwork
from vst.export.onnx_graph import OnnxGraph
from vst.export.onnx_networks import OnnxFeedForward, OnnxPainter, OnnxPredictor
from vst.export.plan import NETWORK, PAINTER, PREDICTOR, ExportPlan, describe_file, list_tensors

WRITERS: dict[str, Any] = {
    PAINTER: OnnxPainter,
    PREDICTOR: OnnxPredictor,
    NETWORK: OnnxFeedForward,
}


def convert_to_onnx(network: LoadedNetwork, plan: ExportPlan) -> bytes:
    """Return a network as the content of an ONNX file."""
    graph = OnnxGraph(plan.precision)
    tensors = list_tensors(network.kind, plan.size)
    result = WRITERS[network.kind](graph, network.keras).add(*(one.name for one in tensors[0]))
    texts = describe_file(network.kind, plan, network.about)
    content: bytes = graph.build(network.kind, tensors, result, texts).SerializeToString()
    return content


def open_onnx_file(path: Path, threads: int = 0) -> RunFile:
    """Open an ONNX file on the CPU; ``threads`` 0: all cores. Raises `DependencyError`."""
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError.of_extra(
            f"checking {path.name} needs onnxruntime", "export"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run_file(inputs: Inputs) -> np.ndarray:
        (found,) = session.run(None, dict(inputs))
        return np.asarray(found)

    return run_file
