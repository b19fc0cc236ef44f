"""``vst batch``: many contents in many styles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from vst.batch import STATES, JobOutcome, format_outcomes, read_batch, run_batch
from vst.cli.help import SHORT_HELP, GroupedCommand
from vst.cli.next_steps import format_command
from vst.cli.options import (
    cluster_options,
    cluster_settings,
    print_json,
    report_options,
    warn,
    worker_threads_option,
)
from vst.cli.progress import Reporter
from vst.cli.stopping import explain_stop, handle_interrupts
from vst.core.threads import limit_heaps, limit_tensorflow_threads
from vst.core.types import OnProgress
from vst.engines import ENGINES
from vst.job import Job
from vst.pipeline.run import Result, run

COMMON = {
    "overwrite": "Run all jobs again, and replace their outputs.",
    "cluster": SHORT_HELP["cluster"],
    "as_json": "Print one JSON object on stdout.",
}
"""Parameters that ``--help`` shows."""


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.argument("jobs")
@click.option("--overwrite", is_flag=True, help="Run all jobs again, and replace their outputs.")
@cluster_options
@worker_threads_option
@report_options
@click.pass_context
def command(
    context: click.Context,
    /,
    jobs: str,
    overwrite: bool,
    as_json: bool,
    progress: str,
    **where: Any,
) -> None:
    """Run the jobs of the file JOBS (YAML) whose output does not exist; a failed one does not stop
    the rest.

    \b
    contents: clips/*.mp4              # files, globs, or a list of them
    styles: ["@ink-wash", art/*.jpg, [film.mp4, "@waves"]]   # a list is one job
    output: out/{content}-{style}.mp4
    options: {strength: 0.8}           # as those of vst stylize
    jobs:                              # and single ones
      - {content: a.mp4, styles: b.png, output: out/a.mp4, options: {size: 360}}

    \b
    Example: vst batch jobs.yaml
    """
    plan = [replace(job, overwrite=True) if overwrite else job for job in read_batch(jobs)]
    complete: list[str] = []

    def say(outcome: JobOutcome) -> None:
        if outcome.state != "failed":
            complete.append(outcome.output)
        if not as_json:
            warn(f"{outcome.output}: {text}" for text in outcome.warnings)

    limit_heaps()
    settings = cluster_settings(**where)
    with Reporter(progress) as reporter:
        if settings is None:
            # Without the option, outputs of an earlier run would count as done.
            again = format_command("batch", jobs, *(("--overwrite",) if overwrite else ()))
            with explain_stop(lambda: describe_kept(complete, plan), again):
                outcomes = run_here(plan, reporter, say)
        else:
            from vst.cluster import run_batch_on_cluster

            with handle_interrupts() as stop:
                outcomes = run_batch_on_cluster(
                    settings, plan, reporter, on_outcome=say, control=stop
                )
    counts = {state: sum(one.state == state for one in outcomes) for state in STATES}
    if as_json:
        print_json({"jobs": [one.as_dict() for one in outcomes], **counts})
    else:
        click.echo(format_outcomes(outcomes))
    if counts["failed"]:
        context.exit(1)


def describe_kept(complete: Sequence[str], plan: Sequence[Job]) -> str:
    """Say what a stopped batch leaves."""
    count = f"{len(complete)} of {len(plan)} outputs are complete"
    return f"{count}, and chunks of long videos are kept"


def run_here(
    plan: Sequence[Job], reporter: OnProgress, say: Callable[[JobOutcome], None]
) -> list[JobOutcome]:
    """Run the jobs one after the other on this machine."""
    # Other engines paint faster with all cores for one operation, and it is set only once.
    small = all(ENGINES[job.engine].paints_in_parallel for job in plan)
    with limit_tensorflow_threads(small):
        return run_batch(plan, reporter, on_outcome=say, runner=run_stoppable)


def run_stoppable(job: Job, on_progress: OnProgress) -> Result:
    """Run one job; Ctrl-C stops it at the end of its chunk, and it ends if it hangs."""
    with handle_interrupts() as stop:
        return run(job, on_progress, stop)
