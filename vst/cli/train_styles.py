"""``vst train fast`` and ``vst train temporal``: networks that paint in one style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vst.cli.options import TIME, Function, OneOf, print_json, report_options
from vst.cli.progress import Reporter
from vst.core.types import Picture
from vst.engines.options import OPTION_ALIASES
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.research.training.style_plans import FastPlan, TemporalPlan

if TYPE_CHECKING:
    from vst.research.training.style_training import StyleTraining

FOLDER = click.Path(file_okay=False, path_type=Path)
HERE_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
HERE = click.Path(exists=True, path_type=Path)
KINDS = ("clean", "final")
WITHIN = ("rate_falls", "every")
"""Fields of plans that have no option."""
MAY_CHANGE = ("minutes", "steps")
"""What a training may be given anew when it goes on."""


def plan_options(kind: type) -> Callable[[Function], Function]:
    """An option for each field of a plan that is one value; None is what the user did not give."""

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
        click.option("--resume", type=HERE_FOLDER, help="Go on with the training in this folder."),
        click.option("--out", type=FOLDER, help="A new folder for everything that is made."),
        click.option("--at", type=TIME, help="Where --style is a video: the time of its keyframe."),
        click.option(
            "--style",
            help="The style to learn: a picture, a video (its middle) or a built-in @name.",
        ),
    ):
        function = option(function)
    return function


@click.command()
@run_options
@click.option("--pictures", type=HERE_FOLDER, help="A folder of pictures to learn to paint.")
@plan_options(FastPlan)
def fast(
    style: str | None,
    at: float | None,
    pictures: Path | None,
    out: Path | None,
    resume: Path | None,
    as_json: bool,
    progress: str,
    **given: Any,
) -> None:
    """Train a network that paints in one style, on pictures.

    OUT/style.keras is for `--engine fast --model OUT/style.keras`. Stop with Ctrl-C at any time
    and go on with --resume OUT: what was learnt since the last minute's checkpoint is lost.

    \b
    Example: vst train fast --style wave.jpg --pictures photographs --minutes 60 --out wave
    """
    values = drop_missing(given)
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
    run_and_print(training, as_json, progress)


@click.command()
@run_options
@click.option(
    "--pass", "kind", type=OneOf(KINDS), help="Which of Sintel's pictures.  [default: clean]"
)
@click.option(
    "--data",
    multiple=True,
    type=HERE,
    help="A folder in Sintel's layout, a video, a folder of videos or of frames; again for more.",
)
@plan_options(TemporalPlan)
def temporal(
    style: str | None,
    at: float | None,
    data: tuple[Path, ...],
    kind: str | None,
    out: Path | None,
    resume: Path | None,
    as_json: bool,
    progress: str,
    **given: Any,
) -> None:
    """Train a network that paints in one style and stays steady, on films.

    As `vst train fast`, with losses along the motion of the films: from Sintel's flow and
    occlusions, or as it is computed for any video.

    \b
    Example: vst train temporal --style wave.jpg --data MPI-Sintel --minutes 600 --out wave
    """
    values = drop_missing(given)
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
    run_and_print(training, as_json, progress)


def drop_missing(given: dict[str, Any]) -> dict[str, Any]:
    """The options that the user gave."""
    return {
        OPTION_ALIASES.get(name, name): value for name, value in given.items() if value is not None
    }


def select_fields(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """Those of the values that are fields of a plan."""
    names = {part.name for part in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def build_network_plan(values: dict[str, Any]) -> FeedForwardPlan:
    return FeedForwardPlan(**select_fields(values, FeedForwardPlan))


def require(**values: Any) -> Any:
    """The values in order; an error for the first that was not given."""
    for name, value in values.items():
        if not value:
            raise click.UsageError(
                f"--{name} is missing; a new training has --style, --out and what it learns from, "
                "a begun one only --resume"
            )
    return values.values()


def refuse_on_resume(values: dict[str, Any], **others: Any) -> None:
    """A training that goes on keeps what it was begun with, but for its end."""
    given = [name for name, value in others.items() if value is not None]
    for name in [*given, *values]:
        if name not in MAY_CHANGE:
            allowed = ", ".join(f"--{one}" for one in MAY_CHANGE)
            raise click.UsageError(
                f"--{name.replace('_', '-')} beside --resume; a training that goes on keeps its "
                f"settings; given can be {allowed}, and where its pictures or films are now"
            )


def read_style_picture(style: str, at: float | None) -> Picture:
    """The picture of a style as the user names it."""
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
        raise click.UsageError(f"--style {style!r} is not one picture; a network learns one style")
    if resolved[0].space is not None:
        raise click.UsageError(
            f"--style {style!r} is kept without a picture to learn from; give a picture, or one of "
            f"those that are drawn: {', '.join(f'@{name}' for name in PATTERNS)}"
        )
    return resolved[0].picture


def run_and_print(training: StyleTraining, as_json: bool, progress: str) -> None:
    """Run it, and say what came out."""
    with Reporter(progress, "steps") as reporter:
        record = training.run(reporter)
    if as_json:
        print_json({"out": str(training.out), **record})
        return
    first, last = (record["curves"][place]["held style"] for place in (0, -1))
    click.echo(
        f"{training.out / 'style.keras'}: {record['steps']} steps in {record['seconds'] / 60:.1f} "
        f"minutes; style loss on what was held out {first:.3g}, now {last:.3g}"
    )
    click.echo("training.json, curves.png and pictures.png lie beside it")
