"""``vst show``: print the job that made an output."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vst.cli.options import verbose_option
from vst.errors import MediaError, MissingFileError
from vst.video.sinks.metadata import read_job


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
        raise MissingFileError(f"{output!r} is not there; give a video or folder that vst has made")
    text = read_job(path)
    if text is None:
        raise MediaError(
            f"{output} carries no job: it was not made by vst, or its metadata was removed"
        )
    click.echo(json.dumps(json.loads(text), ensure_ascii=False, indent=2))
