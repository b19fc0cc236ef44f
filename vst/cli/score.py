"""``vst score``: write a score to begin with, check one, draw one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from vst.cli.help import SHORT_HELP, GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import (
    Parsed,
    job_options,
    output_option,
    style_option,
    verbose_option,
    warn,
)
from vst.core.fields import check_option
from vst.core.timecode import format_time
from vst.core.types import Picture
from vst.errors import MissingFileError, OutputExistsError, UsageError
from vst.job import Job
from vst.pipeline.checks import check_content, check_parent, check_picture_output, check_style
from vst.plotting import Look, plot_score, save_picture
from vst.samples import PATTERNS, draw_pattern
from vst.schedule.alignment import find_cut_times
from vst.schedule.easing import get_ease
from vst.schedule.score import Clock, Score, StyleSource, read_score, sketch_timeline, write_score
from vst.schedule.timeline import BLENDS, Timeline
from vst.styles.from_score import check_score_files, resolve_score_styles
from vst.styles.resolve import PICTURE_SUFFIXES, ResolvedStyle, resolve_styles
from vst.video.beats import find_beats_in_file
from vst.video.sources import open_source

KEYFRAMES = Job.__dataclass_fields__["keyframes"].metadata


@click.group()
def command() -> None:
    """Write, check and draw scores: files that say which style is played when.

    \b
    Example: vst score init holiday.mp4 -s film.mp4 -o score.yaml
    """


def _ease(text: str) -> str:
    get_ease(text)
    return text


INIT_COMMON = {
    "styles": SHORT_HELP["styles"],
    "output": "The score: a file that ends in .yaml.",
    "keyframes": SHORT_HELP["keyframes"],
    "strength": SHORT_HELP["strength"],
    "ease": "Curve of a transition: linear, smooth, …",
    "blend": "How two styles are mixed.",
    "hold": "Part of each segment with a pure style.",
    "loop": "End where it began.",
    "overwrite": SHORT_HELP["overwrite"],
}
"""Parameters of ``score init`` that ``--help`` shows."""


@command.command(cls=GroupedCommand, grouped=False, common=INIT_COMMON)
@click.argument("content")
@style_option
@output_option("The score: a file that ends in .yaml.")
@job_options("keyframes", "picker", "strength", "overwrite")
@click.option(
    "--ease", type=Parsed("ease", _ease), default="smooth", show_default=True,
    help="How the change from style to style feels: a name, or cubic-bezier(a,b,c,d).",
)  # fmt: skip
@click.option(
    "--blend", type=click.Choice(list(BLENDS)), default="embedding", show_default=True,
    help="How two styles are mixed.",
)  # fmt: skip
@click.option(
    "--hold", type=click.FloatRange(0, 1), default=0.0,
    help="Part of each segment with a pure style.",
)  # fmt: skip
@click.option("--loop", is_flag=True, help="End where it began.")
@verbose_option
def init(
    content: str, styles: tuple[str, ...], output: str, overwrite: bool, **options: Any
) -> None:
    """Write a score for the video CONTENT that plays the styles one after the other.

    \b
    Example: vst score init holiday.mp4 -s film.mp4 -o score.yaml
    """
    check_score_output(output, overwrite)
    check_option("keyframes", options["keyframes"], KEYFRAMES)
    check_content(content)
    for style in styles:
        check_style(style)
    with open_source(content) as source:
        info = source.info
    resolved = resolve_styles(styles, keyframes=options["keyframes"], picker=options["picker"])
    last = max(0.0, info.duration - 1 / float(info.rate))
    timeline = Timeline.through(
        [style.name for style in resolved],
        last,
        ease=options["ease"],
        blend=options["blend"],
        strength=options["strength"],
        hold=options["hold"],
        loop=options["loop"],
    )
    folder = Path(output).absolute().parent
    score = Score.from_timeline(
        timeline,
        list_sources(styles, resolved, folder),
        clock=Clock(0.0, last, float(info.rate)),
        content=make_relative(content, folder),
    )
    write_score(score, output, introduction=True)
    click.echo(f"{output}: {format_counts(timeline)}")
    print_next_steps(
        look=format_command("score", "plot", output, "-o", Path(output).with_suffix(".png")),
        paint=format_command("stylize", content, "--score", output, "-o", "painted.mp4"),
    )


def check_score_output(output: str, overwrite: bool) -> None:
    """Refuse a name for a score that cannot be written, before any work is done."""
    path = Path(output)
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise UsageError(f"output {output!r} is not a score; give a name that ends in .yaml")
    check_parent(output)
    if path.exists() and not overwrite:
        raise OutputExistsError(f"output {output!r} is already there; --overwrite replaces it")


def list_sources(
    styles: tuple[str, ...], resolved: list[ResolvedStyle], folder: Path
) -> dict[str, StyleSource]:
    """List where each style comes from, as a score in ``folder`` spells it."""
    found: dict[str, StyleSource] = {}
    left = list(resolved)
    for style in styles:
        path = Path(style)
        if style.startswith("@"):
            found[left.pop(0).name] = StyleSource(style)
        elif path.is_dir():
            for file in sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES):
                found[left.pop(0).name] = StyleSource(make_relative(str(file), folder))
        elif path.suffix.lower() in PICTURE_SUFFIXES:
            found[left.pop(0).name] = StyleSource(make_relative(style, folder))
        else:
            # A video's keyframes: as many as carry its name.
            while left and left[0].name.startswith(f"{path.stem}-"):
                keyframe = left.pop(0)
                time = round(keyframe.time, 6)
                found[keyframe.name] = StyleSource(make_relative(style, folder), time)
    return found


def make_relative(path: str, folder: Path) -> str:
    """``path`` as seen from ``folder``, with forward slashes."""
    try:
        return Path(os.path.relpath(Path(path).absolute(), folder)).as_posix()
    except ValueError:  # another drive
        return Path(path).absolute().as_posix()


def format_counts(timeline: Timeline) -> str:
    """How much is in a timeline: 4 keys, 1 style."""
    sizes = {"key": len(timeline.keys), "style": len(timeline.names)}
    return ", ".join(f"{size} {what}{'' if size == 1 else 's'}" for what, size in sizes.items())


@command.command()
@click.argument("score_file", metavar="FILE")
@verbose_option
def check(score_file: str) -> None:
    """Check whether the score FILE can be played; name the line of a mistake and its fix.

    \b
    Example: vst score check score.yaml
    """
    score = read_score(score_file)
    check_score_files(score)
    timeline, last, known = build_timeline(score, None)
    if known:
        late = [key for key in timeline.keys if key.time > last + 1e-6]
        warn(
            f"the key at {format_time(key.time)} is never reached; "
            f"the last frame of {score.content} is at {format_time(last)}"
            for key in late
        )
    on = f" on {score.content}" if known else ""
    click.echo(f"{score_file}: fine{on}; {format_counts(timeline)}")


@command.command()
@click.argument("score_file", metavar="FILE")
@output_option("The picture: .png or .jpg.")
@click.option("--content", default=None, help="Draw it for this video (default: the score's own).")
@click.option("--overwrite", is_flag=True, help="Replace the output if it is there.")
@verbose_option
def plot(score_file: str, output: str, content: str | None, overwrite: bool) -> None:
    """Draw the score FILE: keyframe pictures over the curves of their weights.

    \b
    Example: vst score plot score.yaml -o score.png
    """
    check_picture_output(output, overwrite)
    score = read_score(score_file)
    timeline, duration, known = build_timeline(score, content)
    title = Path(score_file).name if known else f"{Path(score_file).name} (content not known)"
    save_picture(
        output, plot_score(timeline, read_thumbnails(score), duration, look=Look(title, 1000))
    )
    click.echo(f"{output}: {len(timeline.keys)} keys over {format_time(duration)}")


def build_timeline(score: Score, content: str | None) -> tuple[Timeline, float, bool]:
    """The score's timeline, its seconds, and whether the content is known: the one given, else the
    score's own, else a sketch.
    """
    if content is None and score.content is not None:
        content = str(score.folder / score.content)
        if not Path(content).exists():
            raise MissingFileError(
                f"{score.file}: content: {score.content!r} is not there; "
                "change the path, or remove the row"
            )
    if content is None:
        return *sketch_timeline(score), False
    with open_source(content) as source:
        info = source.info
        cuts = find_cut_times(source.frames()) if score.needs_cuts else None
    beats = find_beats_in_file(info.path, info.origin) if score.needs_beats else None
    last = max(1 / float(info.rate), info.duration - 1 / float(info.rate))
    return score.timeline(info, cuts, beats), last, True


def read_thumbnails(score: Score) -> dict[str, Picture]:
    """A picture for each style that has one; built-in styles were painted from drawn patterns."""
    found = {}
    for style in resolve_score_styles(score):
        source = score.styles.get(style.name)
        name = (source.path if source else style.name).lstrip("@")
        if style.space is None:
            found[style.name] = style.picture
        elif name in PATTERNS:
            found[style.name] = draw_pattern(name)
    return found
