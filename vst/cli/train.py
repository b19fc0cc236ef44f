"""``vst train``: train networks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vst.cli.help import GroupedCommand
from vst.cli.next_steps import format_command
from vst.cli.options import OneOf, pop_options, print_json, report_options
from vst.cli.progress import Reporter
from vst.cli.stopping import explain_stop
from vst.cli.train_styles import fast, temporal
from vst.core.data_folder import FAST, FINE, locate_weights
from vst.core.packages import require_keras, require_tensorflow
from vst.pipeline.checks import check_model

FOLDER = click.Path(file_okay=False, path_type=Path)
HERE = click.Path(exists=True, file_okay=False, path_type=Path)
teacher_option = click.option(
    "--teacher", required=True, type=HERE, help="The folder with Magenta's TFLite pair."
)
pictures_option = click.option(
    "--pictures", type=HERE, required=True, help="A folder with content/ and style/ pictures."
)
out_option = click.option("--out", type=FOLDER, help="New folder for all results.")
resume_option = click.option("--resume", type=FOLDER, help="Resume the training in this folder.")


@click.group("train")
def command() -> None:
    """Train networks: for one style, or the small model that comes with this package.

    \b
    Example: vst train fast --style wave.jpg --pictures photographs --out wave
    """


COMMON = {
    "teacher": "The folder with Magenta's TFLite pair.",
    "pictures": "A folder with content/ and style/ pictures.",
    "minutes": "Minutes of training (120).",
    "out": "New folder for all results.",
    "resume": "Resume the training in this folder.",
    "clips": "Clip whose motion is learned; again for more.",
    "backend": "tensorflow, jax or torch.",
}
"""Parameters that ``--help`` shows."""


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@teacher_option
@pictures_option
@click.option("--minutes", type=click.FloatRange(min=0.01), default=120, show_default=True)
@out_option
@resume_option
@click.option(
    "--clip",
    "clips",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Clip whose frames and motion are learned; again for more.",
)
@click.option(
    "--pairs", type=click.IntRange(min=8), help="Number of pictures that the teacher paints."
)
@click.option(
    "--labels", type=click.IntRange(min=8), help="Number of pictures that the teacher embeds."
)
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax", "torch"]),
    help="Backend of Keras (default: KERAS_BACKEND, else TensorFlow).",
)
@report_options
def embedded(
    teacher: Path,
    pictures: Path,
    out: Path | None,
    resume: Path | None,
    clips: tuple[Path, ...],
    **options: Any,
) -> None:
    """Train the predictor and the painter from random values, on the teacher's pictures.

    Ctrl-C stops the training, and --resume resumes it. OUT/weights holds the best weights by
    validation, for `--engine embedded --model OUT/weights`.

    \b
    Example: vst train embedded --teacher tflite --pictures photos --out run
    """
    folder = find_run_folder(out, resume)
    as_json, progress, backend = pop_options(options, "as_json", "progress", "backend")
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    require_tensorflow("the teacher of `vst train embedded`")
    require_keras("`vst train embedded`")
    from vst.research.training.distillation import Distillation, DistillationPlan

    given = {name: value for name, value in options.items() if value is not None}
    plan = replace(DistillationPlan(), **given)
    words = ("--teacher", teacher, "--pictures", pictures, "--resume", folder)
    again = format_command("train", "embedded", *words)
    with (
        Reporter(progress, "of it") as reporter,
        explain_stop(lambda: f"the last checkpoint is kept in {folder}", again),
    ):
        measures = Distillation(teacher, pictures, folder, plan, clips=clips).run(reporter)
    if as_json:
        print_json({"out": str(folder), **measures})
        return
    click.echo(
        f"weights in {folder / 'weights'}, curves.png, grid.png and measures.json beside them"
    )


PAINTER_COMMON = {
    "teacher": COMMON["teacher"],
    "judge": "A folder with vgg16.npz and alexnet.npz.",
    "pictures": COMMON["pictures"],
    "size": "fast or fine.",
    "minutes": "Minutes of training (120).",
    "out": COMMON["out"],
    "resume": COMMON["resume"],
}
"""Parameters that ``--help`` of the verb `painter` shows."""


@command.command(cls=GroupedCommand, grouped=False, common=PAINTER_COMMON)
@teacher_option
@click.option(
    "--judge",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A folder with the weights of VGG16, which teaches, and of AlexNet, which chooses.",
)
@pictures_option
@click.option(
    "--start",
    default=FAST,
    show_default=True,
    metavar="NAME|DIR",
    help="The painter to begin with: fast, fine, or a folder of weights.",
)
@click.option(
    "--size",
    type=OneOf([FAST, FINE]),
    help="Widen the painter to the size of fine, or keep it (default: keep).",
)
@click.option(
    "--minutes", type=click.FloatRange(min=0.01), help="Minutes of training (default: 120)."
)
@click.option(
    "--styles",
    type=click.IntRange(min=8),
    help="Number of pictures that are learned as styles (default: 3000).",
)
@out_option
@resume_option
@click.option(
    "--clip",
    "clips",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Clip whose motion is learned beside that of drawn clips; again for more.",
)
@report_options
def painter(
    out: Path | None, resume: Path | None, size: str | None, start: str, **options: Any
) -> None:
    """Train a painter on, by what VGG16 sees in its pictures.

    The teacher's own distances stay among the losses. Ctrl-C stops the training, and --resume
    resumes it. OUT/weights holds the best weights by validation.

    \b
    Example: vst train painter --teacher lite --judge vgg --pictures art --out run
    """
    folder = find_run_folder(out, resume)
    as_json, progress, minutes, styles = pop_options(
        options, "as_json", "progress", "minutes", "styles"
    )
    require_tensorflow("the teacher of `vst train painter`")
    require_keras("`vst train painter`")
    check_model("embedded", start)
    from vst.research.training.judged import FINE_PLAN, JudgedPlan, JudgedTraining, Sources

    changed = {"minutes": minutes, "styles": styles}
    changed = {name: value for name, value in changed.items() if value is not None}
    words = {name: options[name] for name in ("teacher", "judge", "pictures")}
    words |= {"start": start, **({"size": size} if size else {}), **changed, "resume": folder}
    again = [part for name, value in words.items() for part in (f"--{name}", value)]
    again += [part for clip in options["clips"] for part in ("--clip", clip)]
    plan = JudgedPlan(**changed)
    sources = Sources(start=locate_weights(start), **options)
    wider = FINE_PLAN if size == FINE else None
    with (
        Reporter(progress, "of it") as reporter,
        explain_stop(
            lambda: f"the last checkpoint is kept in {folder}",
            format_command("train", "painter", *again),
        ),
    ):
        measures = JudgedTraining(sources, folder, plan, wider).run(reporter)
    if as_json:
        print_json({"out": str(folder), **measures})
        return
    click.echo(f"weights in {folder / 'weights'}, curves.png beside them")


def find_run_folder(out: Path | None, resume: Path | None) -> Path:
    """Return the folder of a new run or of one to resume."""
    folder = resume or out
    if folder is None:
        raise click.UsageError(
            "no folder was given. Name a new one with --out, or resume one with --resume"
        )
    if (
        resume is not None
        and not (resume / "checkpoint").is_dir()
        and not (resume / "data").is_dir()
    ):
        raise click.UsageError(f"{resume} holds no training. Start one with --out {resume}")
    return folder


command.add_command(fast)
command.add_command(temporal)
