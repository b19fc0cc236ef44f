"""``vst frames``: write frames of a video as pictures, to be painted over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import TIMES, output_option, print_json, verbose_option
from vst.core.timecode import format_time
from vst.errors import OutputExistsError, UsageError
from vst.pipeline.checks import check_content, check_output_name, check_parent
from vst.plotting import save_picture
from vst.video.sources import open_source


@click.command()
@click.argument("content")
@click.option("--at", type=TIMES, required=True, metavar="TIME,TIME,…", help="Times of the frames.")
@output_option("The folder for the pictures.")
@click.option("--overwrite", is_flag=True, help="Replace pictures that are there.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@verbose_option
def command(
    content: str, at: tuple[float, ...], output: str, overwrite: bool, as_json: bool
) -> None:
    """Write the frames that CONTENT shows at the given times as PNG files. Paint over them, keeping
    their size, and give them to the option --painted of `vst stylize`.

    \b
    Example: vst frames shot.mp4 --at 2,5.4 -o frames
    """
    at = tuple(dict.fromkeys(at))
    check_content(content)
    check_output_name(output)
    check_parent(output)
    folder, stem = Path(output), Path(content).stem
    files = [folder / f"{stem}_{format_name(time)}.png" for time in at]
    check_files(folder, files, overwrite)
    with open_source(content) as source:
        for time in at:
            if time >= source.info.duration:
                raise UsageError(
                    f"time {format_time(time)} is after the end of {content} "
                    f"({format_time(source.info.duration)}). Give an earlier one"
                )
        folder.mkdir(exist_ok=True)
        for time, file in zip(at, files):
            save_picture(file, source.at(time))
    report_files(content, at, files, as_json)


def format_name(time: float) -> str:
    """Format a time so that names sort by it: 5.4 as "0005.400"."""
    return f"{time:08.3f}"


def check_files(folder: Path, files: list[Path], overwrite: bool) -> None:
    """Refuse a folder that is a file, and pictures that exist."""
    if folder.is_file():
        raise OutputExistsError(f"output {str(folder)!r} is a file. Give a folder")
    there = [file for file in files if file.exists()]
    if there and not overwrite:
        raise OutputExistsError(f"output {str(there[0])!r} exists. Add --overwrite to replace it")


def report_files(content: str, at: tuple[float, ...], files: list[Path], as_json: bool) -> None:
    """Print the files with their times, and the command that takes them painted over."""
    if as_json:
        found: list[Any] = [{"time": time, "file": str(file)} for time, file in zip(at, files)]
        print_json({"content": content, "frames": found})
        return
    for time, file in zip(at, files):
        click.echo(f"{format_time(time):>12}  {file}")
    painted = [part for time, file in zip(at, files) for part in ("--painted", f"{time:g}={file}")]
    print_next_steps(paint=format_command("stylize", content, *painted, "-o", "painted.mp4"))
