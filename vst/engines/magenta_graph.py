"""Magenta's SavedModel, taken apart: style -> embedding, and (content, embedding) -> picture.

The exported model is one function (content, style) -> [picture] that computes the style's embedding
anew at every call and shows it to nobody. Names of its operations differ from copy to copy, so the
embedding is found by structure alone: of all the tensors that the style's *whole* influence passes
through, and that know nothing of the content, it is the last one that has no height and width.
In Magenta's own export that is the 768 numbers which all 86 ``style_params`` convolutions read.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vst.assets import MODELS, saved_model_problems
from vst.errors import AssetError, EngineError
from vst.fetch import sha256_of
from vst.frames import Embedding, Picture, Pictures

STYLE_SIZE = 256
"""Height and width in pixels of the pictures that the style is read from."""

TOGETHER_ON_CPU = 4 * 128 * 128
"""Pixels painted in one call on a CPU: measured on two cores, four frames at once take 0.85 of the
time at 128² and 1.1 to 1.4 of it from 256² on, where the layers no longer fit the cache."""
TOGETHER_ON_GPU = 16 * 512 * 512

_log = logging.getLogger(__name__)


class HubModel:
    """A SavedModel (content, style) -> [picture] as two functions, frozen once.

    ``dim`` numbers make a style; ``space`` names what they mean: constant for Magenta's own export,
    else with a fingerprint of the weights, because two trainings never mean the same by them.
    """

    fixed_size: tuple[int, int] | None = None
    """Height and width that every content must have; None: any size."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        import tensorflow as tf

        use_threads(threads)
        self.folder = folder
        problems = saved_model_problems(folder)
        if problems:
            raise _damaged(folder, problems[0])
        graph = _load_frozen(folder)
        self.fixed_size = graph.fixed_size
        self.batched = graph.batched
        cut = find_embedding(graph)
        self.dim = cut.dim
        self.space = _space_of(folder, self.dim)
        self._embed = _style_function(tf, graph, cut)
        self._paint, self._paint_bytes = _paint_functions(tf, graph, cut)
        self._together = TOGETHER_ON_GPU if tf.config.list_physical_devices("GPU") else TOGETHER_ON_CPU

    def embed(self, picture: Picture) -> Embedding:
        """The (dim,) float32 numbers of a (256, 256, 3) uint8 picture."""
        style = picture[None].astype(np.float32) / np.float32(255)
        return np.asarray(self.embed_style(style)[0])

    def embed_style(self, style: Any) -> Any:
        """The (1, dim) numbers of a (1, H, W, 3) float32 style in 0..1, as the whole call makes them."""
        with _graph_errors(f"a style of {style.shape[1]}x{style.shape[2]}"):
            return np.asarray(self._embed(style))

    def paint_content(self, content: Any, embedding: Any) -> Any:
        """Paint (B, H, W, 3) float32 contents in 0..1 with (B, dim) numbers; float32, 0..1."""
        with _graph_errors(f"{content.shape[0]} frames of {content.shape[2]}x{content.shape[1]}"):
            return np.asarray(self._paint(content, embedding))

    def paint(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        """Paint (B, H, W, 3) uint8 frames with (B, dim) numbers; uint8, of the graph's own size."""
        count, height, width = frames.shape[:3]
        step = max(1, self._together // (height * width)) if self.batched else 1
        painted = []
        with _graph_errors(f"frames of {width}x{height}"):
            for i in range(0, count, step):
                part = self._paint_bytes(frames[i : i + step], embeddings[i : i + step])
                painted.append(part.numpy())
        return painted[0] if len(painted) == 1 else np.concatenate(painted)

    def close(self) -> None:
        """Let go of the graphs."""
        self._embed = self._paint = self._paint_bytes = None


class FrozenGraph:
    """A frozen graph (content, style) -> picture: its nodes, its ends, and what its inputs allow."""

    def __init__(self, definition: Any, inputs: tuple[str, str], output: str, spec: Any) -> None:
        self.definition = definition
        self.content, self.style = inputs
        self.output = output
        self.batched = spec.shape[0] is None
        height, width = spec.shape[1], spec.shape[2]
        self.fixed_size = (height, width) if height and width else None
        self.nodes = {node.name: node for node in definition.node}
        self.order = _sorted_nodes(self.nodes)

    def below(self, start: str) -> set[str]:
        """Names of all nodes that depend on ``start``, itself included."""
        found = {start}
        for name in self.order:
            if any(source in found for source in _sources(self.nodes[name])):
                found.add(name)
        return found

    def above(self, end: str) -> set[str]:
        """Names of all nodes that ``end`` depends on, itself included."""
        found, todo = {end}, [end]
        while todo:
            for source in _sources(self.nodes[todo.pop()]):
                if source not in found:
                    found.add(source)
                    todo.append(source)
        return found


class Cut:
    """Where a graph is cut in two: the tensor's name, its ``dim`` numbers, and its rank (2 or 4)."""

    def __init__(self, tensor: str, dim: int, rank: int) -> None:
        self.tensor, self.dim, self.rank = tensor, dim, rank


def find_embedding(graph: FrozenGraph) -> Cut:
    """The last tensor without height and width that all the style's influence passes through.

    A node lies on every path from the style to the picture if and only if as many paths pass
    through it as there are at all; Python's integers count them exactly, however many.
    """
    for content, style in ((graph.content, graph.style), (graph.style, graph.content)):
        for name in reversed(_bottlenecks(graph, content, style)):
            cut = _as_cut(graph, name)
            if cut is not None:
                graph.content, graph.style = content, style
                return cut
    raise EngineError(
        "this SavedModel has no style embedding that could be laid open: no tensor without height "
        "and width separates one of its two pictures from the result; --engine magenta takes "
        "models of Magenta's arbitrary image stylization"
    )


def use_threads(threads: int | None) -> None:
    """Let TensorFlow use that many threads (None: one for each core); too late once it has run."""
    import tensorflow as tf

    count = threads or os.cpu_count() or 1
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError:
        if threads and tf.config.threading.get_intra_op_parallelism_threads() != threads:
            _log.warning("TensorFlow already runs; %d threads can be set before its first use only", threads)


def _sources(node: Any) -> Iterator[str]:
    """Names of the nodes that a node reads (data inputs; control inputs were dropped)."""
    return (name.split(":")[0] for name in node.input)


def _sorted_nodes(nodes: dict[str, Any]) -> list[str]:
    """Names in an order in which each node stands after those that it reads."""
    order: list[str] = []
    state: dict[str, bool] = {}  # name -> whether it is done
    for root in nodes:
        stack = [root]
        while stack:
            name = stack[-1]
            if state.get(name):
                stack.pop()
            elif name in state:
                state[name] = True
                order.append(name)
                stack.pop()
            else:
                state[name] = False
                stack.extend(source for source in _sources(nodes[name]) if source not in state)
    return order


def _bottlenecks(graph: FrozenGraph, content: str, style: str) -> list[str]:
    """Nodes on every path from ``style`` to the output that do not know ``content``, in order."""
    inside = graph.below(style) & graph.above(graph.output)
    order = [name for name in graph.order if name in inside]
    to_here = dict.fromkeys(order, 0)
    from_here = dict.fromkeys(order, 0)
    if style not in to_here or graph.output not in from_here:
        return []
    to_here[style] = 1
    for name in order:
        to_here[name] += sum(to_here[s] for s in _sources(graph.nodes[name]) if s in inside)
    from_here[graph.output] = 1
    for name in reversed(order):
        for source in _sources(graph.nodes[name]):
            if source in inside:
                from_here[source] += from_here[name]
    every = to_here[graph.output]
    knows_content = graph.below(content)
    return [n for n in order if to_here[n] * from_here[n] == every and n not in knows_content]


def _as_cut(graph: FrozenGraph, name: str) -> Cut | None:
    """The cut at a node's one output, if that is (B, dim) or (B, 1, 1, dim) floats."""
    tensor = graph.shapes[name] if name in graph.shapes else None
    return None if tensor is None else tensor


def _damaged(folder: Path, why: str) -> AssetError:
    return AssetError(
        f"the SavedModel in {folder} is damaged or not whole ({why}); fetch it again with "
        "`vst models pull magenta`, or name another folder with --model"
    )
