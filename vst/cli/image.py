"""``vst image``: paint one picture."""

from __future__ import annotations

import functools
import time
from typing import Any

import click

from vst.api import job_of
from vst.cli.help import GroupedCommand
from vst.cli.options import (
    check_engine_outputs,
    check_picture_output,
    job_options,
    output_option,
    print_json,
    report_options,
    style_option,
)
from vst.cli.progress import Reporter
from vst.job import check_paths
from vst.pipeline.parts import open_job_engine
from vst.plotting import save_picture
from vst.preview import paint_picture


@click.command(cls=GroupedCommand)
@click.argument("content")
@functools.partial(style_option, required=False)
@output_option("The painted picture: .png or .jpg.")
@job_options(
    "keyframes",
    "picker",
    "size",
    "strength",
    "blend",
    "engine",
    "model",
    "engine_options",
    "threads",
    "overwrite",
    "max_pixels",
    "max_memory",
)
@report_options
def command(
    content: str,
    styles: tuple[str, ...],
    output: str,
    as_json: bool,
    progress: str,
    **options: Any,
) -> None:
    """Paint the picture CONTENT (of a video: its first frame); several styles are mixed evenly.

    \b
    Example: vst image cat.jpg -s @stained-glass -o cat-in-glass.png
    """
    began = time.perf_counter()
    job = job_of(content, styles, output, **options)
    check_paths(job)
    check_picture_output(output, job.overwrite)
    check_engine_outputs(job)
    with Reporter(progress, "pictures") as reporter, open_job_engine(job, reporter) as engine:
        picture = paint_picture(job, engine)
    save_picture(output, picture)
    seconds = round(time.perf_counter() - began, 3)
    height, width = picture.shape[:2]
    if as_json:
        print_json({"output": output, "width": width, "height": height, "seconds": seconds})
    else:
        click.echo(f"{output}: {width}x{height} in {seconds:.1f} s")
