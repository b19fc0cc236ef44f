"""Help in groups: the common options by default, every option with ``--help-all``, and an engine's
own options with ``--engine NAME --help``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import click

from vst.core.registry import make_unknown_error
from vst.engines import ENGINES
from vst.engines.options import collect_option_fields
from vst.job import Job

GROUPS = ("Styles", "Transition", "Look", "Mask", "Output", "Speed and limits")
"""Headings of the help, in order."""
OPTION_GROUPS = {
    "Styles": ("styles",),
    "Output": (
        "output", "dry_run", "as_json", "progress", "verbose", "help", "help_all",
    ),
    "Speed and limits": ("cluster", "workers", "storage"),
}  # fmt: skip
"""Heading -> the parameters below it that are not fields of `Job`: those carry their ``group``."""
SHORT_HELP = {
    "styles": "Picture, folder, video or @name; again for more.",
    "score": "A score says which style when (instead of -s).",
    "keyframes": "Keyframes taken from each style video.",
    "picker": "How they are chosen: middle, scene, diverse, …",
    "engine": "What paints: see `vst engines`.",
    "size": "Short side to paint at, in pixels.",
    "strength": "How strong the style is, 0 to 1.",
    "colors": "Whose colors: style, content, blend, only.",
    "steadiness": "How much flicker is removed, 0 to 1.",
    "mask": "Where to paint: person, auto, a box, a file.",
    "output": ".mp4 .mov .mkv .webm .gif, or frames/.",
    "start": "Time of the first frame: seconds or H:MM:SS.",
    "end": "Time before which the last frame is.",
    "overwrite": "Replace the output if it exists.",
    "dry_run": "Estimate the time; write nothing.",
    "cluster": "Paint on a Ray cluster: 'local' or its address.",
}
"""Parameter -> its help in one line, for the short help of ``--help``."""
COMMON = {
    name: SHORT_HELP[name]
    for name in (
        "styles", "score", "keyframes", "size", "strength", "colors", "steadiness", "mask",
        "engine", "output", "start", "end", "dry_run",
    )
}  # fmt: skip
"""Parameters of `vst stylize` that ``--help`` shows: as many as a screen of 24 lines holds."""
SHORT_HEADINGS = {"Mask": "Look", "Transition": "Styles"}
"""Headings that the short help joins to others."""
_ARGUMENTS, _ALL = "vst.help.arguments", "vst.help.all"


class GroupedCommand(click.Command):
    """A command whose help lists its options in groups.

    ``common``: the parameters that ``--help`` shows, with a line of help each (empty: the option's
    own); None: all but the engines' own. ``grouped``: whether there are headings for groups.
    """

    def __init__(
        self,
        *args: Any,
        common: Mapping[str, str] | None = None,
        grouped: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.common = common
        self.grouped = grouped
        if common is not None:
            self.params.append(_build_help_all_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments: ``--help`` runs before the options that it depends on are parsed."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups, or an engine's own options if the command line names an engine."""
        if ctx.meta.get(_ALL, False):
            sections = self._list_options(ctx, None, brief=False)
        else:
            engine = find_engine(ctx.meta.get(_ARGUMENTS, []))
            sections = self._list_options(ctx, engine, brief=self.common is not None)
            if engine is not None:
                sections = {h: rows for h, rows in sections.items() if h == f"Engine {engine}"}
                if not sections:
                    formatter.write_paragraph()
                    formatter.write_text(f"Engine {engine} has no options of its own.")
        if self._is_short(ctx):
            write_short_help(formatter, sections)
            return
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)

    def _is_short(self, ctx: click.Context) -> bool:
        """Whether the help is the short one, of the common options."""
        engine = find_engine(ctx.meta.get(_ARGUMENTS, []))
        return self.common is not None and engine is None and not ctx.meta.get(_ALL, False)

    def _list_options(
        self, ctx: click.Context, engine: str | None, *, brief: bool
    ) -> dict[str, list[tuple[str, str]]]:
        """Return heading -> flags and help; ``engine``: the one whose own options are listed in
        ``brief`` help, which lists no others.
        """
        rows: dict[str, list[tuple[str, str]]] = {group: [] for group in ("Options", *GROUPS)}
        engine_rows: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record, name = describe_option(param, ctx), param.name or ""
            if record is None:
                continue
            if owners := list_owners(param):
                for one in owners:
                    if one == engine or ctx.meta.get(_ALL, False):
                        engine_rows.setdefault(f"Engine {one}", []).append(record)
            elif not brief or self.common is None:
                rows[self._find_heading(name)].append(record)
            elif name in self.common or name == "help_all":
                text = self.common.get(name) or record[1]
                if name == "help_all" and any(map(list_owners, self.params)):
                    text += " Of an engine: --engine NAME --help."
                heading = self._find_heading(name)
                heading = SHORT_HEADINGS.get(heading, heading)
                rows[heading].append((shorten_flags(param), text))
        return {heading: found for heading, found in (rows | engine_rows).items() if found}

    def _find_heading(self, name: str) -> str:
        return find_group(name) if self.grouped else "Options"


def write_short_help(
    formatter: click.HelpFormatter, sections: Mapping[str, list[tuple[str, str]]]
) -> None:
    """Write sections in the same columns, without blank lines between: a screen has 24 lines."""
    width = max((len(flags) for rows in sections.values() for flags, _ in rows), default=0)
    formatter.write_paragraph()
    for heading, rows in sections.items():
        formatter.write_heading(heading)
        formatter.indent()
        formatter.write_dl([(flags.ljust(width), text) for flags, text in rows])
        formatter.dedent()


PLACEHOLDERS = {
    "directory": "FOLDER", "path": "PATH", "file": "PATH", "time": "TIME",
    "integer": "N", "integer range": "N", "float": "X", "float range": "X",
}  # fmt: skip
"""Type of an option's value -> what stands for it in the short help."""


def describe_option(param: click.Parameter, ctx: click.Context) -> tuple[str, str] | None:
    """Return flags and help of an option without its earlier spellings; None if it has no help."""
    record = param.get_help_record(ctx)
    if record is None or not isinstance(param, click.Option):
        return None
    flags, text = record
    for part in fields(Job):
        for alias in part.metadata.get("aliases", ()) if part.name == param.name else ():
            flags = flags.replace(f", --{alias.replace('_', '-')}", "")
            flags = flags.replace(f"--{alias.replace('_', '-')}, ", "")
    return flags, text


def shorten_flags(param: click.Parameter) -> str:
    """Return the flags of an option with a short placeholder for its value."""
    names = [flag for flag in param.opts if flag.startswith("--")][:1]
    flags = ", ".join([*[f for f in param.opts if not f.startswith("--")], *names])
    if not isinstance(param, click.Option) or param.is_flag:
        return flags
    return f"{flags} {param.metavar or PLACEHOLDERS.get(param.type.name, 'NAME')}"


def find_group(name: str) -> str:
    """Return the heading of a parameter, by its name."""
    for part in fields(Job):
        if part.name == name and part.metadata.get("group"):
            return str(part.metadata["group"])
    return next((group for group, names in OPTION_GROUPS.items() if name in names), "Output")


def find_engine(arguments: list[str]) -> str | None:
    """Return the engine that the command line names; raise if there is no such engine."""
    engine = None
    for word, following in zip(arguments, [*arguments[1:], ""]):
        if word == "--engine" and following:
            engine = following
        elif word.startswith("--engine="):
            engine = word.partition("=")[2]
    if engine is not None and engine not in ENGINES:
        raise make_unknown_error("engine", engine, ENGINES)
    return engine


def list_owners(param: click.Parameter) -> list[str]:
    """Return the engines whose own option this is; a command's option may have the same name."""
    return [] if param.expose_value else list(collect_option_fields().get(param.name or "", ()))


def list_engine_options(command: click.Command, engine: str) -> list[tuple[str, str]]:
    """Return flags and help of an engine's own options, as ``command`` takes them."""
    with click.Context(command) as ctx:
        own = (param for param in command.params if engine in list_owners(param))
        records = [describe_option(param, ctx) for param in own]
    return [record for record in records if record is not None]


def _build_help_all_option() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[_ALL] = True
            click.echo(ctx.get_help())
            ctx.exit()

    return click.Option(
        ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="List every option.",
    )  # fmt: skip
