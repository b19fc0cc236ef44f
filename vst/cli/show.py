"""``vst show``: print the job that made an output."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vst.cli.options import verbose_option
from vst.errors import MissingFileError, UsageError
from vst.video.sinks.metadata import read_job
from vst.video.sources import detect_source_kind


@click.command()
@click.argument("output")
@verbose_option
def command(output: str) -> None:
    """Print the job (styles, options, version) that is written in OUTPUT, as JSON.

    \b
    Example: vst show painted.mp4
    """
    path = Path(output)
    if not path.exists():
        raise MissingFileError(
            f"{output!r} does not exist. Give a video or folder that vst has made"
        )
    if path.is_file() and detect_source_kind(output) == "picture" and path.suffix != ".gif":
        raise UsageError(
            f"{output!r} is a picture: pictures carry no job. Give an output of vst stylize, "
            "resume or batch"
        )
    text = read_job(path)
    if text is None:
        raise UsageError(
            f"{output!r} carries no job: it was not made by vst, or its metadata was removed. Give "
            "an output of vst stylize, resume or batch"
        )
    click.echo(json.dumps(json.loads(text), ensure_ascii=False, indent=2))
