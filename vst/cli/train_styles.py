"""``vst train fast`` and ``vst train temporal``: networks that paint in one style."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vst.cli.help import GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import TIME, Function, OneOf, pop_options, print_json, report_options
from vst.cli.progress import Reporter
from vst.cli.stopping import explain_stop
from vst.core.packages import require_keras
from vst.core.types import Picture
from vst.engines.options import OPTION_ALIASES
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.research.training.style_plans import FastPlan, TemporalPlan

if TYPE_CHECKING:
    from vst.research.training.style_training import StyleTraining

FOLDER = click.Path(file_okay=False, path_type=Path)
HERE_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
HERE = click.Path(exists=True, path_type=Path)
SHOWN_IN_HELP = (
    "style", "at", "out", "resume", "pictures", "data", "kind", "minutes", "steps", "as_json",
)  # fmt: skip
COMMON = dict.fromkeys(SHOWN_IN_HELP, "")
"""Parameters that ``--help`` shows."""
KINDS = ("clean", "final")
WITHIN = ("rate_falls", "every")
"""Fields of the plans that have no option."""
MAY_CHANGE = ("minutes", "steps")
"""Options that a resumed training accepts."""


def plan_options(kind: type) -> Callable[[Function], Function]:
    """Add an option for each field of a plan that is one value; None: not given."""

    def decorate(function: Function) -> Function:
        for part in reversed(fields(kind)):
            about = part.metadata
            if part.name in WITHIN:
                continue
            given = about["kind"] or (str if part.default is None else type(part.default))
            default = f"{part.default:g}" if isinstance(part.default, float) else part.default
            function = click.option(
                f"--{part.name.replace('_', '-')}",
                part.name,
                type=OneOf(about["choices"]) if about["choices"] else given,
                help=about["help"] + (f"  [default: {default}]" if default is not None else ""),
            )(function)
            for alias in (one for one, of in OPTION_ALIASES.items() if of == part.name):
                function = click.option(
                    f"--{alias}", alias, type=OneOf(about["choices"]), hidden=True
                )(function)
        return function

    return decorate


def run_options(function: Function) -> Function:
    """Add the options of both kinds of training: the style, folders, and the network's sizes."""
    function = report_options(plan_options(FeedForwardPlan)(function))
    for option in (
        click.option("--resume", type=HERE_FOLDER, help="Resume the training in this folder."),
        click.option("--out", type=FOLDER, help="New folder for all results."),
        click.option("--at", type=TIME, help="If --style is a video: the time of its keyframe."),
        click.option(
            "--style",
            help="Style to learn: a picture, a video (its middle) or @name.",
        ),
    ):
        function = option(function)
    return function


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@run_options
@click.option("--pictures", type=HERE_FOLDER, help="Folder of pictures to train on.")
@plan_options(FastPlan)
def fast(
    style: str | None,
    at: float | None,
    pictures: Path | None,
    out: Path | None,
    resume: Path | None,
    **given: Any,
) -> None:
    """Train a network that paints in one style, on pictures.

    Paint with `--engine fast --model OUT/style.keras`. Ctrl-C stops the training, and --resume OUT
    resumes it from the last checkpoint, which is at most a minute old.

    \b
    Example: vst train fast --style wave.jpg --pictures photographs --out wave
    """
    report = pop_options(given, "as_json", "progress")
    values = drop_missing(given)
    require_keras("`vst train fast`")
    if resume is not None:
        refuse_on_resume(values, style=style, out=out)
        from vst.research.training.fast import FastTraining

        training = FastTraining.resume(resume, pictures, **values)
    else:
        style, pictures, out = require(style=style, pictures=pictures, out=out)
        plan, network = FastPlan(**select_fields(values, FastPlan)), build_network_plan(values)
        from vst.research.training.fast import FastTraining, PictureFolder

        picture = read_style_picture(style, at)
        training = FastTraining(
            picture, PictureFolder(pictures), out, plan, network, {"style": style}
        )
    run_and_print(training, *report)


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@run_options
@click.option(
    "--pass", "kind", type=OneOf(KINDS), help="Which of Sintel's pictures.  [default: clean]"
)
@click.option(
    "--data",
    multiple=True,
    type=HERE,
    help="Folder in Sintel's layout, a video, a folder of videos or of frames; again for more.",
)
@plan_options(TemporalPlan)
def temporal(
    style: str | None,
    at: float | None,
    data: tuple[Path, ...],
    kind: str | None,
    out: Path | None,
    resume: Path | None,
    **given: Any,
) -> None:
    """Train a network that paints in one style without flicker, on films.

    Like `vst train fast`, with losses along the films' motion: Sintel's flow and occlusions, or
    the flow that is estimated for any video.

    \b
    Example: vst train temporal --style wave.jpg --data holiday.mp4 --out wave
    """
    report = pop_options(given, "as_json", "progress")
    values = drop_missing(given)
    require_keras("`vst train temporal`")
    if resume is not None:
        refuse_on_resume(values, style=style, out=out, **{"pass": kind})
        from vst.research.training.temporal import TemporalTraining

        training = TemporalTraining.resume(resume, data, **values)
    else:
        style, data, out = require(style=style, data=data, out=out)
        plan, network = (
            TemporalPlan(**select_fields(values, TemporalPlan)),
            build_network_plan(values),
        )
        from vst.research.training.films import FilmSet
        from vst.research.training.temporal import TemporalTraining

        films = FilmSet.read(data, plan.side, kind or KINDS[0])
        picture = read_style_picture(style, at)
        training = TemporalTraining(picture, films, out, plan, network, {"style": style})
    run_and_print(training, *report)


def drop_missing(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the user gave."""
    return {
        OPTION_ALIASES.get(name, name): value for name, value in given.items() if value is not None
    }


def select_fields(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return the values that are fields of a plan."""
    names = {part.name for part in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def build_network_plan(values: dict[str, Any]) -> FeedForwardPlan:
    return FeedForwardPlan(**select_fields(values, FeedForwardPlan))


def require(**values: Any) -> Any:
    """Return the values in order; raise for the first that was not given."""
    for name, value in values.items():
        if not value:
            raise click.UsageError(
                f"--{name} is missing: a training needs --style, --out, --pictures or --data. "
                "Add it, or resume a stopped training with --resume alone"
            )
    return values.values()


def refuse_on_resume(values: dict[str, Any], **others: Any) -> None:
    """Refuse options that a resumed training takes from its folder."""
    given = [name for name, value in others.items() if value is not None]
    for name in [*given, *values]:
        if name not in MAY_CHANGE:
            allowed = ", ".join(f"--{one}" for one in MAY_CHANGE)
            raise click.UsageError(
                f"--{name.replace('_', '-')} beside --resume: a resumed training keeps its "
                f"settings. Give {allowed}, --pictures or --data only"
            )


def read_style_picture(style: str, at: float | None) -> Picture:
    """Return the picture of a style argument."""
    from vst.samples import PATTERNS, draw_pattern
    from vst.styles.resolve import resolve_styles

    name = style.removeprefix("@")
    if style.startswith("@") and name in PATTERNS:
        return draw_pattern(name)
    times = () if at is None else (at,)
    resolved = resolve_styles(
        [style], keyframes=1, picker="middle" if at is None else "manual", at=times
    )
    if len(resolved) != 1 or resolved[0].is_content:
        raise click.UsageError(
            f"--style {style!r} is not one picture: a network learns one style. Give one picture"
        )
    if resolved[0].space is not None:
        raise click.UsageError(
            f"--style {style!r} has no picture to learn from. Give a picture, or one of "
            f"the styles that are drawn: {', '.join(f'@{name}' for name in PATTERNS)}"
        )
    return resolved[0].picture


def describe_checkpoint(training: StyleTraining) -> str:
    """Say what a stopped training has kept."""
    if not training.rows:
        return f"nothing but the settings is kept in {training.out}"
    return f"the checkpoint of step {training.rows[-1]['steps']:.0f} is kept in {training.out}"


def run_and_print(training: StyleTraining, as_json: bool, progress: str) -> None:
    """Run a training, and print a summary."""
    with (
        Reporter(progress, "steps") as reporter,
        explain_stop(
            lambda: describe_checkpoint(training),
            format_command("train", training.kind, "--resume", training.out),
        ),
    ):
        record = training.run(reporter)
    if as_json:
        print_json({"out": str(training.out), **record})
        return
    first, last = (record["curves"][place]["held style"] for place in (0, -1))
    click.echo(
        f"{training.out / 'style.keras'}: {record['steps']} steps in {record['seconds'] / 60:.1f} "
        f"minutes; style loss on what was held out {first:.3g}, now {last:.3g}"
    )
    click.echo("training.json, curves.png and pictures.png are beside it")
    network = training.out / "style.keras"
    words = ("holiday.mp4", "--engine", "fast", "--model", network, "-o", "painted.mp4")
    print_next_steps(
        quiet=progress == "none",
        paint=format_command("stylize", *words),
        look=f"open {shlex.quote(str(training.out / 'pictures.png'))}",
    )
