"""Options that verbs share, and the way from a field of `Job` to an option: its default, help and
range stand there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from vst.cli.quiet import enable_verbose
from vst.core.registry import make_unknown_error
from vst.core.timecode import parse_rate, parse_time
from vst.engines.options import OPTION_ALIASES, collect_option_fields
from vst.errors import OutputError, OutputExistsError, UsageError
from vst.job import NATIVE, Job
from vst.plotting.basics import FORMATS
from vst.schedule.easing import get_ease

if TYPE_CHECKING:
    from vst.cluster import ClusterSettings

Function = TypeVar("Function", bound=Callable[..., Any])


class OneOf(click.ParamType):  # type: ignore[type-arg]
    """One name of a table; a wrong one is answered with the nearest right one."""

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
                        param.name or "name" if param else "name", str(value), self.choices
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
    """A value that one of our own functions reads."""

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
    """Pixels, or the word for the content's own size."""
    if text == NATIVE:
        return text
    if text.isdigit():
        return int(text)
    raise UsageError(f"size {text!r}; allowed is a number of pixels or {NATIVE!r}")


def parse_ease(text: str) -> str:
    """The name of a curve, if it is one."""
    get_ease(text)
    return text


def parse_times(text: str) -> tuple[float, ...]:
    """Times with commas between them: "1.5,4,0:09"."""
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
"""Fields of `Job` whose option reads more than a word."""


ENGINE_OPTIONS = "engine_options"
"""The field of `Job` that stands for all the options that engines have of their own."""


def list_of(kind: type) -> Parsed:
    """Values with commas between them."""

    def parse(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(part.strip()) for part in text.split(",") if part.strip())
        except ValueError as error:
            raise UsageError(
                f"{text!r}; give {kind.__name__} values with commas between"
            ) from error

    return Parsed("value,value,…", parse)


def engine_options(function: Function) -> Function:
    """Add the options that engines have of their own; only those that the user gives appear among
    the arguments.
    """
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
    """Hand an option on only where it was given."""
    if value is not None and param.name is not None:
        context.params[param.name] = value


def job_options(*names: str) -> Callable[[Function], Function]:
    """Add the options for these fields of `Job`; what the user leaves out does not appear among the
    arguments. `ENGINE_OPTIONS` among them adds those of the engines.
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
                # A switch is named for what it changes.
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
            about["show_default"] = part.default not in (None, 0.0, ())
            function = click.option(*flags, name, **about)(function)
        return function

    return decorate


STYLE_HELP = "A picture, folder of pictures, video (its keyframes), @name, or none; again for more."


def style_option(function: Function, required: bool = True) -> Function:
    """-s, as often as wanted."""
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
    """-o, with its help."""
    return click.option("-o", "--output", required=True, metavar="OUT", help=text)


def cluster_options(function: Function) -> Function:
    """--cluster, --workers and --storage: on which machines."""
    function = click.option(
        "--storage", metavar="DIR|object",
        help="With --cluster: how files travel: a folder that all machines see, or Ray's store.",
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
    """--threads, where it means something on a cluster only."""
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
    """The cluster that was asked for, if one was."""
    if cluster is None:
        for name, value in (("workers", workers), ("storage", storage), ("threads", threads)):
            if value is not None:
                raise UsageError(f"--{name} {value} means something with --cluster only")
        return None
    from vst.cluster import ClusterSettings

    return ClusterSettings(cluster, workers, threads, storage)


def report_options(function: Function) -> Function:
    """--json, --progress and -v: how a verb talks."""
    function = verbose_option(function)
    function = click.option(
        "--progress", type=OneOf(["auto", "plain", "none"]), default="auto", show_default=True,
        help="How progress is shown: a bar on a terminal, else lines; lines; or not at all.",
    )(function)  # fmt: skip
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
    )(function)


def verbose_option(function: Function) -> Function:
    """-v."""
    return click.option(
        "-v", "--verbose", is_flag=True, is_eager=True, expose_value=False, callback=enable_verbose,
        help="Show what TensorFlow and others say, and where an unexpected error happened.",
    )(function)  # fmt: skip


def check_picture_output(output: str, overwrite: bool) -> None:
    """Refuse a name for a picture that cannot be written, before any work is done."""
    path = Path(output)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"output {output!r} is not a picture; give a name that ends in {', '.join(FORMATS)}"
        )
    if path.is_dir():
        raise OutputExistsError(f"output {output!r} is a folder; give the picture a name in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"the folder of {output!r} is not there; make it, or give another name")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"output {output!r} is already there; --overwrite replaces it")


def check_engine_outputs(job: Job) -> None:
    """The same for what the engine draws besides."""
    path = dict(job.engine_options).get("keep_steps")
    if path:
        check_picture_output(path, job.overwrite)


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def warn(warnings: Iterable[str]) -> None:
    """Each warning as one line on stderr."""
    for text in warnings:
        click.echo(f"warning: {' '.join(text.split())}", err=True)
