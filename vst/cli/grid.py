"""``vst grid``: every content in every style, on one sheet."""

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
from vst.pipeline.checks import check_job, check_picture_output
from vst.pipeline.parts import open_job_engine
from vst.plotting import save_picture
from vst.preview import paint_grid

SHOWN = ("styles", "keyframes", "picker", "size", "strength", "engine", "overwrite")


@click.command(
    cls=GroupedCommand,
    common={**{name: SHORT_HELP[name] for name in SHOWN}, "output": "The sheet: .png or .jpg."},
)
@click.argument("contents", nargs=-1, required=True, metavar="CONTENT...")
@functools.partial(style_option, required=False)
@output_option("The sheet: .png or .jpg.")
@job_options(
    "keyframes",
    "picker",
    "size",
    "strength",
    "engine",
    "model",
    "engine_options",
    "threads",
    "overwrite",
)
@report_options
def command(
    contents: tuple[str, ...],
    styles: tuple[str, ...],
    output: str,
    as_json: bool,
    progress: str,
    **options: Any,
) -> None:
    """Paint every CONTENT (a picture, or a video's middle frame) in every style, as one labelled
    sheet.

    \b
    Example: vst grid cat.jpg dog.jpg -s @ink-wash -s @stained-glass -o grid.png
    """
    jobs = [make_job(content, styles, output, **options) for content in contents]
    for job in jobs:
        check_job(job, moving=False)
    check_picture_output(output, jobs[0].overwrite)
    with (
        Reporter(progress, "pictures") as reporter,
        open_job_engine(jobs[0], reporter) as engine,
    ):
        save_picture(output, paint_grid(contents, jobs[0], engine, reporter))
    if as_json:
        print_json({"output": output, "contents": len(contents)})
    else:
        click.echo(f"{output}: {len(contents)} contents")
        shown = f"{Path(contents[0]).stem}-painted.png"
        style = ("-s", styles[0]) if styles else ()
        print_next_steps(
            quiet=progress == "none",
            paint=format_command("image", contents[0], *style, "-o", shown),
            styles=format_command("styles"),
        )
