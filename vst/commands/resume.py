"""``vst resume``: go on with a video that was broken off."""

from __future__ import annotations

import click

from vst.commands.options import (
    cluster_options,
    cluster_settings,
    print_json,
    report_options,
    warn,
)
from vst.commands.progress import Reporter
from vst.commands.stopping import stoppable
from vst.commands.stylize import runner_on, summary
from vst.resume import resume


@click.command()
@click.argument("output")
@click.option("--keep-chunks", is_flag=True, help="Keep the folder OUT.vst with the chunks.")
@click.option("--threads", type=click.IntRange(min=1), help="With --cluster: cores per worker.")
@cluster_options
@report_options
def command(
    output: str,
    keep_chunks: bool,
    as_json: bool,
    progress: str,
    cluster: str | None,
    workers: int | None,
    storage: str | None,
    threads: int | None,
) -> None:
    """Go on with OUTPUT, a long video that was broken off: paint what is missing of it.

    \b
    Example: vst resume painted.mp4
    """
    with Reporter(progress) as reporter, stoppable() as stop:
        paint = runner_on(cluster_settings(cluster, workers, storage, threads))
        done = resume(output, reporter, stop, keep_chunks=keep_chunks, runner=paint)
    if done is None:
        if as_json:
            print_json({"output": output, "whole": True})
        else:
            click.echo(f"{output} is whole: there is nothing to do")
    elif as_json:
        print_json(done.as_dict())
    else:
        warn(done.warnings)
        click.echo(summary(done))
