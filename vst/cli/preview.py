"""``vst preview``: see a job before it is run."""

from __future__ import annotations

import functools
from typing import Any

import click

from vst.api import make_job
from vst.cli.help import COMMON, GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import (
    job_options,
    output_option,
    print_json,
    report_options,
    style_option,
    warn,
)
from vst.cli.progress import Reporter
from vst.cli.stylize import OPTIONS
from vst.job import Job
from vst.pipeline.build_schedule import read_job_score
from vst.pipeline.checks import check_job, check_picture_output
from vst.pipeline.estimate import estimate
from vst.pipeline.parts import open_job_engine
from vst.plotting import save_picture
from vst.preview import paint_preview

SHOWN = tuple(
    name
    for name in OPTIONS
    if name
    not in ("audio", "codec", "crf", "hdr", "metadata", "sidecar", "save_mask", "first_number")
)


@click.command(cls=GroupedCommand, common={**COMMON, "output": "The sheet: .png or .jpg."})
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
    """Paint twelve small frames along CONTENT, draw the score's curves, and say how long the job
    would take. Takes the options of `vst stylize`.

    \b
    Example: vst preview holiday.mp4 -s film.mp4 -o sheet.png
    """
    job = make_job(content, styles, output, **options)
    check_picture_output(output, job.overwrite)
    check_job(job)
    read_job_score(job)
    with Reporter(progress) as reporter:
        with open_job_engine(job, reporter) as engine:
            preview = paint_preview(job, engine, reporter)
        save_picture(output, preview.sheet)
        # Timed as a video: the sheet's name says nothing of what will be written.
        plan = estimate(make_job(content, styles, f"{output}.mp4", **options))
    if as_json:
        print_json({**plan.as_dict(), "output": output, "warnings": preview.notes})
        return
    warn(preview.notes)
    click.echo(f"{output}: {len(preview.times)} frames of {plan.frames}")
    click.echo(f"the job takes about {plan.seconds:.0f} s, after {plan.startup:.0f} s of preparing")
    again = list_job_words(content, styles, job)
    print_next_steps(
        quiet=progress == "none",
        paint=format_command("stylize", *again, "-o", "painted.mp4"),
        weaker=format_command("preview", *again, "--strength", 0.6, "-o", output, "--overwrite"),
    )


def list_job_words(content: str, styles: tuple[str, ...], job: Job) -> list[str]:
    """Return a job's content and styles, or its score, as words of a command line."""
    if job.score is not None:
        return [content, "--score", job.score]
    return [content, *(word for style in styles for word in ("-s", style))]
