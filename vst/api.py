"""The short way in from Python: the same as the verbs of the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from vst.core.registry import unknown
from vst.core.timecode import parse_rate, parse_time
from vst.core.types import OnProgress, Picture, silent
from vst.engines.options import collect_option_fields, group_engine_options
from vst.job import Job
from vst.pipeline.parts import open_job_engine
from vst.pipeline.run import Result, run

PathLike = str | os.PathLike[str]


def job_of(
    content: PathLike, styles: PathLike | Sequence[PathLike], output: PathLike, **options: Any
) -> Job:
    """A `Job` from paths and times as people write them; unknown options are named in the error.
    Options that are an engine's own stand among the others.
    """
    names = [styles] if isinstance(styles, (str, os.PathLike)) else list(styles)
    known = Job.__dataclass_fields__
    options = group_engine_options(options)
    for name in options:
        if name not in known:
            raise unknown("option", name, [*known, *collect_option_fields()])
    for name in ("start", "end"):
        if options.get(name) is not None:
            options[name] = parse_time(options[name])
    if options.get("fps") is not None:
        options["fps"] = parse_rate(options["fps"])
    size = options.get("size")
    if isinstance(size, str) and size.isdigit():
        options["size"] = int(size)
    return Job(
        os.fspath(content), tuple(os.fspath(name) for name in names), os.fspath(output), **options
    )


def stylize(
    content: PathLike,
    styles: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Result:
    """Paint a video in the looks of others; ``options`` are the fields of `Job`.

    ``styles``: one or more of: a picture, a folder of pictures, a video, ``"@name"``. Returns what
    was done.
    """
    return run(job_of(content, styles, output, **options), on_progress)


def stylize_picture(
    content: PathLike, styles: PathLike | Sequence[PathLike], **options: Any
) -> Picture:
    """Paint one picture in an even mix of styles; ``options`` are those of `stylize`. Returns RGB
    uint8.
    """
    from vst.preview import paint_picture

    job = job_of(content, styles, "", **options)
    with open_job_engine(job) as engine:
        return paint_picture(job, engine)
