"""The fields of `Job`: what their metadata says, and what derives from it."""

from __future__ import annotations

from dataclasses import Field, fields, replace
from fractions import Fraction
from typing import Any

import pytest

import vst
from vst.checkpoint.fingerprint import fingerprint_job
from vst.cli.stylize import command as stylize
from vst.core.fields import find_aliases
from vst.engines.options import OPTION_ALIASES, collect_option_fields
from vst.job import Job

OPTIONS = [part for part in fields(vst.Job) if part.metadata]
OTHER_VALUES: dict[str, Any] = {
    "at": (1.0, 2.0), "size": 64, "ease": "linear", "mask": "auto", "mask_background": "@ink-wash",
    "model": "elsewhere", "engine_options": (("steps", 7),), "end": 9.0, "codec": "ffv1",
    "crf": 20, "fps": Fraction(12), "max_memory": 5000.0, "threads": 3, "batch": 2,
    "score": "score.yaml", "strength": 0.5, "painted": ("1=a.png",), "lut": "look.cube",
    "sidecar": "cut.edl", "save_mask": "mask/", "mask_regions": "regions.yaml",
}  # fmt: skip
"""Field -> a value that is not its default, where none follows from the metadata."""


def change(part: Field[Any]) -> Any:
    """Return a value of a field that is allowed and not its default."""
    if part.name in OTHER_VALUES:
        return OTHER_VALUES[part.name]
    if isinstance(part.default, bool):
        return not part.default
    if part.metadata["choices"]:
        return next(name for name in part.metadata["choices"] if name != part.default)
    return type(part.default)(part.default + 0.25 if part.default < 1 else part.default * 2)


@pytest.mark.parametrize("part", OPTIONS, ids=lambda part: part.name)
def test_a_field_changes_the_fingerprint_where_it_shapes_the_frames(part: Field[Any]) -> None:
    more: dict[str, Any] = {"engine": "gatys"} if part.name == "engine_options" else {}
    styles = () if part.name == "score" else ("@ink-wash",)
    job = vst.Job("a.mp4", ("@ink-wash",), "o.mp4", **more)
    other = replace(job, styles=styles, **{part.name: change(part)})
    assert getattr(other, part.name) != getattr(job, part.name)
    same = fingerprint_job(job) == fingerprint_job(other)
    assert same is not part.metadata["shapes_frames"]


@pytest.mark.parametrize("part", OPTIONS, ids=lambda part: part.name)
def test_a_field_has_help_that_is_a_sentence(part: Field[Any]) -> None:
    text = part.metadata["help"]
    assert text[0].isupper() and text.endswith(".") and "\n" not in text


def test_every_field_is_an_option_of_stylize_and_so_is_its_earlier_spelling() -> None:
    flags = {flag for param in stylize.params for flag in (*param.opts, *param.secondary_opts)}
    names = [part.name for part in OPTIONS if part.name != "engine_options"]
    names += [*find_aliases(vst.Job), *collect_option_fields(), *OPTION_ALIASES]
    assert {f"--{name.replace('_', '-')}" for name in names} <= flags


def test_quality_sets_what_was_not_given() -> None:
    draft = Job("a.mp4", ("@ink-wash",), "b.mp4", quality="draft")
    assert (draft.size, draft.steadiness) == (256, 0.25)
    given = Job("a.mp4", ("@ink-wash",), "b.mp4", quality="best", size=300, steadiness=0.7)
    assert (given.size, given.steadiness) == (300, 0.7)


def test_a_job_of_another_quality_is_restored_from_its_record() -> None:
    job = Job("a.mp4", ("@ink-wash",), "b.mp4", quality="best")
    record = job.as_dict()
    assert Job(**{**record, "styles": tuple(record["styles"])}) == job
