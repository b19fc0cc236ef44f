"""``vst keyframes``: show what would be taken from a style video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from vst.cli.checks import check_video_style
from vst.cli.help import GroupedCommand
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import (
    TIMES,
    OneOf,
    job_options,
    output_option,
    print_json,
    verbose_option,
    warn,
)
from vst.core.fields import check_option
from vst.core.timecode import format_time
from vst.core.types import Picture
from vst.errors import OutputExistsError
from vst.job import Job
from vst.keyframes import PICKERS
from vst.keyframes.diverse import describe_styles, measure_distances
from vst.pipeline.checks import (
    check_model,
    check_output_name,
    check_packages,
    check_picture_output,
)
from vst.pipeline.parts import open_engine
from vst.plotting import draw_sheet, save_picture
from vst.plotting.maps import draw_heat_table
from vst.styles.resolve import ResolvedStyle, StyleReading, resolve_styles

PER_ROW = 5
"""Pictures in a row of the sheet."""
FIELDS = Job.__dataclass_fields__


COMMON = {
    "keyframes": "Number of keyframes.",
    "picker": "How they are chosen: middle, scene, diverse, …",
    "at": "Times for --picker manual: 1.5,4,9.",
    "output": "A sheet (.png), or a folder for one picture each.",
    "overwrite": "Replace the output if it is there.",
    "engine": "Engine that measures the distances.",
    "as_json": "Print one JSON object on stdout.",
}
"""Parameters that ``--help`` shows."""


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.argument("style")
@click.option(
    "-n", "--keyframes", type=int, default=FIELDS["keyframes"].default, show_default=True,
    help=FIELDS["keyframes"].metadata["help"],
)  # fmt: skip
@click.option(
    "--picker", type=OneOf(PICKERS), default=FIELDS["picker"].default, show_default=True,
    help=FIELDS["picker"].metadata["help"],
)  # fmt: skip
@click.option("--at", type=TIMES, help="Times of the keyframes, for --picker manual: 1.5,4,9.")
@output_option("A picture for the sheet (sheet.png), or a folder for one picture each.")
@click.option("--overwrite", is_flag=True, help="Replace the output if it is there.")
@job_options("engine", "model")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@verbose_option
def command(style: str, output: str, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Take keyframes from the video STYLE, say their times, and draw them, with a map of how far
    apart their styles are by the engine.

    \b
    Example: vst keyframes film.mp4 -n 5 -o sheet.png
    """
    at, keyframes = options["at"] or (), options["keyframes"]
    check_option("keyframes", keyframes, FIELDS["keyframes"].metadata)
    check_video_style(style)
    target = Path(output)
    check_output_name(output)
    if target.suffix:
        check_picture_output(output, overwrite)
    elif target.exists() and not target.is_dir():
        raise OutputExistsError(
            f"output {output!r} is a file; give a folder, or a sheet's name (.png)"
        )
    check_model(options["engine"], options["model"])
    check_packages(options["engine"], options["model"])
    # A time that is given is meant to be taken, whatever the picker's default.
    picker = options["picker"]
    picker = "manual" if at and picker == FIELDS["picker"].default else picker
    notes: list[str] = []
    embedder = Embedder(options["engine"], options["model"])
    reading = StyleReading(embedder, notes)
    picked = resolve_styles([style], keyframes=keyframes, picker=picker, at=at, reading=reading)
    apart = measure_distances(describe_styles([keyframe.picture for keyframe in picked], embedder))
    files = write_pictures(picked, apart, embedder.space, target)
    if as_json:
        found = [{"name": keyframe.name, "time": round(keyframe.time, 3)} for keyframe in picked]
        far = [[round(float(value), 4) for value in row] for row in apart]
        head = {"output": output, "files": files, "keyframes": found, "notes": notes}
        print_json({**head, "distances": far, "space": embedder.space})
        return
    warn(notes)
    for keyframe in picked:
        click.echo(f"{format_time(keyframe.time):>12}  {keyframe.name}")
    click.echo(f"{output}: {len(picked)} keyframes{format_nearest_pair(picked, apart)}")
    print_next_steps(
        paint=format_command("stylize", "holiday.mp4", "-s", style, "-o", "painted.mp4"),
        other=format_command(
            "keyframes", style, "--picker", "diverse", "-o", output, "--overwrite"
        ),
    )


class Embedder:
    """An engine's eye for styles, opened when it is first used; colors and texture where it has
    none.
    """

    def __init__(self, engine: str, model: str | None) -> None:
        self.name, self.model = engine, model
        self.space = ""
        self._embed: Any = None

    def __call__(self, picture: Picture) -> Any:
        if self._embed is None:
            from vst.keyframes.diverse import compute_statistics

            engine = open_engine(self.name, model=self.model)
            self._embed = getattr(engine, "embed", None) or compute_statistics
            self.space = getattr(engine, "space", "colors and texture")
        return self._embed(picture)


def format_nearest_pair(picked: Sequence[ResolvedStyle], apart: Any) -> str:
    """A few words on the two keyframes that are most alike; empty for one keyframe."""
    if len(picked) < 2:
        return ""
    aside = apart + np.where(np.eye(len(picked)), np.inf, 0)
    one, other = divmod(int(aside.argmin()), len(picked))
    names = f"{picked[one].name} and {picked[other].name}"
    return f"; nearest are {names}, {apart[one, other]:.3g} apart (farthest: {apart.max():.3g})"


def write_pictures(picked: list[ResolvedStyle], apart: Any, space: str, target: Path) -> list[str]:
    """Write one sheet with the map below, or into a folder one picture each and ``map.jpg``;
    returns the paths of the sheet or of the keyframes.
    """
    labels = [f"{keyframe.name}  {format_time(keyframe.time)}" for keyframe in picked]
    heat = None
    if len(picked) > 1:
        heads = [keyframe.picture for keyframe in picked]
        title = f"How far apart their styles are ({space})"
        heat = draw_heat_table(apart, labels, heads=heads, title=title)
    if target.suffix:
        rows = [picked[i : i + PER_ROW] for i in range(0, len(picked), PER_ROW)]
        pictures = [[keyframe.picture for keyframe in row] for row in rows]
        texts = [labels[i : i + PER_ROW] for i in range(0, len(picked), PER_ROW)]
        whole = draw_sheet(pictures, texts)
        save_picture(target, whole if heat is None else np.concatenate([whole, heat]))
        return [str(target)]
    target.mkdir(parents=True, exist_ok=True)
    files = [target / f"{keyframe.name}.png" for keyframe in picked]
    for keyframe, file in zip(picked, files):
        save_picture(file, keyframe.picture)
    if heat is not None:
        save_picture(target / "map.jpg", heat)
    return [str(file) for file in files]
