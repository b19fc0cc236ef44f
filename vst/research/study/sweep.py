"""Varies options of a job, or of a network's training, over lists of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vst.preview import read_first_picture
from vst.research.study.base import Case, Study, select_cases
from vst.research.study.content import (
    StillJudge,
    Subject,
    collect_pictures,
    replace_drawn_styles,
    resolve_subject_styles,
    write_clip,
    write_still,
)
from vst.research.study.networks import Training, build_trained_case, collect_training_fields
from vst.research.study.options import (
    collect_job_fields,
    combine,
    format_values,
    parse_lists,
    parse_options,
)
from vst.research.study.painting import build_film_case, build_still_case
from vst.video.sources import detect_source_kind


@dataclass(frozen=True)
class Sweep:
    """The varied and the fixed options.

    ``vary``: ``NAME=VALUE,VALUE``; ``options``: ``NAME=VALUE`` for all. ``training``: train a
    network for each combination, and paint with it; then its options can vary too. ``only``: the
    cases to paint (empty: all).
    """

    vary: Sequence[str]
    options: Sequence[str] = ()
    training: Training | None = None
    only: Sequence[str] = ()


def plan_sweep(subject: Subject, folder: Path, judge: StillJudge, sweep: Sweep) -> Study:
    """Plan a picture, or the clip of a video, with every combination of the varied options."""
    training = sweep.training
    own = {} if training is None else collect_training_fields(training.kind)
    kinds = {**collect_job_fields(), **own}
    shared = parse_options(sweep.options, kinds)
    varied = combine(parse_lists(sweep.vary, kinds))
    subject = replace_drawn_styles(subject, folder)
    moves = training is not None or detect_source_kind(subject.content) != "picture"
    content = write_clip(subject, folder) if moves else write_still(subject, folder)

    def case(values: Mapping[str, Any]) -> Case:
        name, given = format_values(values), {**shared, **values}
        if training is not None:
            learning = {n: value for n, value in given.items() if n in own}
            painting = {n: value for n, value in given.items() if n not in own}
            network = replace(training, options={**training.options, **learning})
            return build_trained_case(name, subject, content, folder, network, painting)
        if moves:
            return build_film_case(name, subject, content, given)
        return build_still_case(name, subject, content, judge, given)

    said = f" For all: {format_values(shared)}." if shared else ""
    first = read_first_picture(str(content))
    return Study(
        name="sweep",
        title=f"Sweep: {subject.names()}",
        cases=select_cases([case(values) for values in varied], sweep.only),
        about=[
            "The same content and style with different values.",
            "" if training is None else f"A network was trained for each: {training.describe()}.",
            said,
        ],
        shown={"The content": first, **collect_pictures(resolve_subject_styles(subject))},
    )
