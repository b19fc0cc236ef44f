"""Build self-contained HTML pages: tables, charts as inline SVG, embedded pictures.

`vst.evaluation.measure` fills them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from vst.core.files import atomic_write
from vst.core.types import Picture
from vst.errors import OutputError
from vst.plotting.charts import Look, Scales, format_svg, plot_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHART = Look(width=900, height=260)

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1180px}
body{margin:2em auto;padding:0 1em;color:#1c1e22}
h1{font-size:1.6em}h2{font-size:1.15em;margin:2em 0 .3em}
table{border-collapse:collapse;width:100%}
td,th{padding:.3em .6em;border-bottom:1px solid #d8dade;text-align:right}
th{overflow-wrap:anywhere}table.words{min-width:66em}
table.words td,table.words th{text-align:left;vertical-align:top;overflow-wrap:normal}
td:first-child,th:first-child{text-align:left;min-width:10em}p.note{color:#5c6068;margin:.2em 0}
figure{margin:.6em 0}figcaption{color:#5c6068}img{max-width:100%;display:block}
.wide{overflow-x:auto}svg{width:100%;height:auto}
svg text{font-family:system-ui,sans-serif!important}
svg text{fill:#5c6068!important}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e4e6ea}
td,th{border-color:#34383f}p.note,figcaption{color:#9a9ea6}svg text{fill:#9a9ea6!important}}
"""


@dataclass
class HtmlReport:
    """An HTML page, filled from top to bottom."""

    title: str
    parts: list[str] = field(default_factory=list)

    def heading(self, text: str, note: str = "") -> None:
        """Add a heading, with a line of explanation."""
        self.parts.append(f"<h2>{escape(text)}</h2>")
        if note:
            self.parts.append(f'<p class="note">{escape(note)}</p>')

    def lines(self, texts: Sequence[str]) -> None:
        """Add a list of lines of text."""
        points = "".join(f"<li>{escape(text)}</li>" for text in texts)
        self.parts.append(f"<ul>{points}</ul>")

    def table(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False
    ) -> None:
        """Add a table of texts; ``words``: its columns are words, not figures."""
        kind = ' class="words"' if words else ""
        cells = "".join(f"<th>{escape(text)}</th>" for text in head)
        lines = [f"<tr>{cells}</tr>"]
        for row in rows:
            lines.append("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>")
        self.parts.append(f'<div class="wide"><table{kind}>' + "".join(lines) + "</table></div>")

    def curves(self, series: Mapping[str, Sequence[float]], rate: float) -> None:
        """Add one curve for each series over time; values that are not finite leave a gap.
        ``rate``: values a second.
        """
        if not any(math.isfinite(value) for values in series.values() for value in values):
            self.parts.append('<p class="note">no value</p>')
            return
        points = {
            name: [(index / rate, value) for index, value in enumerate(values)]
            for name, values in series.items()
        }
        self.figure(plot_curves(points, CHART, Scales("seconds")))

    def figure(self, figure: Figure) -> None:
        """Add a figure of matplotlib, as SVG."""
        self.parts.append(format_svg(figure))

    def picture(self, picture: Picture, caption: str) -> None:
        """Add a picture with a caption, embedded as JPEG."""
        self.parts.append(
            f'<figure><img alt="{escape(caption)}" src="{encode_data_url(picture)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def html(self) -> str:
        """Return the page as HTML."""
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{STYLE}</style>"
            f"<h1>{escape(self.title)}</h1>" + "\n".join(self.parts) + "</html>\n"
        )

    def save(self, path: Path) -> None:
        """Write the page atomically. Raises `OutputError`."""
        try:
            with atomic_write(path) as draft:
                draft.write_text(self.html(), encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"report {str(path)!r} cannot be written: {error.strerror or error}. "
                "Give a path in an existing folder"
            ) from error


def encode_data_url(picture: Picture, quality: int = 85) -> str:
    """Encode a picture as a JPEG data URL."""
    whole, packed = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not whole:
        raise OutputError(
            f"a picture of {picture.shape[1]}x{picture.shape[0]} cannot be encoded as JPEG. "
            "Give a smaller one"
        )
    return "data:image/jpeg;base64," + base64.b64encode(packed.tobytes()).decode("ascii")


def draw_heat_map(values: npt.NDArray[np.float32], hottest: float) -> Picture:
    """Draw values in colors from black over red to white; ``hottest`` and above is white."""
    levels = np.clip(values / max(hottest, 1e-9) * 255, 0, 255).astype(np.uint8)
    colored = cv2.applyColorMap(levels, cv2.COLORMAP_HOT)
    return np.asarray(cv2.cvtColor(colored, cv2.COLOR_BGR2RGB), np.uint8)


def join_side_by_side(pictures: Sequence[Picture], gap: int = 4) -> Picture:
    """Join pictures of one height in a row."""
    height = pictures[0].shape[0]
    between = np.full((height, gap, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, between)]
    return np.concatenate(parts[:-1], axis=1)
