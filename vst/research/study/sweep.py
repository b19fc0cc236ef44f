"""Any option over a list of values: of a job, or of the training of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vst.preview import read_first_picture
from vst.research.study.base import Case, Study, chosen
from vst.research.study.content import (
    StillJudge,
    Subject,
    clip_of,
    looks_in,
    pictures_of,
    still_of,
    with_pictures,
)
from vst.research.study.networks import Training, kinds_of, trained_case
from vst.research.study.options import combinations, job_kinds, label, parsed_lists, parsed_options
from vst.research.study.painting import film_case, still_case
from vst.video.sources import detect_source_kind


def sweep(
    subject: Subject,
    folder: Path,
    judge: StillJudge,
    *,
    vary: Sequence[str],
    options: Sequence[str] = (),
    training: Training | None = None,
    only: Sequence[str] = (),
) -> Study:
    """Paint a picture, or the clip of a video, with every combination of what varies.

    ``vary``: ``NAME=VALUE,VALUE``; ``options``: ``NAME=VALUE`` for all. ``training``: train a
    network for each combination, and paint with it; names may then be of its options too.
    """
    own = {} if training is None else kinds_of(training.kind)
    kinds = {**job_kinds(), **own}
    shared = parsed_options(options, kinds)
    varied = combinations(parsed_lists(vary, kinds))
    subject = with_pictures(subject, folder)
    moves = training is not None or detect_source_kind(subject.content) != "picture"
    content = clip_of(subject, folder) if moves else still_of(subject, folder)

    def case(values: Mapping[str, Any]) -> Case:
        name, given = label(values), {**shared, **values}
        if training is not None:
            learning = {n: value for n, value in given.items() if n in own}
            painting = {n: value for n, value in given.items() if n not in own}
            network = replace(training, options={**training.options, **learning})
            return trained_case(name, subject, content, folder, network, painting)
        if moves:
            return film_case(name, subject, content, given)
        return still_case(name, subject, content, judge, given)

    said = f" For all: {label(shared)}." if shared else ""
    first = read_first_picture(str(content))
    return Study(
        name="sweep",
        title=f"Sweep: {subject.names()}",
        cases=chosen([case(values) for values in varied], only),
        about=[
            "The same content and style, each time with other values.",
            "" if training is None else f"For each a network was trained: {training.told()}.",
            said,
        ],
        shown={"The content": first, **pictures_of(looks_in(subject))},
    )
