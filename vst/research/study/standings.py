"""A ranking as text and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vst.plotting.charts import Look, plot_ranges
from vst.plotting.report import HtmlReport
from vst.research.study.ranking import Standing
from vst.research.study.votes import QUESTIONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD = ("video", "votes", "preferred", "strength", "95 %", "place", "best of all")
ROW = 26
"""Height of a line of the drawing, in pixels."""

Standings = Mapping[str, Sequence[Standing]]


def format_row(place: Standing) -> list[str]:
    """Format one video's cells."""
    first, last = place.from_place, place.to_place
    return [
        place.name,
        str(place.votes),
        f"{place.share:.0%}",
        f"{place.strength:+.2f}",
        f"{place.low:+.2f} to {place.high:+.2f}",
        str(first) if first == last else f"{first} to {last}",
        f"{place.best:.0%}",
    ]


def format_standings(standings: Standings) -> list[str]:
    """Format the rankings in columns."""
    lines = []
    for question, places in standings.items():
        table = [list(HEAD), *(format_row(place) for place in places)]
        widths = [max(len(row[column]) for row in table) for column in range(len(HEAD))]
        lines.append(QUESTIONS[question])
        lines += [
            "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip()
            for row in table
        ]
    return lines


def write_page(folder: Path, standings: Standings, votes: int) -> Path:
    """Write ``rate.html``; returns its path."""
    page = HtmlReport("Which is better? The ranking")
    page.heading(
        "Method",
        f"{votes} answers on pairs, shown without names and on random sides. "
        "Strengths are log odds against an average video (Bradley and Terry), drawn "
        "with their 95 % intervals: where two overlap widely, the votes do "
        "not decide which is better. Preferred: the probability of being preferred to an average "
        "video. Place: its 95 % interval.",
    )
    for question, places in standings.items():
        page.heading(QUESTIONS[question])
        page.table(HEAD, [format_row(place) for place in places])
        page.figure(plot_standings(places))
    path = folder / "rate.html"
    page.save(path)
    return path


def plot_standings(places: Sequence[Standing]) -> Figure:
    """Plot each video's strength as a dot on its 95 % interval."""
    ranges = {place.name: (place.low, place.strength, place.high) for place in places}
    return plot_ranges(ranges, Look(width=900, height=max(160, ROW * len(places) + 40)))
