"""Where to cut a graph (content, style) -> picture in two: by its structure alone.

Names of operations differ from copy to copy of Magenta's model, so the embedding is what it does:
of all the tensors that the style's *whole* influence passes through, and that know nothing of the
content, it is the last one that has no height and width. In Magenta's own export that is the 768
numbers which all 86 ``style_params`` convolutions read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vst.errors import EngineError


@dataclass
class FrozenGraph:
    """A graph (content, style) -> picture with its values inside: its nodes by name, its ends, and
    the TensorFlow graph that knows the shapes.
    """

    nodes: dict[str, Any]
    content: str
    style: str
    output: str
    shapes: Any

    def __post_init__(self) -> None:
        self.order = _sorted_nodes(self.nodes)

    def shape_of(self, name: str) -> list[int | None]:
        """The shape of a node's first output, as far as it is known; [] where it is not at all."""
        shape = self.shapes.get_tensor_by_name(f"{name}:0").shape
        return [] if shape.rank is None else shape.as_list()

    def size_of(self, name: str) -> tuple[int, int] | None:
        """Height and width of pictures, where they are fixed."""
        height, width = self.shape_of(name)[1:3]
        return (height, width) if height and width else None

    def has_one_output(self, name: str) -> bool:
        """Whether nobody reads a second output of a node, as all do of one that splits."""
        seconds = re.compile(re.escape(name) + r":[1-9]\d*")
        return not any(
            seconds.fullmatch(source) for node in self.nodes.values() for source in node.input
        )

    def below(self, start: str) -> set[str]:
        """Names of all nodes that depend on ``start``, itself included."""
        found = {start}
        for name in self.order:
            if any(source in found for source in sources_of(self.nodes[name])):
                found.add(name)
        return found

    def above(self, end: str, stop: str = "") -> set[str]:
        """Names of all nodes that ``end`` depends on, itself included; not behind ``stop``."""
        found, todo = {end}, [end]
        while todo:
            name = todo.pop()
            for source in sources_of(self.nodes[name]) if name != stop else ():
                if source not in found:
                    found.add(source)
                    todo.append(source)
        return found


@dataclass(frozen=True)
class Cut:
    """Where a graph is cut in two: the node whose first output is the embedding, its shape there
    (None for the batch), and how many numbers that is.
    """

    node: str
    shape: tuple[int | None, ...]
    dim: int


def find_embedding(graph: FrozenGraph) -> Cut:
    """The last tensor without height and width that all the style's influence passes through.

    Which of the two inputs is the style is found the same way: the content has no such tensor.
    """
    for content, style in ((graph.content, graph.style), (graph.style, graph.content)):
        for name in reversed(_bottlenecks(graph, content, style)):
            shape = graph.shape_of(name)
            flat = len(shape) == 2 or (len(shape) == 4 and shape[1:3] == [1, 1])
            if flat and shape[-1] and shape[-1] > 1 and graph.has_one_output(name):
                graph.content, graph.style = content, style
                return Cut(name, tuple(shape), shape[-1])
    raise EngineError(
        "this SavedModel has no style embedding that could be laid open: no tensor without height "
        "and width stands between one of its two pictures and the result; --engine magenta takes "
        "copies of Magenta's arbitrary image stylization"
    )


def _bottlenecks(graph: FrozenGraph, content: str, style: str) -> list[str]:
    """Nodes on every path from ``style`` to the output that do not know ``content``, in order.

    A node is on every path if and only if as many paths pass through it as there are at all;
    Python's integers count them exactly, however many.
    """
    inside = graph.below(style) & graph.above(graph.output)
    if style not in inside or graph.output not in inside:
        return []
    order = [name for name in graph.order if name in inside]
    to_here, from_here = dict.fromkeys(order, 0), dict.fromkeys(order, 0)
    to_here[style] = from_here[graph.output] = 1
    for name in order:
        to_here[name] += sum(to_here[s] for s in sources_of(graph.nodes[name]) if s in inside)
    for name in reversed(order):
        for source in sources_of(graph.nodes[name]):
            if source in inside:
                from_here[source] += from_here[name]
    every, knows_content = to_here[graph.output], graph.below(content)
    return [n for n in order if to_here[n] * from_here[n] == every and n not in knows_content]


def sources_of(node: Any) -> list[str]:
    """Names of the nodes whose outputs a node reads."""
    return [name.split(":")[0] for name in node.input]


def _sorted_nodes(nodes: dict[str, Any]) -> list[str]:
    """Names in an order in which each node stands after those that it reads."""
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
                stack.extend(s for s in sources_of(nodes[name]) if s not in opened)
    return order
