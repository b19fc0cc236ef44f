"""``vst lut``: write the colors of a style as a lookup table for grading programs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import click

from vst.api import make_job
from vst.cli.help import SHORT_HELP, GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import (
    job_options,
    output_option,
    print_json,
    report_options,
    style_option,
)
from vst.cli.progress import Reporter
from vst.errors import OutputExistsError, UsageError
from vst.imaging.cube_file import SIDE, SUFFIX, write_cube
from vst.pipeline.checks import check_job, check_parent
from vst.pipeline.parts import open_job_engine
from vst.preview import fit_look

SHOWN = ("styles", "score", "strength", "engine", "start", "end", "overwrite")


@click.command(
    cls=GroupedCommand,
    common={**{name: SHORT_HELP[name] for name in SHOWN}, "output": "The table: look.cube."},
)
@click.argument("content")
@functools.partial(style_option, required=False)
@output_option("The table: look.cube.")
@job_options(
    "score", "keyframes", "picker", "strength", "lut", "engine", "model", "engine_options",
    "start", "end", "threads", "overwrite",
)  # fmt: skip
@report_options
def command(
    content: str,
    styles: tuple[str, ...],
    output: str,
    as_json: bool,
    progress: str,
    **options: Any,
) -> None:
    """Paint twelve frames of CONTENT, and write the map from its colors to theirs as a table, which
    grading programs read, and so does the option --lut of `vst stylize`.

    \b
    Example: vst lut holiday.mp4 -s @ink-wash -o look.cube
    """
    job = make_job(content, styles, output, **options)
    check_cube_output(output, job.overwrite)
    check_job(job)
    with Reporter(progress, "pictures") as reporter, open_job_engine(job, reporter) as engine:
        look = fit_look(job, engine, reporter)
    title = f"{Path(content).stem} in {', '.join(styles) or 'the score'}"
    write_cube(Path(output), look.apply, title)
    if as_json:
        print_json({"output": output, "side": SIDE})
        return
    click.echo(f"{output}: {SIDE} x {SIDE} x {SIDE} colors")
    print_next_steps(
        quiet=progress == "none",
        apply=format_command("stylize", content, "-s", "none", "--lut", output, "-o", "graded.mp4"),
    )


def check_cube_output(output: str, overwrite: bool) -> None:
    """Refuse a name for the table that cannot be written."""
    path = Path(output)
    if path.suffix.lower() != SUFFIX:
        raise UsageError(f"output {output!r} is not a table. Give a name that ends in {SUFFIX}")
    check_parent(output)
    if path.exists() and not overwrite:
        raise OutputExistsError(f"output {output!r} exists. Add --overwrite to replace it")
