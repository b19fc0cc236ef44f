"""``vst keyframes``: show what would be taken from a style video."""

from __future__ import annotations

from pathlib import Path

import click

from vst.commands.options import (
    OneOf,
    check_picture_output,
    output_option,
    print_json,
    verbose_option,
)
from vst.draw import save_picture, sheet
from vst.errors import MissingFileError, OutputExistsError
from vst.job import Job, check_option
from vst.keyframes import PICKERS
from vst.looks import Look, looks_of
from vst.times import format_time

PER_ROW = 5
"""Pictures in a row of the sheet."""
FIELDS = Job.__dataclass_fields__


@click.command()
@click.argument("style")
@click.option(
    "-n", "--keyframes", type=int, default=FIELDS["keyframes"].default, show_default=True,
    help=FIELDS["keyframes"].metadata["help"],
)  # fmt: skip
@click.option(
    "--picker", type=OneOf(PICKERS), default=FIELDS["picker"].default, show_default=True,
    help=FIELDS["picker"].metadata["help"],
)  # fmt: skip
@output_option("A picture for the sheet (sheet.png), or a folder for one picture each.")
@click.option("--overwrite", is_flag=True, help="Replace the output if it is there.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@verbose_option
def command(
    style: str, keyframes: int, picker: str, output: str, overwrite: bool, as_json: bool
) -> None:
    """Take keyframes from the video STYLE, say their times, and draw them.

    \b
    Example: vst keyframes film.mp4 -n 5 -o sheet.png
    """
    check_option("keyframes", keyframes, FIELDS["keyframes"].metadata)
    if not Path(style).exists():
        raise MissingFileError(
            f"style video {style!r} is not there; give a video, a picture or a folder of pictures"
        )
    target = Path(output)
    if target.suffix:
        check_picture_output(output, overwrite)
    elif target.is_file():
        raise OutputExistsError(
            f"output {output!r} is a file; give a folder, or a sheet's name (.png)"
        )
    looks = looks_of([style], keyframes=keyframes, picker=picker)
    files = draw(looks, target)
    if as_json:
        found = [{"name": look.name, "time": round(look.time, 3)} for look in looks]
        print_json({"output": output, "files": files, "keyframes": found})
        return
    for look in looks:
        click.echo(f"{format_time(look.time):>12}  {look.name}")
    click.echo(f"{output}: {len(looks)} keyframes")


def draw(looks: list[Look], target: Path) -> list[str]:
    """Write one sheet, or into a folder one picture each; returns the paths."""
    if target.suffix:
        rows = [looks[i : i + PER_ROW] for i in range(0, len(looks), PER_ROW)]
        pictures = [[look.picture for look in row] for row in rows]
        labels = [[f"{look.name}  {format_time(look.time)}" for look in row] for row in rows]
        save_picture(target, sheet(pictures, labels))
        return [str(target)]
    target.mkdir(parents=True, exist_ok=True)
    files = [target / f"{look.name}.png" for look in looks]
    for look, file in zip(looks, files):
        save_picture(file, look.picture)
    return [str(file) for file in files]
