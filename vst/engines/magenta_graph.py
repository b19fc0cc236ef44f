"""Runs Magenta's SavedModel as two functions: style -> embedding, (content, embedding) -> picture.

The exported model is one function (content, style) -> [picture], which computes the embedding at
every call and does not return it. This module loads and freezes it; `magenta_split` finds the
embedding in its graph.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vst.assets import MODELS, find_saved_model_problems
from vst.core.files import hash_file
from vst.core.packages import require_tensorflow
from vst.core.types import Embedding, Picture, Pictures
from vst.engines.magenta_split import FrozenGraph, SplitPoint, find_split
from vst.errors import AssetError, EngineError

BATCH_PIXELS_ON_CPU = 4 * 128 * 128
"""Pixels painted in one call on a CPU. Measured on two cores: four frames at once take 0.85 of the
time at 128², but 1.1 to 1.4 of it from 256² on, where the layers no longer fit the cache."""
BATCH_PIXELS_ON_GPU = 16 * 512 * 512

_log = logging.getLogger(__name__)


class HubModel:
    """A SavedModel (content, style) -> [picture] as two functions.

    ``dim``: length of an embedding. ``space``: name of its style space: a constant for Magenta's
    own export, else with a fingerprint of the weights, as each training has a space of its own.
    ``fixed_size``: the only height and width of contents; None: any.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        require_tensorflow(f"model {str(folder)!r}")
        import tensorflow as tf

        set_threads(threads)
        self.folder = folder
        graph = load_frozen_graph(folder)
        cut = find_split(graph)
        self.dim = cut.dim
        self.space = name_hub_space(folder, cut.dim)
        self.fixed_size = graph.get_fixed_size(graph.content)
        self.style_size = graph.get_fixed_size(graph.style)
        self._embed = _build_embed(graph, cut)
        self._paint = _build_paint(graph, cut)
        gpu = tf.config.list_physical_devices("GPU")
        together = BATCH_PIXELS_ON_GPU if gpu else BATCH_PIXELS_ON_CPU
        self._together = together if graph.get_shape(graph.content)[0] is None else 0

    def embed(self, picture: Picture) -> Embedding:
        """Return the (dim,) float32 embedding of a (256, 256, 3) uint8 picture."""
        style = picture[None].astype(np.float32) / np.float32(255)
        return np.asarray(self.embed_style(style)[0])

    def embed_style(self, style: np.ndarray) -> np.ndarray:
        """Return the (1, dim) embedding of a (1, H, W, 3) float32 style in 0..1."""
        with translate_graph_errors(f"a style of {style.shape[2]}x{style.shape[1]}"):
            return np.asarray(self._embed(_to_tensor(style)))

    def paint_content(self, content: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        """Paint (B, H, W, 3) float32 contents in 0..1 with (B, dim) embeddings; float32 in 0..1."""
        with translate_graph_errors(f"frames of {content.shape[2]}x{content.shape[1]}"):
            return np.asarray(self._paint(_to_tensor(content), _to_tensor(embeddings)))

    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames with (B, dim) embeddings; uint8, of the size that
        the graph returns.
        """
        import tensorflow as tf

        count, height, width = frames.shape[:3]
        step = max(1, self._together // (height * width))
        painted = []
        with translate_graph_errors(f"frames of {width}x{height}"):
            for i in range(0, count, step):
                content = tf.cast(frames[i : i + step], tf.float32) / 255
                picture = self._paint(content, tf.constant(embeddings[i : i + step]))
                painted.append(to_bytes(picture))
        return painted[0] if len(painted) == 1 else np.concatenate(painted)

    def close(self) -> None:
        """Release the graphs."""
        self._embed = self._paint = None


def load_frozen_graph(folder: Path) -> FrozenGraph:
    """Load a SavedModel's (content, style) function as one flat graph with constants."""
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    problems = find_saved_model_problems(folder)
    if problems:
        raise make_damaged_error(folder, problems[0])
    try:
        model = tf.saved_model.load(str(folder))
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise EngineError(
            f"SavedModel in {folder}: not enough memory to load it. It takes 2 GB."
        ) from error
    except Exception as error:  # TensorFlow and protobuf raise dozens of types
        raise make_damaged_error(folder, get_first_line(error)) from error
    traced = _trace(model, folder)
    frozen = convert_to_constants.convert_variables_to_constants_v2(
        traced, lower_control_flow=False, aggressive_inlining=True
    )
    definition = frozen.graph.as_graph_def()
    for node in definition.node:
        # Control inputs order side effects, and a frozen graph has none.
        data = [name for name in node.input if not name.startswith("^")]
        del node.input[:]
        node.input.extend(data)
    content, style = (tensor.op.name for tensor in frozen.inputs)
    nodes = {node.name: node for node in definition.node}
    return FrozenGraph(nodes, content, style, frozen.outputs[0].op.name, frozen.graph)


def _trace(model: Any, folder: Path) -> Any:
    """Trace a function (picture, picture) -> picture from whatever the SavedModel offers."""
    import tensorflow as tf

    signature = dict(getattr(model, "signatures", {})).get("serving_default")
    ways: list[Any] = []
    if callable(model):
        ways += [lambda a, b: model(a, b), lambda a, b: model([a, b])]
    sizes: list[list[int | None]] = [[None, None, None, 3], [1, None, None, 3]]
    if signature is not None:
        specs = sorted(signature.structured_input_signature[1].items())
        if len(specs) == 2:
            (first, spec), (second, _) = specs
            ways.append(lambda a, b: signature(**{first: a, second: b}))
            if spec.shape.rank == 4:
                sizes.append(spec.shape.as_list())
    reasons = []
    for way in ways:
        for size in sizes:
            spec = tf.TensorSpec(size, tf.float32)
            try:
                function = tf.function(
                    lambda a, b, way=way: tf.nest.flatten(way(a, b))[0], autograph=False
                )
                traced = function.get_concrete_function(spec, spec)
            except Exception as error:  # the next one may fit
                reasons.append(get_first_line(error))
                continue
            if traced.outputs[0].shape.rank in (None, 4):
                return traced
    why = reasons[0] if reasons else "it has no function of two pictures"
    raise EngineError(
        f"the SavedModel in {folder} is not a function (content, style) -> picture ({why}). Engine "
        "'magenta' runs copies of Magenta's arbitrary image stylization."
    )


def _build_embed(graph: FrozenGraph, cut: SplitPoint) -> Any:
    """Build the function (1, H, W, 3) float32 -> (1, dim) float32."""
    import tensorflow as tf

    definition = _extract_subgraph(graph, cut.node, "")

    def embed(style: Any) -> Any:
        ends = {f"{graph.style}:0": style}
        found = tf.graph_util.import_graph_def(definition, ends, [f"{cut.node}:0"], name="")
        return tf.reshape(found[0], [-1, cut.dim])

    signature = [tf.TensorSpec(graph.get_shape(graph.style), tf.float32)]
    return tf.function(embed, input_signature=signature, autograph=False).get_concrete_function()


def _build_paint(graph: FrozenGraph, cut: SplitPoint) -> Any:
    """Build the function (B, H, W, 3) and (B, dim) float32 -> (B, H, W, 3) float32; its shapes are
    open, so one trace serves frames of every size.
    """
    import tensorflow as tf

    definition = _extract_subgraph(graph, graph.output, cut.node)
    shape = graph.get_shape(graph.content)
    numbers = tf.TensorSpec([shape[0], cut.dim], tf.float32)

    def paint(content: Any, embeddings: Any) -> Any:
        embedding = tf.reshape(embeddings, [-1, *cut.shape[1:]])
        ends = {f"{graph.content}:0": content, f"{cut.node}:0": embedding}
        found = tf.graph_util.import_graph_def(definition, ends, [f"{graph.output}:0"], name="")
        return found[0]

    signature = [tf.TensorSpec(shape, tf.float32), numbers]
    return tf.function(paint, input_signature=signature, autograph=False).get_concrete_function()


def to_bytes(picture: Any) -> Pictures:
    """Convert a float32 tensor in 0..1 to rounded uint8; raises for NaN, which would otherwise
    become a gray level.
    """
    import tensorflow as tf

    picture = tf.debugging.check_numerics(picture, "the painting")
    rounded = tf.cast(tf.round(tf.clip_by_value(picture, 0, 1) * 255), tf.uint8)
    return np.asarray(rounded.numpy(), np.uint8)


def _extract_subgraph(graph: FrozenGraph, end: str, start: str) -> Any:
    """Return the graph definition of what ``end`` needs, with ``start`` as its input."""
    from tensorflow.core.framework import graph_pb2

    definition = graph_pb2.GraphDef()
    kept = graph.find_ancestors(end, stop=start)
    for name in graph.order:
        if name == start:
            node = definition.node.add(name=start, op="Placeholder")
            node.attr["dtype"].type = 1  # DT_FLOAT
        elif name in kept:
            definition.node.add().CopyFrom(graph.nodes[name])
    return definition


def name_hub_space(folder: Path, dim: int) -> str:
    """Return the name of the style space of a SavedModel."""
    known = {file.path: file.sha256 for file in MODELS["magenta"].files}
    index = folder / "variables" / "variables.index"
    if index.is_file() and hash_file(index) == known["variables/variables.index"]:
        return f"magenta-hub-{dim}"
    values = sorted((folder / "variables").glob("variables.data-*")) or [folder / "saved_model.pb"]
    digest = hashlib.sha256("".join(hash_file(path) for path in values).encode())
    return f"magenta-hub-{dim}-{digest.hexdigest()[:8]}"


def set_threads(threads: int | None) -> None:
    """Set TensorFlow's threads (None: one for each core), unless it has started already."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads or os.cpu_count() or 1)
    except RuntimeError:
        set_before = tf.config.threading.get_intra_op_parallelism_threads()
        if threads and set_before != threads:
            _log.warning("threads=%d has no effect: TensorFlow has started already", threads)


@contextmanager
def translate_graph_errors(what: str) -> Iterator[None]:
    """Turn TensorFlow's errors into `EngineError` with one line."""
    from tensorflow import errors

    try:
        yield
    except errors.ResourceExhaustedError as error:
        raise EngineError(
            f"not enough memory for {what} in Magenta's model. Choose a smaller size."
        ) from error
    except errors.OpError as error:
        text = get_first_line(error)
        if re.search(r"\b(NaN|Inf)\b", str(error)):
            raise EngineError(
                f"Magenta's model returned values that are not finite for {what}: its weights or "
                "the embedding are damaged. Run `vst models check`, or embed the style again."
            ) from error
        raise EngineError(f"Magenta's model failed on {what}: {text}") from error


def _to_tensor(numbers: Any) -> Any:
    """Convert to a float32 tensor."""
    import tensorflow as tf

    return tf.convert_to_tensor(numbers, tf.float32)


def make_damaged_error(folder: Path, why: str) -> AssetError:
    """Return the error for a SavedModel that cannot be loaded."""
    return AssetError(
        f"the SavedModel in {folder} is damaged or incomplete ({why}). Download it again with "
        "`vst models pull magenta`, name another model, or use engine 'embedded', which needs none."
    )


def get_first_line(error: BaseException) -> str:
    """Return the first line of an error's text, at most 160 characters."""
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__
