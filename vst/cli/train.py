"""``vst train``: make networks of one's own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from vst.cli.options import print_json, report_options
from vst.cli.progress import Reporter
from vst.cli.train_styles import fast, temporal

FOLDER = click.Path(file_okay=False, path_type=Path)
HERE = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("train")
def command() -> None:
    """Train networks: for one style, or the small model that comes with this package.

    \b
    Example: vst train fast --style wave.jpg --pictures photographs --minutes 60 --out wave
    """


@command.command()
@click.option("--teacher", required=True, type=HERE, help="The folder with Magenta's TFLite pair.")
@click.option(
    "--pictures", type=HERE, required=True, help="A folder with content/ and style/ pictures."
)
@click.option("--minutes", type=click.FloatRange(min=0.01), default=120, show_default=True)
@click.option("--out", type=FOLDER, help="A new folder for everything that is made.")
@click.option("--resume", type=FOLDER, help="Go on with the run in this folder.")
@click.option(
    "--clip",
    "clips",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A clip whose frames are painted and whose motion is learnt; may be given again.",
)
@click.option("--pairs", type=click.IntRange(min=8), help="How many pictures the teacher paints.")
@click.option("--labels", type=click.IntRange(min=8), help="How many pictures it embeds.")
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax", "torch"]),
    help="What Keras computes with; else KERAS_BACKEND, else TensorFlow.",
)
@report_options
def embedded(
    teacher: Path,
    pictures: Path,
    minutes: float,
    out: Path | None,
    resume: Path | None,
    clips: tuple[Path, ...],
    pairs: int | None,
    labels: int | None,
    backend: str | None,
    as_json: bool,
    progress: str,
) -> None:
    """Train the predictor and the painter from random values, on the teacher's pictures.

    Stop it with Ctrl-C at any time and go on with --resume. The best weights by validation lie in
    OUT/weights, for `--engine embedded --model OUT/weights`.
    """
    folder = resume or out
    if folder is None:
        raise click.UsageError("name a new folder with --out, or a begun one with --resume")
    if (
        resume is not None
        and not (resume / "checkpoint").is_dir()
        and not (resume / "data").is_dir()
    ):
        raise click.UsageError(f"{resume} holds no begun training; start one with --out {resume}")
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    from vst.research.training.distillation import Distillation, DistillationPlan

    plan = replace(DistillationPlan(), minutes=minutes)
    given = {"pairs": pairs, "labels": labels}
    plan = replace(plan, **{name: count for name, count in given.items() if count})
    with Reporter(progress, "of it") as reporter:
        measures = Distillation(teacher, pictures, folder, plan, clips=clips).run(reporter)
    if as_json:
        print_json({"out": str(folder), **measures})
        return
    click.echo(
        f"weights in {folder / 'weights'}, curves.png, grid.png and measures.json beside them"
    )


command.add_command(fast)
command.add_command(temporal)
