"""Compares optimizers and numbers of steps: one picture by each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vst.core.packages import require_tensorflow
from vst.errors import UsageError
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

OPTIMIZERS = ("lbfgs", "adam")
STEPS = (20, 100, 300)
"""As in the report."""


def plan_optimizers(
    subject: Subject,
    folder: Path,
    judge: StillJudge,
    *,
    steps: Sequence[int] = STEPS,
    options: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
) -> Study:
    """Plan one picture with every optimizer and every number of steps."""
    require_tensorflow("`vst study optimizers`")
    if not steps or min(steps) < 1:
        raise UsageError(f"steps {list(steps)}: give one number or more, each 1 or larger")
    refuse(options or {}, ("engine", "optimizer", "steps"))
    subject = replace_drawn_styles(subject, folder)
    still = write_still(subject, folder)
    cases = [
        build_still_case(
            f"{optimizer}, {count} steps",
            subject,
            still,
            judge,
            {"engine": "gatys", **(options or {}), "optimizer": optimizer, "steps": count},
        )
        for optimizer in OPTIMIZERS
        for count in steps
    ]
    return Study(
        name="optimizers",
        title=f"Optimizers: {subject.names()}",
        cases=select_cases(cases, only),
        about=[
            "One picture, painted by optimization from the same start, each time anew.",
            "A step of L-BFGS looks at the loss more than once: compare times, not steps.",
        ],
        shown={
            "The content": read_first_picture(str(still)),
            **collect_pictures(resolve_subject_styles(subject)),
        },
        reported=reports.OPTIMIZERS,
        source=reports.OPTIMIZERS_SOURCE,
    )
