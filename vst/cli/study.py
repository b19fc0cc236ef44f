"""``vst study``: compare methods on your own files, and rate the results."""

from __future__ import annotations

import contextlib
import random
import shlex
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from vst.cli.help import GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import OneOf, pop_options, print_json, report_options, style_option
from vst.cli.progress import Reporter
from vst.engines import ENGINES
from vst.errors import Cancelled, UsageError
from vst.pipeline.checks import check_content, check_style
from vst.research.study.base import Study, StudyTable, run_study
from vst.research.study.content import SECONDS, SIZE, StillJudge, Subject
from vst.research.study.figures import FIGURES
from vst.research.study.networks import MINUTES, TRAININGS, Training
from vst.research.study.options import parse_options
from vst.research.study.page import build_page, format_cells
from vst.research.study.rating import Rating
from vst.schedule.timeline import NONE
from vst.styles.resolve import check_style_exists

COMMON = {
    "styles": "Picture, video or @name; again for more.",
    "out": "Folder for the tables, pages and paintings.",
    "size": "Short side to paint at, in pixels.",
    "start": "Start of the part that is painted, in seconds.",
    "seconds": "Length of the part that is painted.",
    "minutes": "Minutes of training for each network.",
    "steps": "Optimization steps.",
    "vary": "An option and its values; again for more.",
    "train": "Train a network for each combination.",
    "only": "Run only cases whose names contain this.",
    "options": "Any option of vst stylize; again for more.",
}
"""Parameters of the studies that ``--help`` shows."""
RATE_COMMON = {
    "out": "Folder for the votes (default: the first folder).",
    "port": "Port of the page (default: any free one).",
    "ranking": "Print the ranking by the votes so far, and exit.",
    "as_json": "Print one JSON object on stdout.",
}
"""Those of ``study rate``."""
HERE = click.Path(file_okay=False, path_type=Path)
SHOWN = ("seconds_per_frame", "seconds", "loss", "variation", "style", "content_ssim", "warp",
         "warp_root", "adjacent_ssim")  # fmt: skip
"""The columns of the table on the terminal; the page has all."""


@click.group("study")
def command() -> None:
    """Compare methods on your own files: one table, one page with pictures.

    Run a stopped study again to resume it: finished rows are kept.

    \b
    Example: vst study video holiday.mp4 -s art.jpg --out study
    """


def study_options(moving: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options that all studies share. ``moving``: the study paints videos."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function = report_options(function)
        function = click.option(
            "--only", multiple=True, metavar="TEXT",
            help="Run only the cases whose names contain this; again for more.",
        )(function)  # fmt: skip
        function = click.option(
            "--option", "options", multiple=True, metavar="NAME=VALUE",
            help="Any option of vst stylize, for each painting by optimization; again for more."
            if not moving else "Any option of vst stylize; again for more.",
        )(function)  # fmt: skip
        function = click.option(
            "--predictor", type=OneOf(ENGINES), default=Subject.predictor, show_default=True,
            help="Engine whose predictor measures the style.",
        )(function)  # fmt: skip
        if moving:
            function = clip_options(function)
        function = click.option(
            "--size", type=click.IntRange(16, 4096), default=SIZE, show_default=True,
            help="Short side to paint at, in pixels.",
        )(function)  # fmt: skip
        function = click.option(
            "--out", required=True, type=HERE, metavar="DIR",
            help="Folder for the tables, pages and paintings.",
        )(function)  # fmt: skip
        return click.argument("content")(style_option(function))

    return decorate


def clip_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose a part of the video."""
    function = click.option(
        "--seconds", type=click.FloatRange(min=0.05), default=SECONDS, show_default=True,
        help="Length of the part that is painted.",
    )(function)  # fmt: skip
    return click.option(
        "--start",
        type=click.FloatRange(min=0),
        default=0.0,
        help="Start of the part that is painted, in seconds.",
    )(function)


def training_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the networks that a study trains."""
    function = click.option(
        "--data", type=click.Path(exists=True), metavar="DATA",
        help="A video, or a folder like MPI Sintel's, for the flow losses (default: the content "
        "outside the clip).",
    )(function)  # fmt: skip
    function = click.option(
        "--pictures", type=click.Path(exists=True, file_okay=False), metavar="DIR",
        help="Pictures that networks are trained on (default: frames of the content outside the "
        "clip).",
    )(function)  # fmt: skip
    return click.option(
        "--minutes", type=click.FloatRange(min=0.01), default=MINUTES, show_default=True,
        help="Minutes of training for each network.",
    )(function)  # fmt: skip


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@study_options(moving=False)
@click.option("--steps", type=click.IntRange(1), help="Optimization steps for each picture.")
@click.option(
    "--backbone-weights", "weights", multiple=True, metavar="random|NAME=FILE",
    help="Random weights for all backbones, or a file for one; again for more.",
)  # fmt: skip
def backbones(
    out: Path,
    steps: int | None,
    weights: tuple[str, ...],
    as_json: bool,
    progress: str,
    **shared: Any,
) -> None:
    """Paint one picture with each backbone: VGG, ResNet, Xception, EfficientNet, the embedded one.

    \b
    Example: vst study backbones cat.jpg -s art.jpg --out study --steps 100
    """
    from vst.research.study.backbones import parse_weights
    from vst.research.study.backbones import plan_backbones as study_of

    subject, only, options = read_shared_options(shared, steps)
    known = parse_weights(weights)
    with open_judge(subject) as judge:
        study = study_of(subject, out, judge, weights=known, options=options, only=only)
        run_and_print(study, out, as_json, progress)


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@study_options(moving=False)
@click.option(
    "--steps", default="20,100,300", show_default=True, metavar="N,N,…",
    help="Steps after which each optimizer stops.",
)  # fmt: skip
def optimizers(out: Path, steps: str, as_json: bool, progress: str, **shared: Any) -> None:
    """Paint one picture with L-BFGS and with Adam, for more and more steps.

    \b
    Example: vst study optimizers cat.jpg -s art.jpg --out study --steps 20,100
    """
    from vst.research.study.optimizers import plan_optimizers as study_of

    subject, only, options = read_shared_options(shared)
    counts = [int(part) for part in steps.split(",") if part.strip().isdecimal()]
    if len(counts) != len(steps.split(",")):
        raise UsageError(f"steps {steps!r}; allowed are whole numbers with commas between them")
    with open_judge(subject) as judge:
        study = study_of(subject, out, judge, steps=counts, options=options, only=only)
        run_and_print(study, out, as_json, progress)


command.add_command(
    click.Command(
        "optimisers", params=optimizers.params, callback=optimizers.callback, hidden=True,
        help=optimizers.help,
    )
)  # fmt: skip
"""The British spelling, for scripts."""


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@study_options(moving=True)
@click.option("--steps", type=click.IntRange(1), help="Optimization steps for each frame.")
@training_options
@click.option(
    "--network", "networks", multiple=True, metavar="fast|noise|temporal=FILE",
    help="A trained network for this row, instead of training one; again for more.",
)  # fmt: skip
@click.option("--magenta", metavar="MODEL", help="Magenta's model, for rows with it.")
def video(
    out: Path,
    steps: int | None,
    networks: tuple[str, ...],
    magenta: str | None,
    as_json: bool,
    progress: str,
    **shared: Any,
) -> None:
    """Paint the beginning of a video with every method: optimization, trained networks, masks and
    whole models, with and without a stabilizer.

    \b
    Example: vst study video holiday.mp4 -s art.jpg --out study --minutes 1
    """
    from vst.research.study.video import VideoMethods, parse_networks
    from vst.research.study.video import plan_video as study_of

    training = read_training(shared)
    subject, only, options = read_shared_options(shared, steps, moving=True)
    ways = VideoMethods(training, parse_networks(networks), magenta, options)
    run_and_print(study_of(subject, out, ways, only), out, as_json, progress)


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@study_options(moving=True)
@click.option(
    "--vary", multiple=True, required=True, metavar="NAME=VALUE,VALUE",
    help="An option and its values; again for more: every one with every other.",
)  # fmt: skip
@click.option(
    "--train", type=OneOf(TRAININGS),
    help="Train a network for each combination; its options can be varied too.",
)  # fmt: skip
@training_options
def sweep(
    out: Path,
    options: tuple[str, ...],
    vary: tuple[str, ...],
    train: str | None,
    as_json: bool,
    progress: str,
    **shared: Any,
) -> None:
    """Paint a picture or a video with every value of any option.

    \b
    Example: vst study sweep cat.jpg -s art.jpg --out study --vary strength=0.3,1
    """
    from vst.research.study.sweep import Sweep, plan_sweep

    training = read_training(shared, train or "fast")
    subject, only, _ = read_shared_options(shared)
    with open_judge(subject) as judge:
        sweep = Sweep(vary, options, training if train else None, only)
        study = plan_sweep(subject, out, judge, sweep)
        run_and_print(study, out, as_json, progress)


def read_training(shared: dict[str, Any], kind: str = "fast") -> Training:
    """How networks are trained; its options are taken out of what the studies share."""
    return Training(kind, **{name: shared.pop(name) for name in ("minutes", "pictures", "data")})


def read_shared_options(
    shared: dict[str, Any], steps: int | None = None, *, moving: bool = False
) -> tuple[Subject, tuple[str, ...], dict[str, Any]]:
    """Return what is painted, the chosen cases, and the options for all of them: those of a job,
    and ``steps``. Raises an error if the content or a style cannot be read.
    """
    only, options = shared.pop("only"), parse_options(shared.pop("options", ()))
    subject = Subject(**shared)
    check_content(subject.content, moving=moving)
    if NONE in subject.styles:
        raise UsageError(
            f"style {NONE!r} is the content itself: a study measures the distance of paintings to "
            "a style. Give a picture, a video or a name such as @ink-wash"
        )
    for style in subject.styles:
        check_style_exists(style)
        check_style(style)
    return subject, only, options if steps is None else {**options, "steps": steps}


@contextlib.contextmanager
def open_judge(subject: Subject) -> Iterator[StillJudge]:
    """Open what measures pictures; it is closed at the end."""
    judge = StillJudge(subject)
    try:
        yield judge
    finally:
        judge.close()


def run_and_print(study: Study, out: Path, as_json: bool, progress: str) -> None:
    """Run all cases, and print the table."""
    try:
        with Reporter(progress, "steps") as reporter:
            table = run_study(study, out, reporter, page=build_page)
    except (Cancelled, KeyboardInterrupt):
        raise Cancelled(
            f"stopped: {out} keeps finished rows. Resume with: {format_command(*sys.argv[1:])}"
        ) from None
    if as_json:
        print_json({**table.as_dict(), "json": str(table.json), "html": str(table.html)})
        return
    print_table(table)
    click.echo(f"{table.html}: the table with pictures; {table.json}: its figures")
    print_next_steps(
        quiet=progress == "none",
        look=f"open {shlex.quote(str(table.html))} in a browser",
        rate=format_command("study", "rate", out),
    )


def print_table(table: StudyTable) -> None:
    """Print the table in columns, and below it why rows are empty."""
    names = [n for n in SHOWN if any(row.figures.get(n) is not None for row in table.rows)]
    lines = [["", *(FIGURES[name].head for name in names)]]
    lines += [[row.name, *format_cells(row, names)] for row in table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for first, *rest in lines:
        parts = [text.rjust(width) for text, width in zip(rest, widths[1:])]
        click.echo("  ".join([first.ljust(widths[0]), *parts]).rstrip())
    for row in table.rows:
        if not row.done:
            click.echo(f"{row.name}: {row.reason}")


@command.command(cls=GroupedCommand, grouped=False, common=RATE_COMMON)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR…")
@click.option(
    "--out", type=HERE, metavar="DIR", help="Folder for the votes (default: the first folder)."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True,
    help="Port of the page on this machine; 0: any free port.",
)  # fmt: skip
@click.option("--ranking", is_flag=True, help="Print the ranking by the votes so far, and exit.")
@click.option("--open/--no-open", "opened", default=True, help="Open the page in a browser.")
@report_options
def rate(
    folders: tuple[Path, ...],
    out: Path | None,
    port: int,
    ranking: bool,
    opened: bool,
    **report: Any,
) -> None:
    """Show pairs of videos side by side, without names, and rank them by your answers.

    Each DIR contains paintings of one content: the output of `vst study video`, or any videos. A
    name that occurs in several folders is ranked once. Ctrl-C ends the rating; votes are kept.

    \b
    Example: vst study rate study
    """
    from vst.research.study.rating import read_group
    from vst.research.study.standings import format_standings, write_page
    from vst.research.study.votes import Votes

    as_json, progress = pop_options(report, "as_json", "progress")
    groups = [read_group(folder) for folder in folders]
    place = out or folders[0]
    place.mkdir(parents=True, exist_ok=True)
    with Votes(place / "rate.json") as votes:
        rating = Rating(groups, votes, random.SystemRandom())
        if not ranking:
            serve_until_interrupt(rating, port, opened, progress)
        standings = rating.standings()
        page = write_page(place, standings, len(votes))
    if as_json:
        from vst.research.study.votes import to_plain

        print_json({"votes": len(votes), "ranking": to_plain(standings), "html": str(page)})
        return
    for line in format_standings(standings):
        click.echo(line)
    click.echo(f"{page}: the ranking")


def serve_until_interrupt(rating: Rating, port: int, opened: bool, progress: str) -> None:
    """Serve the rating's page until Ctrl-C."""
    from vst.web.rating import serve_rating

    with serve_rating(rating, port) as address:
        if progress != "none":
            click.echo(f"{address} shows the pairs; Ctrl-C ends and ranks", err=True)
        if opened:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt, Cancelled):
            threading.Event().wait()
