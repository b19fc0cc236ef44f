"""``vst demo``: make two clips and paint one in the style of the other."""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np

from vst.api import make_job
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import print_json, report_options, warn
from vst.cli.progress import Reporter
from vst.core.types import Picture, Progress
from vst.errors import OutputExistsError
from vst.job import Job
from vst.pipeline.build_schedule import resolve_listed_styles
from vst.pipeline.run import run
from vst.plotting import draw_demo_sheet, save_picture
from vst.samples import write_content, write_style_film
from vst.video.sources import open_source

COLUMNS = 5
"""Pairs of content and painted frames on the sheet."""


@click.command()
@click.option(
    "--output", "-o", default="out", show_default=True, help="The folder for what is made."
)
@report_options
def command(output: str, as_json: bool, progress: str) -> None:
    """Draw a moving scene with sound and a style video, paint the first in the style of the second.

    It writes demo.mp4, and demo.png: the keyframes above, content and painted frames below.

    \b
    Example: vst demo -o out
    """
    began = time.perf_counter()
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"output {output!r} is a file. Give a folder")
    folder.mkdir(parents=True, exist_ok=True)
    content, film = folder / "content.mp4", folder / "style-film.mp4"
    with Reporter(progress) as reporter:
        reporter(Progress("draw clips", 0))
        write_content(content)
        write_style_film(film)
        job = make_job(content, film, folder / "demo.mp4", overwrite=True)
        result = run(job, reporter)
    save_picture(folder / "demo.png", draw_job_sheet(job))
    seconds = round(time.perf_counter() - began, 1)
    if as_json:
        print_json({**result.as_dict(), "sheet": str(folder / "demo.png"), "all_seconds": seconds})
        return
    warn(result.warnings)
    speed = f"{result.frames} frames at {result.frames_per_second:.1f} a second"
    click.echo(f"made in {seconds:.0f} s, {speed}:")
    click.echo(
        f"  {folder / 'demo.mp4'}   the content in the style of the style video, with its sound"
    )
    click.echo(f"  {folder / 'demo.png'}   keyframes above, content and painted frames below")
    click.echo(f"  {content} and {film}   what it was made from")
    demo = folder / "demo.mp4"
    print_next_steps(
        quiet=progress == "none",
        compare=format_command("compare", content, demo, "-o", folder / "beside.mp4"),
        paint=format_command("stylize", content, "-s", "@ink-wash", "-o", folder / "ink.mp4"),
    )


def draw_job_sheet(job: Job) -> Picture:
    """The contact sheet of a finished job: its keyframes, and frames of its content and output side
    by side.
    """
    styles = resolve_listed_styles(job)
    with open_source(job.content) as source:
        last = source.info.duration - 1 / float(source.info.rate)
        times = [float(t) for t in np.linspace(0, last, COLUMNS)]
        contents = [source.at(t) for t in times]
    with open_source(job.output) as painted:
        paintings = [painted.at(t) for t in times]
    keyframes = [(style.time, style.picture) for style in styles]
    return draw_demo_sheet(keyframes, list(zip(times, contents)), paintings)
