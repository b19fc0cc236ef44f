"""Help in groups: the common options by default, every option with ``--help-all``, and an engine's
own options with ``--engine NAME --help``.
"""

from __future__ import annotations

from collections.abc import Collection
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
COMMON = frozenset({
    "styles", "score", "keyframes", "picker", "ease", "blend", "loop", "engine", "model", "size",
    "strength", "colors", "steadiness", "mask", "mask_background", "output", "start", "end",
    "overwrite", "dry_run", "threads", "cluster", "help", "help_all",
})  # fmt: skip
"""Parameters of `vst stylize` and `vst preview` that ``--help`` shows."""
_ARGUMENTS, _ALL = "vst.help.arguments", "vst.help.all"


class GroupedCommand(click.Command):
    """A command whose help lists its options in groups.

    ``common``: the parameters that ``--help`` shows; None: all but the engines' own.
    """

    def __init__(self, *args: Any, common: Collection[str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.common = common
        if common is not None:
            self.params.append(_build_help_all_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments: ``--help`` runs before the options that it depends on are parsed."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups, or an engine's own options if the command line names an engine."""
        own = collect_option_fields()
        show_all = ctx.meta.get(_ALL, False)
        engine = find_engine(ctx.meta.get(_ARGUMENTS, []))
        rows: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        engine_rows: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = describe_option(param, ctx)
            name = param.name or ""
            if record is None:
                continue
            if name in own:
                for one in own[name]:
                    if show_all or one == engine:
                        engine_rows.setdefault(one, []).append(record)
            elif show_all or self.common is None or name in self.common:
                rows[find_group(name)].append(record)
        if engine is not None and not show_all:
            rows = {}
            if not engine_rows:
                formatter.write_paragraph()
                formatter.write_text(f"Engine {engine} has no options of its own.")
        for heading, found in rows.items():
            if found:
                with formatter.section(heading):
                    formatter.write_dl(found)
        for one, found in engine_rows.items():
            with formatter.section(f"Engine {one}"):
                formatter.write_dl(found)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say where the remaining options are."""
        if self.common is not None and not ctx.meta.get(_ALL, False):
            formatter.write_paragraph()
            formatter.write_text(
                "--help-all lists every option; --engine NAME --help lists an engine's own."
            )
        super().format_epilog(ctx, formatter)


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


def list_engine_options(command: click.Command, engine: str) -> list[tuple[str, str]]:
    """Return flags and help of an engine's own options, as ``command`` takes them."""
    own = [name for name, engines in collect_option_fields().items() if engine in engines]
    with click.Context(command) as ctx:
        records = [describe_option(p, ctx) for p in command.params if p.name in own]
    return [record for record in records if record is not None]


def _build_help_all_option() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[_ALL] = True
            click.echo(ctx.get_help())
            ctx.exit()

    return click.Option(
        ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show every option, the engines' own too.",
    )  # fmt: skip
