"""Charts in one style, by matplotlib, which is imported when the first one is drawn.

`make_figure` starts each: a figure that needs no display, that notebooks show by itself, and that
becomes a picture (`render_figure`) or SVG for a page (`format_svg`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.plotting.basics import DARK, LIGHT, Color, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE: tuple[Color, ...] = (
    (31, 99, 176),
    (222, 120, 20),
    (36, 139, 97),
    (188, 60, 120),
    (110, 84, 190),
    (0, 150, 175),
    (150, 110, 60),
    (110, 112, 118),
)
"""Colors of the lines, in order, repeating."""
DOTS_PER_INCH = 100
Series = Mapping[str, Sequence[tuple[float, float]]]
"""Name -> (x, y) points, joined in their order; points that are not finite leave a gap."""


@dataclass(frozen=True)
class Look:
    """What every chart has: its title, its size in pixels, and light or dark colors."""

    title: str = ""
    width: int = 960
    height: int = 480
    dark: bool = False

    @property
    def theme(self) -> Theme:
        return DARK if self.dark else LIGHT


@dataclass(frozen=True)
class Scales:
    """The axes of a chart. ``log``: logarithmic y axis, without values of 0 and below; ``low``: its
    lower end (None: from the points); ``log_x``: logarithmic x axis, too.
    """

    x_label: str = ""
    y_label: str = ""
    log: bool = False
    low: float | None = None
    log_x: bool = False


def make_figure(look: Look) -> Figure:
    """Make an empty figure with its title. Raises `UsageError` for one that is too small."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    if look.width < 240 or look.height < 160:
        raise UsageError(
            f"a chart of {look.width}x{look.height} is too small. Give at least 240x160"
        )
    theme = look.theme
    size = (look.width / DOTS_PER_INCH, look.height / DOTS_PER_INCH)
    with rc_context({"font.size": 10, "font.family": "sans-serif"}):
        figure = Figure(
            figsize=size,
            dpi=DOTS_PER_INCH,
            layout="constrained",
            facecolor=paint_color(theme.background),
        )
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.14, h_pad=0.12)  # inches
    if look.title:
        figure.suptitle(
            look.title,
            x=0.02,
            ha="left",
            fontsize=14,
            color=paint_color(theme.ink),
            parse_math=False,
        )
    # IPython shows what has this method, whether its matplotlib mode is on or not.
    figure._repr_png_ = lambda: encode_png(figure)  # type: ignore[attr-defined]
    return figure


def style_axes(axes: Axes, theme: Theme) -> None:
    """Give axes the style of every chart: pale horizontal lines, faint ticks, no box."""
    axes.set_facecolor("none")
    # Half transparent, because the same SVG is shown on light and on dark pages.
    axes.grid(axis="y", color=paint_color(theme.faint), alpha=0.3, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(paint_color(theme.faint))
    axes.tick_params(
        colors=paint_color(theme.faint), labelsize=9, length=4, left=False, which="both"
    )
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(paint_color(theme.ink))
        label.set_fontsize(10)


def plot_curves(series: Series, look: Look | None = None, scales: Scales | None = None) -> Figure:
    """Plot lines with a legend above them."""
    look, scales = look or Look(), scales or Scales()
    figure = make_figure(look)
    axes: Any = figure.add_subplot()
    style_axes(axes, look.theme)
    lowest, highest = np.inf, -np.inf
    for number, (name, points) in enumerate(series.items()):
        line = np.asarray(list(points), np.float64).reshape(-1, 2)
        if scales.log:
            line = np.where(line[:, 1:] > 0, line, np.nan)
        known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(line).all(1))
        lowest = min(lowest, *line[known, 1], np.inf)
        highest = max(highest, *line[known, 1], -np.inf)
        color = choose_color(number, look.dark)
        axes.plot(line[:, 0], line[:, 1], color=color, linewidth=1.8, label=name or "_")
        alone = known & ~_shift(known, 1) & ~_shift(known, -1)
        axes.plot(line[alone, 0], line[alone, 1], "o", color=color, markersize=4)
    if scales.log and np.isfinite(lowest):
        axes.set_yscale("log")
    elif scales.low is not None:
        axes.set_ylim(bottom=scales.low)
    elif 0 <= lowest < 0.35 * highest:
        axes.set_ylim(bottom=0)  # so that heights can be compared
    if scales.log_x:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(scales.x_label)
    axes.set_ylabel(scales.y_label)
    if any(series):
        letters = max(len(name) for name in series)
        legend = axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, frameon=False, fontsize=10,
            ncols=max(1, (look.width - 80) // (8 * letters + 60)), columnspacing=1.5,
            labelcolor=paint_color(look.theme.ink),
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure


def _shift(known: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """Each point's neighbor: whether it is known."""
    padded = np.pad(known, 1)
    return padded[1 + by : 1 + by + len(known)]


def draw_curves(series: Series, look: Look | None = None, scales: Scales | None = None) -> Picture:
    """Draw `plot_curves` as a picture."""
    return render_figure(plot_curves(series, look, scales))


def plot_panels(
    panels: Mapping[str, Sequence[tuple[float, float]]], x_label: str, columns: int = 4
) -> Figure:
    """Plot one small chart for each series, with its last value in its title."""
    columns = min(columns, max(1, len(panels)))
    rows = -(-len(panels) // columns)
    look = Look(width=340 * columns, height=250 * max(1, rows))
    figure = make_figure(look)
    for number, (name, points) in enumerate(panels.items()):
        axes: Any = figure.add_subplot(rows, columns, number + 1)
        style_axes(axes, look.theme)
        line = np.asarray(list(points), np.float64).reshape(-1, 2)
        axes.plot(line[:, 0], line[:, 1], color=choose_color(number), linewidth=1.6)
        title = f"{name}: {line[-1, 1]:.4g}" if len(line) else name
        axes.set_title(title, fontsize=10, loc="left", color=paint_color(look.theme.ink))
        axes.set_xlabel(x_label)
    return figure


def plot_ranges(ranges: Mapping[str, tuple[float, float, float]], look: Look) -> Figure:
    """Plot a dot on a bar for each name: low, middle, high."""
    figure = make_figure(look)
    axes: Any = figure.add_subplot()
    style_axes(axes, look.theme)
    axes.grid(visible=False)
    axes.axvline(0, color=paint_color(look.theme.line), linewidth=1)
    for row, (low, middle, high) in enumerate(ranges.values()):
        axes.plot(
            [low, high], [row, row], color=choose_color(0), linewidth=3, solid_capstyle="round"
        )
        axes.plot([middle], [row], "o", color=choose_color(0), markersize=8)
    axes.set_yticks(range(len(ranges)), list(ranges), parse_math=False)
    axes.set_ylim(len(ranges) - 0.5, -0.5)
    return figure


def render_figure(figure: Figure) -> Picture:
    """Render a figure as RGB uint8 of exactly its size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(np.asarray(pixels)[..., :3])


def encode_png(figure: Figure) -> bytes:
    """Encode a figure as PNG."""
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()


def format_svg(figure: Figure, label: str = "chart") -> str:
    """Format a figure as an SVG element for a page: words stay text, the page's background shows,
    and the same figure gives the same text. It needs no style sheet, which a page may forbid.
    """
    from matplotlib import rc_context

    data = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "vst"}):
        figure.savefig(
            data, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    text = data.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(
        r'<svg [^>]*viewBox="([^"]*)"[^>]*>',
        rf'<svg role="img" aria-label="{label}" viewBox="\1">',
        text,
        count=1,
    )
    return re.sub(r"\n\s*", "\n", text).replace("xlink:href", "href")


def choose_color(number: int, dark: bool = False) -> str:
    """Choose the color of line ``number``, lighter on a dark background."""
    color: Any = np.array(PALETTE[number % len(PALETTE)])
    return paint_color(tuple((color * 3 + 255 * 2) // 5) if dark else tuple(color))


def paint_color(color: Sequence[int] | npt.NDArray[np.int_]) -> str:
    """Format RGB 0..255 as matplotlib reads it."""
    return "#" + "".join(f"{int(part):02x}" for part in color)
