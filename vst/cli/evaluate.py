"""``vst evaluate``: measure a painted video."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vst.cli.checks import check_videos
from vst.cli.help import GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import OneOf, pop_options, print_json, report_options, warn
from vst.cli.progress import Reporter
from vst.engines import ENGINES
from vst.errors import OutputExistsError, UsageError
from vst.evaluation.judging import NO_JUDGE
from vst.evaluation.measure import PREDICTOR, EvaluationOptions, evaluate
from vst.evaluation.report import build_report
from vst.evaluation.results import Evaluation
from vst.metrics import METRICS
from vst.nets.judges import find_judge, open_judge
from vst.pipeline.checks import check_parent, check_style
from vst.styles.resolve import check_style_exists

COMMON = {
    "content": "The video that was painted (required).",
    "styles": "What it was painted with; again for more.",
    "job": "Take the styles from the job in PAINTED.",
    "against": "Another painting, measured beside it; again for more.",
    "fresh": "The unstabilized painting, to see what changed.",
    "measures": "Take only this measure; again for more.",
    "judge": "Weights of networks that judge besides.",
    "size": "Short side to compare at.",
    "report": "Write a page with frames, maps and curves.",
    "overwrite": "Replace the report if it exists.",
    "as_json": "Print one JSON object on stdout.",
}
"""Parameters that ``--help`` shows."""


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.argument("painted")
@click.option("--content", required=True, metavar="CONTENT", help="The video that was painted.")
@click.option(
    "-s", "--style", "styles", multiple=True, metavar="STYLE",
    help="What it was painted with, as for `vst stylize`; again for more.",
)  # fmt: skip
@click.option("--job", is_flag=True, help="Take the styles from the job in PAINTED.")
@click.option(
    "--against", multiple=True, metavar="OTHER",
    help="Another painting of the same content, measured beside it; again for more.",
)  # fmt: skip
@click.option(
    "--fresh", metavar="RAW",
    help="The unstabilized painting, to see what the stabilizer changed.",
)  # fmt: skip
@click.option(
    "--measure", "measures", multiple=True, type=OneOf(METRICS), metavar="NAME",
    help="Take only this measure; again for more (default: all).",
)  # fmt: skip
@click.option(
    "--predictor", type=OneOf(ENGINES), default=PREDICTOR, show_default=True,
    help="The engine whose predictor judges the style.",
)  # fmt: skip
@click.option(
    "--judge", metavar="PATH",
    help="VGG16's weights (.h5 or .npz), or a folder with vgg16.npz and alexnet.npz, for LPIPS and "
    "Gram distances (default: what `vst models pull vgg16` brought).",
)  # fmt: skip
@click.option(
    "--protocol", is_flag=True,
    help="Measure as docs/protocol.md says, for figures that others can repeat.",
)  # fmt: skip
@click.option(
    "--size", type=click.IntRange(16, 16384), metavar="N",
    help="Short side to compare at (default: the content's, at most 512).",
)  # fmt: skip
@click.option("--report", metavar="OUT.html", help="Write a page with frames, maps and curves.")
@click.option("--overwrite", is_flag=True, help="Replace the report if it exists.")
@report_options
def command(
    painted: str, content: str, report: str | None, overwrite: bool, **options: Any
) -> None:
    """Measure PAINTED (a video or a folder of frames) against the content it was painted from.

    \b
    Example: vst evaluate painted.mp4 --content holiday.mp4 --report page.html
    """
    as_json, progress, judge = pop_options(options, "as_json", "progress", "judge")
    asked = EvaluationOptions(**options)
    if report is not None:
        check_report(report, overwrite)
    others = (*asked.against, *((asked.fresh,) if asked.fresh else ()))
    check_videos((painted, *others), name="painting")
    check_videos((content,), name="content")
    for style in asked.styles:
        check_style_exists(style)
        check_style(style)
    place = judge or find_judge()
    opened = open_judge(place) if place is not None else None
    with Reporter(progress) as on_progress:
        evaluation = evaluate(painted, content, replace(asked, judge=opened), on_progress)
    if report is not None:
        build_report(evaluation).save(Path(report))
    warn(evaluation.warnings)
    if as_json:
        print_json({**evaluation.as_dict(), "report": report})
        return
    print_table(evaluation)
    if opened is None and not asked.measures:
        click.echo(NO_JUDGE)
    if report is not None:
        click.echo(f"{report}: what the figures mean, frames, maps and curves")
    if progress != "none":
        suggest_next(painted, content, report)


def suggest_next(painted: str, content: str, report: str | None) -> None:
    """Print how to look at the painting beside its content, and at the figures as a page."""
    path = Path(painted)
    page = format_command(
        "evaluate", painted, "--content", content, "--report", path.with_suffix(".html")
    )
    beside = path.with_name(f"{path.stem}-beside.mp4")
    print_next_steps(
        quiet=False,
        compare=format_command("compare", content, painted, "-o", beside),
        look=f"open {shlex.quote(report)} in a browser" if report else page,
    )


def check_report(report: str, overwrite: bool) -> None:
    """Refuse a page that cannot be written, before any work is done."""
    path = Path(report)
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"report {report!r} is not a page. Give a name that ends in .html")
    check_parent(report)
    if path.is_dir():
        raise OutputExistsError(
            f"report {report!r} is a folder. Give a name in it, as {report}/r.html"
        )
    if path.exists() and not overwrite:
        raise OutputExistsError(f"report {report!r} already exists. --overwrite replaces it")


def print_table(evaluation: Evaluation) -> None:
    """Print the verdict, and the table in columns."""
    if evaluation.verdict:
        click.echo(evaluation.verdict + "\n")
    head, lines = evaluation.rows()
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    for line in [head, *lines]:
        first, *rest = (text.ljust(width) for text, width in zip(line, widths))
        click.echo("  ".join([first, *(text.strip().rjust(len(text)) for text in rest)]).rstrip())
