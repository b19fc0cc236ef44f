"""``vst compare``: videos side by side, with labels."""

from __future__ import annotations

import shlex
import time
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from vst.cli.checks import check_video_output, check_videos
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import output_option, pop_options, print_json, report_options, warn
from vst.cli.progress import Reporter
from vst.core.types import Frame, Picture, Progress, VideoInfo
from vst.errors import UsageError
from vst.plotting import write_text
from vst.video.sinks import open_sink
from vst.video.sinks.base import SinkSpec
from vst.video.sources import open_source

LABEL = 28
"""Height of the strip with the names, in pixels."""
GAP = 4
TALLEST = 720


@click.command()
@click.argument("videos", nargs=-1, required=True)
@output_option("The video to write: one beside the other, with the sound of the first.")
@click.option(
    "--label", "labels", multiple=True, metavar="TEXT",
    help="What stands over each, in order (default: the files' names); again for each.",
)  # fmt: skip
@click.option(
    "--height", type=click.IntRange(16, 4320), metavar="N",
    help=f"Height of each video in pixels (default: the first one's, at most {TALLEST}).",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the output if it is there.")
@report_options
def command(
    videos: tuple[str, ...],
    output: str,
    labels: tuple[str, ...],
    height: int | None,
    overwrite: bool,
    **report: Any,
) -> None:
    """Put two or more VIDEOS (or folders of frames) side by side, as long as the shortest.

    \b
    Example: vst compare raw.mp4 steady.mp4 -o side.mp4
    """
    as_json, progress = pop_options(report, "as_json", "progress")
    if len(videos) < 2:
        raise UsageError("one video was given; name two or more to compare")
    if labels and len(labels) != len(videos):
        raise UsageError(
            f"{len(labels)} labels for {len(videos)} videos; give one for each, or none"
        )
    check_videos(videos, name="video")
    check_video_output(output, overwrite)
    names = labels or tuple(Path(name).stem for name in videos)
    frames, warnings = write_comparison(videos, names, output, height, overwrite, progress)
    warn(warnings)
    if as_json:
        print_json({"output": output, "frames": frames, "warnings": warnings})
    else:
        click.echo(f"{output}: {frames} frames, {' | '.join(names)}")
        print_next_steps(
            quiet=progress == "none",
            measure=format_command("evaluate", videos[1], "--content", videos[0]),
            undo=f"rm {shlex.quote(output)}",
        )


def write_comparison(
    videos: tuple[str, ...],
    names: tuple[str, ...],
    output: str,
    height: int | None,
    overwrite: bool,
    progress: str,
) -> tuple[int, list[str]]:
    """Write the output; returns its frames, and warnings."""
    with ExitStack() as stack:
        sources = [stack.enter_context(open_source(path)) for path in videos]
        first = sources[0].info
        tall = round_to_even(height or min(first.height, TALLEST))
        widths = [round_to_even(tall * source.info.aspect) for source in sources]
        label = draw_labels(names, widths)
        sink = stack.enter_context(
            open_sink(build_spec(Path(output), label.shape[1], tall + LABEL, first, overwrite))
        )
        on_progress = stack.enter_context(Reporter(progress))
        started, count = time.perf_counter(), 0
        for together in zip(*(source.frames() for source in sources)):
            pictures = [
                cv2.resize(frame.picture, (width, tall), interpolation=cv2.INTER_AREA)
                for frame, width in zip(together, widths)
            ]
            picture = np.concatenate([label, join_in_row(pictures)], axis=0)
            sink.write(Frame(count, together[0].time, picture))
            count += 1
            on_progress(Progress("compare", count, first.frames, time.perf_counter() - started))
        report = sink.finish()
        warnings = [text for source in sources for text in source.warnings]
        return report.frames, [*warnings, *report.warnings]


def build_spec(path: Path, width: int, height: int, first: VideoInfo, overwrite: bool) -> SinkSpec:
    """What is to be written: at the first video's rate, with its sound."""
    return SinkSpec(
        path=path, width=width, height=height, rate=first.rate, variable=first.variable,
        sample_aspect=Fraction(1), content=first if first.audio else None, overwrite=overwrite,
    )  # fmt: skip


def round_to_even(length: float) -> int:
    """The nearest even number of pixels: what video codecs take."""
    return max(2, round(length / 2) * 2)


def join_in_row(pictures: list[Picture]) -> Picture:
    """Pictures in a row, with gaps between."""
    between = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, between)]
    return np.concatenate(parts[:-1], axis=1)


def draw_labels(names: tuple[str, ...], widths: list[int]) -> Picture:
    """The names, each over the middle of its video."""
    strip = np.full((LABEL, sum(widths) + GAP * (len(widths) - 1), 3), 255, np.uint8)
    left = 0
    for name, width in zip(names, widths):
        write_text(strip, name, (left + width / 2, LABEL / 2), 16, (28, 30, 34), "mm")
        left += width + GAP
    return strip
