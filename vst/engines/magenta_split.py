"""Finds the style embedding inside a graph (content, style) -> picture, by its structure.

Names of operations differ between copies of Magenta's model. The embedding is therefore found by
what it does: among the tensors through which *all* of the style's influence passes, and which do
not depend on the content, it is the last one without height and width. In Magenta's own export
these are the 768 numbers that all 86 ``style_params`` convolutions read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vst.errors import EngineError


@dataclass
class FrozenGraph:
    """A graph (content, style) -> picture with its weights as constants: its nodes by name, the
    names of its inputs and its output, and the TensorFlow graph, which has the shapes.
    """

    nodes: dict[str, Any]
    content: str
    style: str
    output: str
    shapes: Any

    def __post_init__(self) -> None:
        self.order = _sort_nodes(self.nodes)

    def get_shape(self, name: str) -> list[int | None]:
        """Return the shape of a node's first output; [] where even its rank is unknown."""
        shape = self.shapes.get_tensor_by_name(f"{name}:0").shape
        return [] if shape.rank is None else shape.as_list()

    def get_fixed_size(self, name: str) -> tuple[int, int] | None:
        """Return the height and width of pictures if they are fixed."""
        height, width = self.get_shape(name)[1:3]
        return (height, width) if height and width else None

    def has_single_output(self, name: str) -> bool:
        """Whether no node reads a second output of this one."""
        seconds = re.compile(re.escape(name) + r":[1-9]\d*")
        return not any(
            seconds.fullmatch(source) for node in self.nodes.values() for source in node.input
        )

    def find_descendants(self, start: str) -> set[str]:
        """Return the names of all nodes that depend on ``start``, and its own."""
        found = {start}
        for name in self.order:
            if any(source in found for source in get_inputs(self.nodes[name])):
                found.add(name)
        return found

    def find_ancestors(self, end: str, stop: str = "") -> set[str]:
        """Return the names of ``end`` and of all nodes that it depends on, not beyond ``stop``."""
        found, todo = {end}, [end]
        while todo:
            name = todo.pop()
            for source in get_inputs(self.nodes[name]) if name != stop else ():
                if source not in found:
                    found.add(source)
                    todo.append(source)
        return found


@dataclass(frozen=True)
class SplitPoint:
    """Where a graph splits in two: the node whose first output is the embedding, its shape (None
    for the batch), and its length.
    """

    node: str
    shape: tuple[int | None, ...]
    dim: int


def find_split(graph: FrozenGraph) -> SplitPoint:
    """Find the last tensor without height and width through which all of the style's influence
    passes. It also decides which input is the style: the content has no such tensor.
    """
    for content, style in ((graph.content, graph.style), (graph.style, graph.content)):
        for name in reversed(_find_bottlenecks(graph, content, style)):
            shape = graph.get_shape(name)
            flat = len(shape) == 2 or (len(shape) == 4 and shape[1:3] == [1, 1])
            if flat and shape[-1] and shape[-1] > 1 and graph.has_single_output(name):
                graph.content, graph.style = content, style
                return SplitPoint(name, tuple(shape), shape[-1])
    raise EngineError(
        "this SavedModel has no style embedding: no tensor without height and width lies between "
        "one of its two inputs and its output. Engine 'magenta' runs copies of Magenta's arbitrary "
        "image stylization."
    )


def _find_bottlenecks(graph: FrozenGraph, content: str, style: str) -> list[str]:
    """Return the nodes on every path from ``style`` to the output that do not depend on
    ``content``, in order.

    A node is on every path if and only if all paths pass through it; Python's integers count them
    exactly, however many there are.
    """
    inside = graph.find_descendants(style) & graph.find_ancestors(graph.output)
    if style not in inside or graph.output not in inside:
        return []
    order = [name for name in graph.order if name in inside]
    to_here, from_here = dict.fromkeys(order, 0), dict.fromkeys(order, 0)
    to_here[style] = from_here[graph.output] = 1
    for name in order:
        to_here[name] += sum(to_here[s] for s in get_inputs(graph.nodes[name]) if s in inside)
    for name in reversed(order):
        for source in get_inputs(graph.nodes[name]):
            if source in inside:
                from_here[source] += from_here[name]
    every, depends_on_content = to_here[graph.output], graph.find_descendants(content)
    return [n for n in order if to_here[n] * from_here[n] == every and n not in depends_on_content]


def get_inputs(node: Any) -> list[str]:
    """Return the names of the nodes whose outputs a node reads."""
    return [name.split(":")[0] for name in node.input]


def _sort_nodes(nodes: dict[str, Any]) -> list[str]:
    """Return the names in topological order: each node after those that it reads."""
    order: list[str] = []
    opened: set[str] = set()
    done: set[str] = set()
    for root in nodes:
        stack = [root]
        while stack:
            name = stack[-1]
            if name in opened:
                stack.pop()
                if name not in done:
                    done.add(name)
                    order.append(name)
            else:
                opened.add(name)
                stack.extend(s for s in get_inputs(nodes[name]) if s not in opened)
    return order
