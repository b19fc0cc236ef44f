"""``vst evaluate``: measure a painted video."""

from __future__ import annotations

from pathlib import Path

import click

from vst.cli.options import OneOf, print_json, report_options, warn
from vst.cli.progress import Reporter
from vst.engines import ENGINES
from vst.errors import OutputError, OutputExistsError
from vst.evaluation.measure import PREDICTOR, evaluate
from vst.evaluation.report import build_report
from vst.evaluation.results import Evaluation
from vst.metrics import METRICS


@click.command()
@click.argument("painted")
@click.option("--content", required=True, metavar="CONTENT", help="The video that was painted.")
@click.option(
    "-s", "--style", "styles", multiple=True, metavar="STYLE",
    help="What it was painted with, as `vst stylize` takes it; again for more.",
)  # fmt: skip
@click.option("--job", is_flag=True, help="Take the styles from the job written into PAINTED.")
@click.option(
    "--against", multiple=True, metavar="OTHER",
    help="Another painting of the same content, measured beside it; again for more.",
)  # fmt: skip
@click.option(
    "--fresh", metavar="RAW",
    help="The unstabilized painting: shows what a stabilizer changed (default: found in --against).",
)  # fmt: skip
@click.option(
    "--measure", "measures", multiple=True, type=OneOf(METRICS),
    help="Take this measure alone; again for more (default: all).",
)  # fmt: skip
@click.option(
    "--predictor", type=OneOf(ENGINES), default=PREDICTOR, show_default=True,
    help="The engine whose predictor judges the style.",
)  # fmt: skip
@click.option(
    "--size", type=click.IntRange(16, 16384), metavar="N",
    help="Short side at which is compared, in pixels (default: the content's, at most 512).",
)  # fmt: skip
@click.option("--report", metavar="OUT.html", help="Write a page with curves, frames and maps.")
@click.option("--overwrite", is_flag=True, help="Replace the report if it is there.")
@report_options
def command(
    painted: str,
    content: str,
    styles: tuple[str, ...],
    job: bool,
    against: tuple[str, ...],
    fresh: str | None,
    measures: tuple[str, ...],
    predictor: str,
    size: int | None,
    report: str | None,
    overwrite: bool,
    as_json: bool,
    progress: str,
) -> None:
    """Measure PAINTED (a video or a folder of frames) against the content it was painted from.

    \b
    Example: vst evaluate steady.mp4 --content holiday.mp4 --against raw.mp4 --report page.html
    """
    if report is not None:
        check_report(report, overwrite)
    with Reporter(progress) as on_progress:
        evaluation = evaluate(
            painted,
            content,
            styles=styles,
            job=job,
            against=against,
            fresh=fresh,
            measures=measures or None,
            predictor=predictor,
            size=size,
            on_progress=on_progress,
        )
    if report is not None:
        build_report(evaluation).save(Path(report))
    warn(evaluation.warnings)
    if as_json:
        print_json({**evaluation.as_dict(), "report": report})
        return
    print_table(evaluation)
    if report is not None:
        click.echo(f"{report}: curves, frames and flicker maps")


def check_report(report: str, overwrite: bool) -> None:
    """Refuse a page that cannot be written, before any work is done."""
    path = Path(report)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise OutputError(f"report {report!r} is not a file in an existing folder; give another")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"report {report!r} is already there; --overwrite replaces it")


def print_table(evaluation: Evaluation) -> None:
    """The verdict, and the table in columns."""
    if evaluation.verdict:
        click.echo(evaluation.verdict + "\n")
    head, lines = evaluation.rows()
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    for line in [head, *lines]:
        first, *rest = (text.ljust(width) for text, width in zip(line, widths))
        click.echo("  ".join([first, *(text.strip().rjust(len(text)) for text in rest)]).rstrip())
