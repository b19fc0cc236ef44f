"""``vst preview``: see a job before it is run."""

from __future__ import annotations

import functools
from typing import Any

import click

from vst.api import job_of
from vst.cli.help import COMMON, GroupedCommand
from vst.cli.options import (
    check_picture_output,
    job_options,
    output_option,
    print_json,
    report_options,
    style_option,
    warn,
)
from vst.cli.progress import Reporter
from vst.cli.stylize import OPTIONS
from vst.job import check_paths
from vst.pipeline.estimate import estimate
from vst.pipeline.parts import open_job_engine
from vst.plotting import save_picture
from vst.preview import paint_preview

SHOWN = tuple(name for name in OPTIONS if name not in ("audio", "codec", "crf", "metadata"))


@click.command(cls=GroupedCommand, common=COMMON)
@click.argument("content")
@functools.partial(style_option, required=False)
@output_option("The sheet: .png or .jpg.")
@job_options(*SHOWN)
@report_options
def command(
    content: str,
    styles: tuple[str, ...],
    output: str,
    as_json: bool,
    progress: str,
    **options: Any,
) -> None:
    """Paint twelve small frames along the whole of CONTENT, draw the score's curves, and say how
    long the job would take. Takes the options of `vst stylize`.

    \b
    Example: vst preview holiday.mp4 -s film.mp4 -o sheet.png
    """
    job = job_of(content, styles, output, **options)
    check_picture_output(output, job.overwrite)
    check_paths(job)
    with Reporter(progress) as reporter:
        with open_job_engine(job, reporter) as engine:
            preview = paint_preview(job, engine, reporter)
        save_picture(output, preview.sheet)
        # Timed as a video: the sheet's name says nothing of what will be written.
        plan = estimate(job_of(content, styles, f"{output}.mp4", **options))
    if as_json:
        print_json({**plan.as_dict(), "output": output, "warnings": preview.notes})
        return
    warn(preview.notes)
    click.echo(f"{output}: {len(preview.times)} frames of {plan.frames}")
    click.echo(f"the job takes about {plan.seconds:.0f} s, after {plan.startup:.0f} s of preparing")
