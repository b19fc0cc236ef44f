"""Parses YAML to a tree of nodes with line numbers, for the score reader.

The tree has plain mappings, lists and scalars only, each scalar as its text. Aliases, tags, deep
nesting and large files are refused before anything is built from them.
"""

from __future__ import annotations

from typing import Any, NoReturn

import yaml

from vst.errors import UsageError

MAX_BYTES = 1_000_000
"""Upper limit of a score's size in bytes."""
MAX_DEPTH = 12
"""Upper limit of nested mappings and lists."""


class YamlLocation:
    """A file, a line (from 1) and a key, for errors."""

    def __init__(self, file: str, line: int, key: str = "") -> None:
        self.file, self.line, self.key = file, line, key

    def fail(self, text: str) -> NoReturn:
        """Raise `UsageError` with the location before ``text``."""
        key = f"{self.key}: " if self.key else ""
        raise UsageError(f"{self.file}, line {self.line}: {key}{text}")


class YamlNode:
    """A node of the tree.

    ``kind``: text, mapping or list. ``content``: a str, a dict of key -> node, or a list of nodes.
    """

    def __init__(self, kind: str, content: Any, location: YamlLocation) -> None:
        self.kind, self.content, self.location = kind, content, location


class _Loader(yaml.SafeLoader):
    """Composes nodes without constructing objects.

    A plain scalar may begin with @, which YAML reserves and does not use.
    """

    depth = 0

    def check_plain(self) -> bool:
        return bool(super().check_plain()) or self.peek() == "@"

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        here: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem=f"alias *{event.anchor}. Write the value out.", problem_mark=here
            )
        if event.tag is not None and event.tag != "!":
            raise yaml.MarkedYAMLError(
                problem="tag (a word that begins with !). Write a plain value.", problem_mark=here
            )
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MAX_DEPTH} levels. A score needs four.",
                problem_mark=here,
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def parse_yaml(text: str, file: str) -> YamlNode:
    """Parse a YAML text; raises `UsageError` that names the file and the line."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise UsageError(f"{file} has more than {MAX_BYTES:,} bytes. Give a score, a short text.")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        YamlLocation(file, line).fail(_explain_error(error, text, line))
    except (yaml.YAMLError, RecursionError) as error:
        found = " ".join(str(error).split())[:80]
        YamlLocation(file, 1).fail(f"this is not text in YAML ({found}). Save it as UTF-8 text.")
    finally:
        if loader is not None:
            loader.dispose()
    if node is None:
        YamlLocation(file, 1).fail("the score is empty. `vst score init` writes one to start from.")
    return _build_node(node, file)


def _explain_error(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """Return in one line what is wrong with the YAML and how to fix it."""
    problem = " ".join(str(error.problem).split())
    row = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    if "\\t" in problem or "\t" in row:
        return "a tab. Indent with spaces."
    if "mapping values are not allowed" in problem:
        return "two colons on one line. Start a line for each `key: value`, or quote the text."
    if "expected <block end>" in problem:
        return (
            f"the indent of {row.strip()[:40]!r} does not fit the lines above. "
            "Align it with the lines that it belongs to."
        )
    if "could not find expected ':'" in problem:
        return f"{row.strip()[:40]!r} has no colon. Write `key: value`."
    if "expected ',' or" in problem:
        return (
            "a bracket is not closed, or a comma is missing. Close it, as in {ink: 0.5, sea: 0.5}."
        )
    if "quoted scalar" in f"{error.context} {problem}" or "end of stream" in problem:
        return "a quotation mark or bracket is not closed. Close it."
    if problem.startswith(("alias", "tag", "more than")):
        return problem
    return f"this is not YAML ({problem}). Write one `key: value` on each line."


def _build_node(node: Any, file: str) -> YamlNode:
    location = YamlLocation(file, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return YamlNode("text", node.value, location)
    if isinstance(node, yaml.SequenceNode):
        return YamlNode("list", [_build_node(child, file) for child in node.value], location)
    found: dict[str, YamlNode] = {}
    for key, child in node.value:
        here = YamlLocation(file, key.start_mark.line + 1)
        if not isinstance(key, yaml.ScalarNode):
            here.fail("a key is a list or a mapping. Use a word as the key.")
        if key.value in found:
            here.key = key.value
            here.fail("given twice. Remove one of them.")
        value = _build_node(child, file)
        # Errors name the line of the key, where its value may be on a later one.
        value.location = YamlLocation(file, here.line, key.value)
        found[key.value] = value
    return YamlNode("mapping", found, location)
