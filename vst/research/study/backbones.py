"""Compares the networks that define what style is: one picture, painted with each backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vst.core.packages import require_tensorflow
from vst.core.registry import make_unknown_error
from vst.errors import UsageError
from vst.nets.backbones import BACKBONES, RANDOM
from vst.preview import read_first_picture
from vst.research.study import reports
from vst.research.study.base import Study, select_cases
from vst.research.study.content import (
    StillJudge,
    Subject,
    collect_pictures,
    replace_drawn_styles,
    resolve_subject_styles,
    write_still,
)
from vst.research.study.options import refuse
from vst.research.study.painting import build_still_case

OWN = "embedded"
"""The backbone that is always there."""


def plan_backbones(
    subject: Subject,
    folder: Path,
    judge: StillJudge,
    *,
    weights: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
) -> Study:
    """Plan one picture painted by optimization with every backbone.

    ``weights``: backbone -> a file of its weights, or `RANDOM`; the others use ImageNet's,
    downloaded.
    """
    require_tensorflow("`vst study backbones`")
    weights = dict(weights or {})
    for name in weights:
        if name not in BACKBONES:
            raise make_unknown_error("backbone", name, BACKBONES)
    refuse(options or {}, ("engine", "backbone", "model"))
    subject = replace_drawn_styles(subject, folder)
    still = write_still(subject, folder)
    cases = []
    for name in BACKBONES:
        given = {"engine": "gatys", **(options or {}), "backbone": name}
        label = name
        if name in weights:
            given["model"] = weights[name]
            label = f"{name}, {'random weights' if weights[name] == RANDOM else 'given weights'}"
        cases.append(build_still_case(label, subject, still, judge, given))
    return Study(
        name="backbones",
        title=f"Backbones: {subject.names()}",
        cases=select_cases(cases, only),
        about=[
            "One picture, painted by optimization with each backbone, each from its own layers.",
            "Losses of two backbones cannot be compared; time, variation and style distance can.",
            f"Style distance by the predictor of {subject.predictor}.",
            "A backbone with the predictor's name is judged by a relative of its own.",
            "Random weights show what a backbone costs, not what it paints.",
        ],
        shown={
            "The content": read_first_picture(str(still)),
            **collect_pictures(resolve_subject_styles(subject)),
        },
        reported=reports.BACKBONES,
        source=reports.BACKBONES_SOURCE,
    )


def parse_weights(texts: Sequence[str]) -> dict[str, str]:
    """Parse ``random`` (for every backbone that would be downloaded), or ``NAME=FILE`` for each."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, file = text.partition("=")
        if text == RANDOM:
            found |= {name: RANDOM for name in BACKBONES if name != OWN}
        elif not sign or not file:
            raise UsageError(f"weights {text!r}; allowed is {RANDOM!r}, or NAME=FILE")
        elif name not in BACKBONES:
            raise make_unknown_error("backbone", name, BACKBONES)
        else:
            found[name] = file
    return found
