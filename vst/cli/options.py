"""Options that several verbs share, and options made from the fields of `Job`, which hold the
defaults, the help and the ranges.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from vst.cli.quiet import enable_verbose
from vst.core.registry import make_unknown_error
from vst.core.timecode import parse_rate, parse_time
from vst.engines.options import OPTION_ALIASES, collect_option_fields
from vst.errors import UsageError
from vst.job import NATIVE, Job
from vst.schedule.easing import get_ease

if TYPE_CHECKING:
    from vst.cluster import ClusterSettings

Function = TypeVar("Function", bound=Callable[..., Any])


class OneOf(click.ParamType):  # type: ignore[type-arg]
    """One name of a table; the error for a wrong name suggests the nearest one."""

    name = "name"

    def __init__(self, choices: Iterable[str], earlier: Iterable[str] = ()) -> None:
        """``earlier``: names of earlier versions, accepted as they are, and not shown."""
        self.choices = list(choices)
        self.earlier = list(earlier)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "|".join(self.choices)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices and value not in self.earlier:
            self.fail(
                str(
                    make_unknown_error(
                        ((param and param.name) or "name").replace("_", "-"),
                        str(value),
                        self.choices,
                    )
                ),
                param,
                ctx,
            )
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self.choices if name.startswith(incomplete)]


class Parsed(click.ParamType):  # type: ignore[type-arg]
    """A value that a function of this package parses."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self.parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def parse_size(text: str) -> int | str:
    """Parse a number of pixels, or `NATIVE`."""
    if text == NATIVE:
        return text
    if text.isdigit():
        return int(text)
    raise UsageError(f"size {text!r} is not a number of pixels. Give one, or {NATIVE!r}")


def parse_ease(text: str) -> str:
    """Check and return the name of a curve."""
    get_ease(text)
    return text


def parse_times(text: str) -> tuple[float, ...]:
    """Parse times separated by commas: "1.5,4,0:09"."""
    return tuple(parse_time(part) for part in text.split(",") if part.strip())


TIME = Parsed("time", parse_time)
TIMES = Parsed("times", parse_times)
TYPES: dict[str, Any] = {
    "size": Parsed("pixels|native", parse_size),
    "start": TIME,
    "end": TIME,
    "fps": Parsed("rate", parse_rate),
    "keyframes": int,
    "crf": int,
    "first_number": int,
    "threads": int,
    "batch": int,
    "strength": float,
    "steadiness": float,
    "hold": float,
    "brush": float,
    "ghost": float,
    "speed": float,
    "patience": float,
    "max_pixels": int,
    "max_frames": int,
    "max_memory": float,
    "ease": Parsed("name|cubic-bezier(a,b,c,d)", parse_ease),
    "at": TIMES,
}
"""Field of `Job` -> type of its option, if that is not a plain word."""
METAVARS = {
    "score": "FILE", "lut": "FILE", "sidecar": "FILE", "model": "PATH", "mask": "WHERE",
    "mask_background": "STYLE", "mask_regions": "PATH", "save_mask": "PATH",
    "size": "N|native", "start": "TIME", "end": "TIME", "at": "TIME,TIME,…", "fps": "RATE",
    "ease": "CURVE", "painted": "TIME=PICTURE",
    "codec": "NAME", "patience": "SECONDS", "max_memory": "MB",
}  # fmt: skip
"""Field of `Job` -> what the help shows for its value; else N for a whole number, X for any."""
REPEATED = ("painted",)
"""Fields of `Job` whose option may be given again for more values."""


ENGINE_OPTIONS = "engine_options"
"""The field of `Job` that holds the engines' own options."""


def list_of(kind: type) -> Parsed:
    """Return a type for values separated by commas."""

    def parse(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(part.strip()) for part in text.split(",") if part.strip())
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not a list. Give {kind.__name__} values separated by commas"
            ) from error

    return Parsed("value,value,…", parse)


def engine_options(function: Function) -> Function:
    """Add the engines' own options; the command receives only those that the user gives."""
    for name, engines in reversed(collect_option_fields().items()):
        part: Field[Any] = next(iter(engines.values()))
        about, default = part.metadata, part.default
        flag = f"--{name.replace('_', '-')}"
        known = default if default not in ((), "") and not isinstance(default, bool) else None
        shown = f"  [default: {known}]" if known is not None else ""
        text = f"{about['help']}{shown}"
        if isinstance(default, bool):
            flag = f"{flag}/--no-{name.replace('_', '-')}"
            given: Any = click.option(
                flag, name, default=None, help=text, expose_value=False, callback=_keep_given
            )
        else:
            kind = about["kind"] or type(default)
            choices = about["choices"]
            type_ = OneOf(choices) if choices else list_of(kind) if default == () else kind
            given = click.option(
                flag, name, type=type_, default=None, help=text, expose_value=False,
                callback=_keep_given,
            )  # fmt: skip
            for alias in (one for one, of in OPTION_ALIASES.items() if of == name):
                function = click.option(
                    f"--{alias}", name, type=type_, default=None, hidden=True, expose_value=False,
                    callback=_keep_given,
                )(function)  # fmt: skip
        function = given(function)
    return function


def _keep_given(context: click.Context, param: click.Parameter, value: Any) -> None:
    """Pass an option on only if it was given."""
    if value is not None and param.name is not None:
        context.params[param.name] = value


def job_options(*names: str) -> Callable[[Function], Function]:
    """Return a decorator that adds the options of these fields of `Job`; `ENGINE_OPTIONS` stands
    for the engines' own.
    """

    def decorate(function: Function) -> Function:
        known = {part.name: part for part in fields(Job)}
        for name in reversed(names):
            if name == ENGINE_OPTIONS:
                function = engine_options(function)
                continue
            part = known[name]
            about: dict[str, Any] = {
                "help": part.metadata["help"],
                "default": part.default,
                "show_default": True,
            }
            flag = f"--{name.replace('_', '-')}"
            flags = (
                flag,
                *(f"--{old.replace('_', '-')}" for old in part.metadata.get("aliases", ())),
            )
            if isinstance(part.default, bool):
                # The flag is named for what it changes.
                flag = f"--no-{name} / --{name}" if part.default else flag
                if part.default:
                    function = click.option(f"--{name}/--no-{name}", **about)(function)
                else:
                    function = click.option(flag, is_flag=True, default=False, help=about["help"])(
                        function
                    )
                continue
            choices = part.metadata.get("choices")
            earlier = part.metadata.get("earlier_choices", ())
            about["type"] = OneOf(choices, earlier) if choices is not None else TYPES.get(name, str)
            about["multiple"] = name in REPEATED
            number = {int: "N", float: "X"}.get(TYPES.get(name, str))
            about["metavar"] = METAVARS.get(name, number)
            about["show_default"] = part.default not in (None, 0.0, ())
            function = click.option(*flags, name, **about)(function)
        return function

    return decorate


STYLE_HELP = "A picture, folder of pictures, video (its keyframes), @name, or none; again for more."


def style_option(function: Function, required: bool = True) -> Function:
    """Add -s, which may be given several times."""
    return click.option(
        "-s",
        "--style",
        "styles",
        multiple=True,
        required=required,
        metavar="STYLE",
        help=STYLE_HELP,
    )(function)


def output_option(text: str) -> Callable[[Function], Function]:
    """Return a decorator that adds -o with this help."""
    return click.option("-o", "--output", required=True, metavar="OUT", help=text)


def cluster_options(function: Function) -> Function:
    """Add --cluster, --workers and --storage."""
    function = click.option(
        "--storage", metavar="DIR|s3://…|object",
        help="With --cluster: how files travel: a folder that all machines see, a folder in object "
        "storage, or Ray's store.",
    )(function)  # fmt: skip
    function = click.option(
        "--workers", type=click.IntRange(min=1), metavar="N",
        help="With --cluster: workers at most (default: as many as fit).",
    )(function)  # fmt: skip
    return click.option(
        "--cluster", metavar="local|ADDRESS",
        help="Paint on a Ray cluster: its address, or 'local' for workers on this machine.",
    )(function)  # fmt: skip


def worker_threads_option(function: Function) -> Function:
    """Add --threads to a verb that uses it on a cluster only."""
    return click.option(
        "--threads", type=click.IntRange(min=1), metavar="N",
        help="With --cluster: cores of each worker.",
    )(function)  # fmt: skip


def cluster_settings(
    cluster: str | None,
    workers: int | None = None,
    storage: str | None = None,
    threads: int | None = None,
) -> ClusterSettings | None:
    """Return the settings of --cluster; None without it."""
    if cluster is None:
        for name, value in (("workers", workers), ("storage", storage), ("threads", threads)):
            if value is not None:
                raise UsageError(
                    f"--{name} {value} without --cluster: it is for clusters. Add --cluster"
                )
        return None
    from vst.cluster import ClusterSettings

    return ClusterSettings(cluster, workers, threads, storage)


def report_options(function: Function) -> Function:
    """Add --json, --progress and -v."""
    function = verbose_option(function)
    function = click.option(
        "--progress", type=OneOf(["auto", "plain", "none"]), default="auto", show_default=True,
        help="Progress: a bar on a terminal and lines elsewhere; lines; nothing.",
    )(function)  # fmt: skip
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and nothing else."
    )(function)


def pop_options(options: dict[str, Any], *names: str) -> list[Any]:
    """Remove these from the options that a command received by name, and return their values."""
    return [options.pop(name) for name in names]


def verbose_option(function: Function) -> Function:
    """Add -v."""
    return click.option(
        "-v", "--verbose", is_flag=True, is_eager=True, expose_value=False, callback=enable_verbose,
        help="Show messages of libraries, and tracebacks of unexpected errors.",
    )(function)  # fmt: skip


def print_json(value: Any, *, err: bool = False) -> None:
    """Print a JSON object on stdout, or with ``err`` on stderr."""
    click.echo(json.dumps(value, ensure_ascii=False), err=err)


def warn(warnings: Iterable[str]) -> None:
    """Print each warning as one line on stderr."""
    for text in warnings:
        click.echo(f"warning: {' '.join(text.split())}", err=True)
