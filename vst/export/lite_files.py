"""Write networks as TFLite files, and run those in LiteRT."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vst.engines.embedded_runtime import CONTRAST_NONE, CONTRAST_STEP
from vst.engines.tensorflow_runtime import start_tensorflow
from vst.export.check import Inputs, RunFile
from vst.export.networks import LoadedNetwork
from vst.export.plan import PAINTER, PREDICTOR, ExportPlan, describe_file, list_tensors
from vst.nets.lite_interpreter import open_interpreter

METADATA = "vst"
"""The name of the metadata in the file: a JSON object of texts."""


def convert_to_lite(network: LoadedNetwork, plan: ExportPlan) -> bytes:
    """Return a network as the content of a TFLite file."""
    tf = start_tensorflow(None)
    inputs, (output,) = list_tensors(network.kind, plan.size)
    signature = [
        tf.TensorSpec(
            [side if isinstance(side, int) else None for side in tensor.shape], name=tensor.name
        )
        for tensor in inputs
    ]
    module = tf.Module()
    frozen = freeze_function(tf, make_function(tf, network), signature)

    def run(*values: Any) -> dict[str, Any]:
        return {output.name: frozen(*values)[0]}

    module.run = tf.function(run, input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.run.get_concrete_function()], module
    )
    if plan.precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if plan.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    with keep_from_printing():
        content = converter.convert()
    return add_metadata(content, describe_file(network.kind, plan, network.about))


def make_function(tf: Any, network: LoadedNetwork) -> Callable[..., Any]:
    """Return what the file computes, as a function of its inputs."""
    if network.kind == PREDICTOR:
        return lambda pictures: network.keras(255 * pictures, training=False)
    if network.kind == PAINTER:
        return make_painting_function(tf, network.keras)
    return make_network_function(tf, network.keras)


def make_painting_function(tf: Any, painter: Any) -> Callable[..., Any]:
    """Return the painter with the fade of flat frames of engine ``embedded``."""
    from vst.nets.embedded import PainterOperations, normalize_instances

    operations = PainterOperations(normalize_instances, tf.nn.space_to_depth, tf.nn.depth_to_space)

    def paint(frames: Any, styles: Any) -> Any:
        own = painter.styles(styles)
        x = painter.trunk(painter.encode(frames, operations), own, operations)
        half = tf.sigmoid(painter.decode(x, own, operations))
        spread = tf.reduce_max(frames, (1, 2)) - tf.reduce_min(frames, (1, 2))
        share = (255 * tf.reduce_max(spread, 1) - CONTRAST_NONE) / CONTRAST_STEP
        share = tf.clip_by_value(share, 0, 1)[:, None, None, None]
        flat = tf.concat([painter.flat_color(own)] * 4, 1)[:, None, None]
        return tf.nn.depth_to_space(half * share + flat * (1 - share), 2)

    return paint


def make_network_function(tf: Any, network: Any) -> Callable[..., Any]:
    """Return a trained network for frames of any size; Keras enlarges only frames whose size it
    knows.
    """
    from vst.nets.feedforward import FeedForward

    class AnySizeFeedForward(FeedForward):
        def _upsample(self, x: Any, name: str) -> Any:
            count, height, width, _ = tf.unstack(tf.shape(x))
            if self.plan.upsampling == "transposed":
                kernel = self._kernel(name, x)
                shape = (count, 2 * height, 2 * width, kernel.shape[2])
                return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")
            return self._convolve(tf.image.resize(x, (2 * height, 2 * width)), name)

    copy = AnySizeFeedForward(network.plan)
    copy.set_weights(network.get_weights())
    return copy.call


def freeze_function(tf: Any, function: Callable[..., Any], signature: list[Any]) -> Any:
    """Return a traced function whose weights are constants.

    Given a Keras model, the converter of TensorFlow 2.21 writes reads of variables and leaves the
    values out of the file: LiteRT then computes with memory that nobody has written.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    traced = tf.function(function, input_signature=signature).get_concrete_function()
    return convert_variables_to_constants_v2(traced, lower_control_flow=False)


@contextlib.contextmanager
def keep_from_printing() -> Iterator[None]:
    """Send what native code writes to stderr to nowhere: the converter logs there."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def add_metadata(content: bytes, texts: dict[str, str]) -> bytes:
    """Return a TFLite file with texts in its metadata, as JSON under the name `METADATA`."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(json.dumps(texts).encode(), np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = METADATA, len(model.buffers) - 1
    model.metadata = [*(model.metadata or ()), entry]
    model.description = f"vst {texts['kind']}: see the metadata {METADATA!r}"
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def read_metadata(content: bytes) -> dict[str, str]:
    """Return the texts that `add_metadata` wrote into a TFLite file."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    (entry,) = (one for one in model.metadata if one.name.decode() == METADATA)
    texts: dict[str, str] = json.loads(bytes(model.buffers[entry.buffer].data))
    return texts


def open_lite_file(path: Path, threads: int = 0) -> RunFile:
    """Open a TFLite file in LiteRT; ``threads`` 0: all cores. Raises `DependencyError`."""
    interpreter = open_interpreter(path, threads or os.cpu_count() or 1, "Export it again.")
    (signature,) = interpreter.get_signature_list().items()
    runner = interpreter.get_signature_runner(signature[0])
    (output,) = signature[1]["outputs"]

    def run_file(inputs: Inputs) -> np.ndarray:
        return np.array(runner(**inputs)[output])

    return run_file
