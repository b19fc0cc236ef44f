"""A study as a page that carries its pictures within itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import MediaError
from vst.imaging.resize import resize
from vst.plotting.report import HtmlReport
from vst.research.study.base import CaseRow, StudyTable
from vst.research.study.figures import FIGURES

WIDEST = 1280
"""Pixels across of a picture on the page, at most."""


TOGETHER = 6
"""Curves in one drawing, at most."""


def build_page(table: StudyTable) -> str:
    """The whole page as HTML."""
    study = table.study
    page = HtmlReport(study.title)
    page.heading("How it was done", " ".join(study.about))
    for caption, picture in study.shown.items():
        page.picture(shrink_to_page(picture), caption)
    done = [row for row in table.rows if row.done]
    columns = [name for name in FIGURES if any(name in row.figures for row in done)]
    left = len(study.cases) - len(table.rows)
    note = (
        f"{left} of {len(study.cases)} cases are still to be tried: run it again." if left else ""
    )
    page.heading("In all", note)
    page.table(
        ["", *(FIGURES[name].head for name in columns)],
        [[row.name, *format_cells(row, columns)] for row in table.rows],
    )
    page.heading("On what", describe_machines(done))
    legend = "; ".join(f"{FIGURES[name].head}: {FIGURES[name].about}" for name in columns)
    page.heading("What the columns say", legend)
    add_reasons(page, table.rows)
    if study.reported:
        page.heading("What the report measured", study.source)
        heads = list(study.reported[0])
        page.table(heads, [[line[head] for head in heads] for line in study.reported])
    add_curves(page, done, study.rate)
    page.heading("Pictures")
    for row in done:
        for caption, name in row.pictures.items():
            page.picture(read_picture(table.folder / row.folder / name), f"{row.name}{caption}")
    return page.html()


def describe_machines(rows: Sequence[CaseRow]) -> str:
    """What the rows were measured on, and how busy it was with other things."""
    kinds = {(row.machine.get("cores"), row.machine.get("system")) for row in rows}
    text = "; ".join(f"{cores} cores, {system}" for cores, system in sorted(kinds, key=str))
    loads = [row.machine["load"] for row in rows if row.machine.get("load") is not None]
    if loads:
        text += f"; processes that wanted to run: {min(loads):.1f} to {max(loads):.1f}"
        text += " (beyond the number of cores, seconds are too long; processor seconds less so)"
    return text


def format_cells(row: CaseRow, columns: Sequence[str]) -> list[str]:
    """A row's figures as texts; where there is none, a dash."""
    return [format_figure(row.figures.get(name)) if row.done else "–" for name in columns]


def format_figure(value: float | None) -> str:
    """A number for the table: four digits that mean something."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"


def add_reasons(page: HtmlReport, rows: Sequence[CaseRow]) -> None:
    """Why rows are empty, and what is to be said of others."""
    failed = [f"{row.name}: {row.reason}." for row in rows if not row.done]
    if failed:
        page.heading("What could not be done")
        page.lines(failed)
    notes = [f"{row.name}: {note}." for row in rows for note in row.notes]
    if notes:
        page.heading("Notes")
        page.lines(notes)


def add_curves(page: HtmlReport, rows: Sequence[CaseRow], rate: float) -> None:
    """Each kind of curve, with a line for each row that has it; few in one drawing."""
    for kind in dict.fromkeys(name for row in rows for name in row.curves):
        page.heading(kind)
        drawn = {
            row.name: [math.nan if value is None else value for value in row.curves[kind]]
            for row in rows
            if kind in row.curves
        }
        names = list(drawn)
        for first in range(0, len(names), TOGETHER):
            page.curves({name: drawn[name] for name in names[first : first + TOGETHER]}, rate)


def read_picture(path: Path) -> Picture:
    """A picture that a row kept."""
    found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise MediaError(f"{path} cannot be read; remove its folder and run the study again")
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)


def shrink_to_page(picture: Picture) -> Picture:
    """The picture, made smaller where it is wider than the page shows."""
    height, width = picture.shape[:2]
    if width <= WIDEST:
        return picture
    return resize(picture, WIDEST, round(height * WIDEST / width))
