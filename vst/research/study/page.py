"""A study as one HTML page with its pictures embedded."""

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
    """Build the whole page as HTML."""
    study = table.study
    page = HtmlReport(study.title)
    page.heading("Method", " ".join(study.about))
    for caption, picture in study.shown.items():
        page.picture(shrink_to_page(picture), caption)
    done = [row for row in table.rows if row.done]
    columns = [name for name in FIGURES if any(name in row.figures for row in done)]
    left = len(study.cases) - len(table.rows)
    note = (
        f"{left} of {len(study.cases)} cases have not run yet: start the study again."
        if left
        else ""
    )
    page.heading("In all", note)
    page.table(
        ["", *(FIGURES[name].head for name in columns)],
        [[row.name, *format_cells(row, columns)] for row in table.rows],
    )
    page.heading("On what", describe_machines(done))
    legend = "; ".join(f"{FIGURES[name].head}: {FIGURES[name].about}" for name in columns)
    page.heading("Columns", legend)
    add_reasons(page, table.rows)
    if study.reported:
        page.heading("Figures of the report", study.source)
        heads = list(study.reported[0])
        page.table(heads, [[line[head] for head in heads] for line in study.reported])
    add_curves(page, done, study.rate)
    page.heading("Pictures")
    for row in done:
        for caption, name in row.pictures.items():
            page.picture(read_picture(table.folder / row.folder / name), f"{row.name}{caption}")
    return page.html()


def describe_machines(rows: Sequence[CaseRow]) -> str:
    """Describe the machines that measured the rows, and their load."""
    kinds = {(row.machine.get("cores"), row.machine.get("system")) for row in rows}
    text = "; ".join(f"{cores} cores, {system}" for cores, system in sorted(kinds, key=str))
    loads = [row.machine["load"] for row in rows if row.machine.get("load") is not None]
    if loads:
        text += f"; load: {min(loads):.1f} to {max(loads):.1f}"
        text += " (above the number of cores, seconds are too long, CPU seconds less so)"
    return text


def format_cells(row: CaseRow, columns: Sequence[str]) -> list[str]:
    """Format a row's figures; a dash stands for a missing one."""
    return [format_figure(row.figures.get(name)) if row.done else "–" for name in columns]


def format_figure(value: float | None) -> str:
    """Format a number with four significant digits."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"


def add_reasons(page: HtmlReport, rows: Sequence[CaseRow]) -> None:
    """Add why rows are empty, and the remarks on others."""
    failed = [f"{row.name}: {row.reason}." for row in rows if not row.done]
    if failed:
        page.heading("Failed cases and remarks")
        page.lines(failed)
    notes = [f"{row.name}: {note}." for row in rows for note in row.notes]
    if notes:
        page.heading("Notes")
        page.lines(notes)


def add_curves(page: HtmlReport, rows: Sequence[CaseRow], rate: float) -> None:
    """Add each kind of curve, with one line for each row that has it; few to a drawing."""
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
    """Read a picture of a row."""
    found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise MediaError(f"{path} cannot be read. Remove its folder and run the study again")
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)


def shrink_to_page(picture: Picture) -> Picture:
    """Shrink the picture if it is wider than the page shows."""
    height, width = picture.shape[:2]
    if width <= WIDEST:
        return picture
    return resize(picture, WIDEST, round(height * WIDEST / width))
