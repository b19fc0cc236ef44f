"""A ranking as lines of text and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from vst.plotting.report import CURVE_COLORS, HtmlReport
from vst.research.study.ranking import Standing
from vst.research.study.votes import QUESTIONS

HEAD = ("video", "votes", "preferred", "strength", "95 %", "place", "best of all")
ROW, ROOM, WIDTH = 26, 300, 900
"""Height of a line of the drawing, width of the names, and of all, in the units of the SVG."""

Standings = Mapping[str, Sequence[Standing]]


def format_row(place: Standing) -> list[str]:
    """One video as texts."""
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
    """The rankings in columns."""
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
        "How it was done",
        f"{votes} answers on pairs that were shown unnamed, on sides chosen by chance. "
        "Strengths are log odds against an average video (Bradley and Terry), 0 the average, drawn "
        "with the range that holds them with 95 %: where two ranges overlap widely, the votes do "
        "not tell which is better. Preferred: the chance to be preferred to an average one. Place: "
        "the places that hold it with 95 %.",
    )
    for question, places in standings.items():
        page.heading(QUESTIONS[question])
        page.table(HEAD, [format_row(place) for place in places])
        page.drawing(draw_ranges(places))
    path = folder / "rate.html"
    page.save(path)
    return path


def draw_ranges(places: Sequence[Standing]) -> str:
    """Each video's strength as a dot on the range that holds it, as inline SVG."""
    low = min(-1.0, *(place.low for place in places))
    high = max(1.0, *(place.high for place in places))
    height = ROW * len(places) + 24

    def x(value: float) -> float:
        return ROOM + (value - low) / (high - low) * (WIDTH - ROOM - 12)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="strengths with their ranges">',
        f'<path d="M{x(0):.1f} 0V{height - 20}" stroke="#8886" fill="none"/>',
    ]
    for value in (low, 0.0, high):
        anchor = "end" if value == high else "middle" if value == 0 else "start"
        parts.append(
            f'<text x="{x(value):.1f}" y="{height - 4}" text-anchor="{anchor}">{value:+.1f}</text>'
        )
    for number, place in enumerate(places):
        y = ROW * number + ROW / 2
        parts.append(
            f'<text x="{ROOM - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(place.name)}</text>'
            f'<path d="M{x(place.low):.1f} {y:.1f}H{x(place.high):.1f}" stroke="{CURVE_COLORS[0]}" '
            f'stroke-width="3" stroke-linecap="round"/>'
            f'<circle cx="{x(place.strength):.1f}" cy="{y:.1f}" r="5" fill="{CURVE_COLORS[0]}"/>'
        )
    return "".join(parts) + "</svg>"
