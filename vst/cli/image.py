"""``vst image``: paint one picture."""

from __future__ import annotations

import functools
import time
from typing import Any

import click

from vst.api import make_job
from vst.cli.help import SHORT_HELP, GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import (
    TIME,
    job_options,
    output_option,
    print_json,
    report_options,
    style_option,
    warn,
)
from vst.cli.progress import Reporter
from vst.errors import UsageError
from vst.pipeline.checks import check_job, check_picture_output
from vst.pipeline.parts import open_job_engine
from vst.plotting import save_picture
from vst.preview import paint_picture
from vst.video.sources import detect_source_kind, open_source

SHOWN = ("styles", "keyframes", "size", "strength", "engine", "output", "overwrite")


@click.command(
    cls=GroupedCommand,
    common={
        **{name: SHORT_HELP[name] for name in SHOWN},
        "output": "The painted picture.",
        "at": "Of a video: the time of the frame.",
    },
)
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
@click.option(
    "--at", type=TIME, metavar="TIME",
    help="Of a video: the time of the frame (default: the first).",
)  # fmt: skip
@report_options
def command(
    content: str,
    styles: tuple[str, ...],
    output: str,
    at: float | None,
    as_json: bool,
    progress: str,
    **options: Any,
) -> None:
    """Paint the picture CONTENT (or a frame of a video); several styles are mixed evenly.

    \b
    Example: vst image cat.jpg -s @stained-glass -o cat-in-glass.png
    """
    began = time.perf_counter()
    job = make_job(content, styles, output, **options)
    check_job(job, moving=False)
    check_picture_output(output, job.overwrite)
    check_time(content, at)
    if at is None and detect_source_kind(content) != "picture":
        warn([f"{content} is not a picture: its first frame is painted. --at TIME takes another"])
    with Reporter(progress, "pictures") as reporter, open_job_engine(job, reporter) as engine:
        picture = paint_picture(job, engine, at)
    save_picture(output, picture)
    seconds = round(time.perf_counter() - began, 3)
    height, width = picture.shape[:2]
    if as_json:
        print_json({"output": output, "width": width, "height": height, "seconds": seconds})
    else:
        click.echo(f"{output}: {width}x{height} in {seconds:.1f} s")
        words = [content, *(word for style in styles for word in ("-s", style))]
        print_next_steps(
            quiet=progress == "none",
            weaker=format_command("image", *words, "--strength", 0.6, "-o", output, "--overwrite"),
            styles=format_command("styles"),
        )


def check_time(content: str, at: float | None) -> None:
    """Refuse a time of a picture, or one that the video does not reach."""
    if at is None:
        return
    if detect_source_kind(content) == "picture":
        raise UsageError(f"--at {at:g}: content {content!r} is a picture. Leave --at out")
    with open_source(content) as source:
        if not 0 <= at < source.info.duration:
            raise UsageError(
                f"--at {at:g} is outside {content!r}, which lasts {source.info.duration:.2f} s. "
                "Give a time within it"
            )
