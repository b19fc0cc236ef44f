"""``vst resume``: finish a video whose painting was interrupted."""

from __future__ import annotations

from typing import Any

import click

from vst.cli.options import (
    cluster_options,
    cluster_settings,
    print_json,
    report_options,
    warn,
    worker_threads_option,
)
from vst.cli.progress import Reporter
from vst.cli.stopping import handle_interrupts
from vst.cli.stylize import choose_runner, format_summary, suggest_comparison
from vst.core.threads import limit_heaps
from vst.core.types import OnProgress
from vst.job import Job
from vst.pipeline.control import RunControl
from vst.pipeline.resume import resume
from vst.pipeline.run import Result
from vst.storage import is_address


@click.command()
@click.argument("output")
@click.option("--keep-chunks", is_flag=True, help="Keep the folder OUT.vst with the chunks.")
@cluster_options
@worker_threads_option
@report_options
def command(
    output: str,
    keep_chunks: bool,
    as_json: bool,
    progress: str,
    **where: Any,
) -> None:
    """Finish OUTPUT, a long video that was interrupted: paint its missing chunks.

    \b
    Example: vst resume painted.mp4
    """
    limit_heaps()
    contents: list[str] = []

    def paint_noted(job: Job, on_progress: OnProgress, stop: RunControl | None) -> Result:
        contents.append(job.content)
        return paint(job, on_progress, stop)

    with Reporter(progress) as reporter, handle_interrupts() as stop:
        paint = choose_runner(cluster_settings(**where))
        done = resume(output, reporter, stop, keep_chunks=keep_chunks, runner=paint_noted)
    if done is None:
        if as_json:
            print_json({"output": output, "whole": True})
        else:
            click.echo(f"{output} is complete: there is nothing to do")
    elif as_json:
        print_json(done.as_dict())
    else:
        warn(done.warnings)
        click.echo(format_summary(done))
        suggest_comparison(contents[0], output, quiet=progress == "none" or is_address(output))
