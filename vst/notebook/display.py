"""HTML for notebooks: pictures, timelines and style swatches.

Each function returns HTML, or an object that a notebook displays, with its pictures embedded as
data URLs. No notebook package has to be installed.
"""

from __future__ import annotations

import base64
import functools
import html
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vst.core.types import Embedding, Picture
from vst.engines.base import EmbeddingEngine, Engine
from vst.errors import UsageError, VSTError
from vst.pipeline.parts import open_engine
from vst.plotting import Look, draw_numbers, plot_score
from vst.plotting.charts import render_figure
from vst.plotting.report import encode_data_url
from vst.samples import draw_photo
from vst.schedule.timeline import Timeline
from vst.styles.library import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SWATCH = (192, 128)
"""Width and height of a painted swatch, in pixels."""
NARROW = "style='max-width:100%;border-radius:4px'"


class Html:
    """A piece of HTML that a notebook displays."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_html_(self) -> str:
        return self.text


def show(shown: Picture | Figure, caption: str = "") -> Html:
    """A picture, RGB uint8 (height, width, 3), or a chart, with a line below it."""
    if isinstance(shown, np.ndarray):
        return Html(wrap_figure(make_image_tag(shown), caption))
    return Html(wrap_figure(make_image_tag(render_figure(shown), lossless=True), caption))


def timeline_html(timeline: Timeline) -> str:
    """A timeline as its curves, from its first key to its last; a patch of colour stands for each
    style, because a timeline has only names.
    """
    first, last = timeline.keys[0].time, timeline.keys[-1].time
    picture = plot_score(timeline, {}, max(last - first, 1.0), start=first, look=Look(width=900))
    return wrap_figure(
        make_image_tag(picture, lossless=True), f"{len(timeline.keys)} keys, {last - first:g} s"
    )


def style_html(style: Style) -> str:
    """A style as a swatch painted in it, where the embedded model reads its numbers, beside the
    numbers themselves as coloured cells.
    """
    cells = make_image_tag(draw_numbers(style.embedding), lossless=True)
    picture = paint_swatch(style.embedding, style.space)
    painted = make_image_tag(picture) if picture is not None else ""
    lines = [f"{style.name or 'a mix'}: {style.description}".rstrip(": ")]
    lines.append(f"{style.embedding.size} numbers of the style space {style.space}")
    return wrap_figure(
        f"<div style='display:flex;gap:12px'>{painted}{cells}</div>", "\n".join(lines)
    )


def paint_swatch(embedding: Embedding, space: str) -> Picture | None:
    """The project's sample picture painted in ``embedding``, (dim,), 128 x 192; None where the
    embedded model does not read the numbers of ``space``.
    """
    try:
        engine = _painter()
    except VSTError:  # what shows an object never raises: the numbers alone are shown
        return None
    if engine.space != space or embedding.shape != (engine.dim,):
        return None
    picture: Picture = engine.stylize(_sample()[None], np.float32(embedding)[None])[0]
    return picture


@functools.lru_cache(maxsize=1)
def _painter() -> Any:
    """The embedded model, opened once for all swatches of a notebook."""
    return open_engine("embedded")


@functools.lru_cache(maxsize=1)
def _sample() -> Picture:
    return draw_photo(*SWATCH)


def make_image_tag(picture: Picture, *, lossless: bool = False) -> str:
    """An ``img`` that carries its picture: a JPEG, or a PNG for drawings."""
    url = encode_data_url(picture)
    if lossless:
        packed = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
        url = "data:image/png;base64," + base64.b64encode(packed.tobytes()).decode("ascii")
    return f"<img src='{url}' alt='' {NARROW}>"


def wrap_figure(inside: str, caption: str) -> str:
    """HTML with lines of text below it."""
    lines = "<br>".join(html.escape(line) for line in caption.splitlines() if line)
    below = f"<figcaption style='font-size:90%;opacity:.75'>{lines}</figcaption>" if lines else ""
    return f"<figure style='margin:4px 0'>{inside}{below}</figure>"


def as_style(engine: Engine, embedding: Embedding, name: str = "") -> Style:
    """An engine's embedding, (dim,), as a `Style`, which shows itself as a swatch."""
    if not isinstance(engine, EmbeddingEngine):
        raise UsageError(f"engine {engine.name!r} has no style embeddings; choose one that has")
    return Style(name, "", engine.space, np.asarray(embedding, np.float32))
