"""``vst stylize``: paint a video."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vst.api import make_job
from vst.cli.checks import check_video_output
from vst.cli.help import COMMON, GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import (
    cluster_options,
    cluster_settings,
    job_options,
    output_option,
    pop_options,
    print_json,
    report_options,
    style_option,
    warn,
)
from vst.cli.progress import Reporter
from vst.cli.stopping import handle_interrupts
from vst.core.threads import limit_heaps, limit_tensorflow_threads
from vst.core.timecode import format_time
from vst.core.types import OnProgress
from vst.engines import ENGINES
from vst.errors import UsageError
from vst.job import Job
from vst.pipeline.checks import check_job
from vst.pipeline.control import RunControl
from vst.pipeline.estimate import Estimate, estimate
from vst.pipeline.object_files import names_objects
from vst.pipeline.run import Result, run
from vst.video.sources import STANDARD_STREAM

if TYPE_CHECKING:
    from vst.cluster import ClusterSettings

OPTIONS = (
    "score", "painted", "keyframes", "picker", "at", "order", "size", "strength",
    "ease", "hold", "blend", "pace", "align", "loop", "brush", "colors", "lut", "ghost", "speed",
    "mask", "mask_background", "mask_regions", "mask_edge", "save_mask",
    "engine", "model", "engine_options", "stabilize", "quality", "steadiness",
    "start", "end", "audio", "codec", "crf", "hdr", "fps", "first_number", "sidecar",
    "metadata", "threads", "batch", "overwrite", "keep_chunks", "patience",
    "max_pixels", "max_frames", "max_memory",
)  # fmt: skip


@click.command(cls=GroupedCommand, common=COMMON)
@click.argument("content")
@functools.partial(style_option, required=False)
@output_option(
    "The painted video: .mp4 .mov .mkv .webm .gif, a folder (frames/) or names "
    "(frames/f.####.exr) for PNG, TIFF or EXR frames, or - for "
    "y4m on standard output."
)
@job_options(*OPTIONS)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done and how long it would take; write nothing.",
)
@cluster_options
@report_options
def command(
    content: str,
    styles: tuple[str, ...],
    output: str,
    dry_run: bool,
    **options: Any,
) -> None:
    """Paint the video CONTENT (-: y4m from standard input) in one or more styles.

    \b
    Example: vst stylize holiday.mp4 -s film.mp4 -s @ink-wash -o painted.mp4
    """
    as_json, progress = pop_options(options, "as_json", "progress")
    cluster = pop_options(options, "cluster", "workers", "storage")
    to_stdout = output == STANDARD_STREAM  # it carries frames, and nothing else
    job = make_job(content, styles, output, **options)
    if not names_objects(job):  # those are checked once their files are here
        check_job(job)
        check_video_output(output, job.overwrite)
    if dry_run and content == STANDARD_STREAM:
        raise UsageError(
            "--dry-run would use up the frames of standard input. Give a file, or leave it out"
        )
    limit_heaps()
    with (
        Reporter("none" if dry_run else progress) as reporter,
        handle_interrupts() as stop,
        limit_tensorflow_threads(ENGINES[job.engine].paints_in_parallel),
    ):
        paint = choose_runner(cluster_settings(*cluster), job.threads)
        done = estimate(job) if dry_run else paint(job, reporter, stop)
    if as_json:
        print_json(done.as_dict(), err=to_stdout)
    elif isinstance(done, Estimate):
        click.echo(format_estimate(done))
    else:
        warn(done.warnings)
        click.echo(format_summary(done), err=to_stdout)
        if STANDARD_STREAM not in (content, output) and not names_objects(job):
            suggest_comparison(content, output, quiet=progress == "none")


def suggest_comparison(content: str, output: str, *, quiet: bool) -> None:
    """Print how to look at a finished video beside its content, and how to measure it."""
    path = Path(output)
    beside, report = path.with_name(f"{path.stem}-beside.mp4"), path.with_name(f"{path.stem}.html")
    print_next_steps(
        quiet=quiet,
        compare=format_command("compare", content, output, "-o", beside),
        measure=format_command("evaluate", output, "--content", content, "--report", report),
    )


def choose_runner(
    settings: ClusterSettings | None, cores: int | None = None
) -> Callable[[Job, OnProgress, RunControl | None], Result]:
    """What does a job: here, or on a cluster, with so many cores for each worker."""
    if settings is None:
        return run_here
    from vst.cluster import run_on_cluster

    return functools.partial(run_on_cluster, replace(settings, cores=cores or settings.cores))


def run_here(job: Job, on_progress: OnProgress, stop: RunControl | None) -> Result:
    """The job done by this process, which does nothing else."""
    with limit_tensorflow_threads(ENGINES[job.engine].paints_in_parallel):
        return run(job, on_progress, stop)


def format_summary(result: Result) -> str:
    """One line on what was done."""
    return (
        f"{result.output}: {result.frames} frames in {result.seconds:.1f} s "
        f"({result.frames_per_second:.1f} fps, after {result.startup:.1f} s of preparing)"
    )


def format_estimate(plan: Estimate) -> str:
    """What would be done, line by line."""
    width, height = plan.size
    keyframes = ", ".join(f"{one['name']} ({format_time(one['time'])})" for one in plan.keyframes)
    return "\n".join(
        (
            f"output     {plan.output} (not written: dry run)",
            f"frames     {plan.frames} at {plan.fps}, {width}x{height}",
            f"painted    at {plan.painted_at[0]}x{plan.painted_at[1]} by engine {plan.engine}",
            f"keyframes  {keyframes}",
            f"time       about {plan.seconds:.0f} s after {plan.startup:.0f} s of preparing",
            f"           (measured on {plan.measured_on} frames)",
            f"memory     about {plan.memory:.0f} MB at most",
            f"file       about {plan.bytes / 1e6:.1f} MB",
        )
    )
