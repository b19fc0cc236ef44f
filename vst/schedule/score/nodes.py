"""YAML as a tree that remembers its lines: what the score reader walks on.

Only plain mappings, lists and scalars come out, every scalar as its text. Aliases, tags, deep nests
and large files are refused before anything is built of them.
"""

from __future__ import annotations

from typing import Any, NoReturn

import yaml

from vst.errors import UsageError

LARGEST = 1_000_000
"""Bytes that a score may have."""
DEEPEST = 12
"""Mappings and lists within each other."""


class Place:
    """Where something stands: for errors that name file, line and key."""

    def __init__(self, file: str, line: int, key: str = "") -> None:
        self.file, self.line, self.key = file, line, key

    def fail(self, text: str) -> NoReturn:
        """Raise `UsageError` with the place before ``text``."""
        key = f"{self.key}: " if self.key else ""
        raise UsageError(f"{self.file}, line {self.line}: {key}{text}")


class Value:
    """A node: ``kind`` is text, mapping or list; ``content`` a str, a dict of key -> (Value, line)
    or a list of Values.
    """

    def __init__(self, kind: str, content: Any, place: Place) -> None:
        self.kind, self.content, self.place = kind, content, place


class _Loader(yaml.SafeLoader):
    """Composes nodes and builds nothing; lets a plain scalar begin with @, which YAML keeps for
    itself and never used.
    """

    depth = 0

    def check_plain(self) -> bool:
        return bool(super().check_plain()) or self.peek() == "@"

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        here: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem=f"alias *{event.anchor}; write the value out", problem_mark=here
            )
        if event.tag is not None and event.tag != "!":
            raise yaml.MarkedYAMLError(
                problem="tag (a word that begins with !); write a plain value", problem_mark=here
            )
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"more than {DEEPEST} levels; a score needs four",
                problem_mark=here,
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def parse(text: str, file: str) -> Value:
    """The tree of a YAML text; every mistake is a `UsageError` that names the line."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise UsageError(f"{file} has more than {LARGEST:,} bytes; a score is a short text")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        Place(file, line).fail(_mend(error, text, line))
    except (yaml.YAMLError, RecursionError) as error:
        found = " ".join(str(error).split())[:80]
        Place(file, 1).fail(f"this is no text in YAML ({found}); save it as UTF-8 text")
    finally:
        if loader is not None:
            loader.dispose()
    if node is None:
        Place(file, 1).fail("the score is empty; `vst score init` writes one to begin with")
    return _value(node, file)


def _mend(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """What is wrong with the YAML and what helps, in one line."""
    problem = " ".join(str(error.problem).split())
    row = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    if "\\t" in problem or "\t" in row:
        return "a tab; indent with spaces"
    if "mapping values are not allowed" in problem:
        return "two colons in one row; begin a row for each `key: value`, or quote the text"
    if "expected <block end>" in problem:
        return f"the indent does not fit the rows above; begin it below the row it belongs to: {row.strip()[:40]}"  # noqa: E501
    if "could not find expected ':'" in problem:
        return f"a row without a colon; write `key: value`: {row.strip()[:40]}"
    if "expected ',' or" in problem:
        return (
            "a bracket is not closed, or a comma is missing; close it, as in {ink: 0.5, sea: 0.5}"
        )
    if "quoted scalar" in f"{error.context} {problem}" or "end of stream" in problem:
        return "a quotation mark or bracket is not closed; close it"
    if problem.startswith(("alias", "tag", "more than")):
        return problem
    return f"this is not YAML ({problem}); write `key: value`, one to a row"


def _value(node: Any, file: str) -> Value:
    place = Place(file, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return Value("text", node.value, place)
    if isinstance(node, yaml.SequenceNode):
        return Value("list", [_value(child, file) for child in node.value], place)
    found: dict[str, Value] = {}
    for key, child in node.value:
        here = Place(file, key.start_mark.line + 1)
        if not isinstance(key, yaml.ScalarNode):
            here.fail("a key that is a list or a mapping; write a word")
        if key.value in found:
            here.key = key.value
            here.fail("given twice; leave one of them out")
        value = _value(child, file)
        # The line of the key is the one that a person looks at.
        value.place = Place(file, here.line, key.value)
        found[key.value] = value
    return Value("mapping", found, place)
