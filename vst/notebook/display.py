"""How things show themselves in a notebook: pictures, players, swatches and sliders.

Each function returns HTML, or an object that a notebook displays; whatever is shown lies within the
page itself and stays small. Nothing here needs a notebook to be installed.
"""

from __future__ import annotations

import base64
import functools
import html
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core.types import Embedding, Picture
from vst.engines.base import EmbeddingEngine, Engine
from vst.errors import UsageError, VSTError
from vst.pipeline.parts import open_engine
from vst.pipeline.run import Result
from vst.plotting import draw_numbers, draw_sheet, plot_score
from vst.plotting.report import encode_data_url
from vst.preview import paint_still
from vst.samples import draw_photo
from vst.schedule.timeline import Mix, Timeline
from vst.styles.library import Style
from vst.video.sources import open_source

PLAYED = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm"}
"""Endings that browsers play -> their media type."""
MOST_BYTES = 4_000_000
"""Of a video that is carried within a page; of a larger one a strip of frames is shown."""
STRIP, STRIP_WIDTH = 6, 900
"""Frames in that strip, and its width in pixels."""
SWATCH = (192, 128)
"""Width and height of a painted swatch, in pixels."""
NARROW = "style='max-width:100%;border-radius:4px'"


class Html:
    """A piece of HTML that a notebook displays."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_html_(self) -> str:
        return self.text


def show(picture: Picture, caption: str = "") -> Html:
    """A picture, RGB uint8 (height, width, 3), with a line below it."""
    return Html(wrap_figure(make_image_tag(picture), caption))


def players(videos: Mapping[str, str | Path]) -> Html:
    """Videos beside each other, label -> path; they start together and go round."""
    parts = "".join(
        f"<div style='flex:1;min-width:220px'>{wrap_figure(make_video_tag(Path(path)), label)}</div>"
        for label, path in videos.items()
    )
    return Html(f"<div style='display:flex;gap:12px;flex-wrap:wrap'>{parts}</div>")


def timeline_html(timeline: Timeline) -> str:
    """A timeline as its curves, from its first key to its last; a patch of colour stands for each
    style, because a timeline knows names only.
    """
    first, last = timeline.keys[0].time, timeline.keys[-1].time
    picture = plot_score(timeline, {}, max(last - first, 1.0), start=first, width=900)
    return wrap_figure(
        make_image_tag(picture, lossless=True), f"{len(timeline.keys)} keys, {last - first:g} s"
    )


def result_html(result: Result) -> str:
    """A result as a player, or as a strip of frames where it cannot be played or is large."""
    done = f"{Path(result.output).name}: {result.frames} frames in {result.seconds:.1f} s"
    speed = f"{result.frames_per_second:.1f} a second, by {result.engine}"
    told = "\n".join([f"{done}, {speed}", *result.warnings])
    return wrap_figure(make_video_tag(Path(result.output)), told)


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


def make_video_tag(path: Path) -> str:
    """A player that carries its video; a strip of frames where the file is large, or of a kind
    that browsers do not play; a line of text where it cannot be read.
    """
    ending = path.suffix.lower()
    try:
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            packed = base64.b64encode(path.read_bytes()).decode("ascii")
            if ending == ".gif":
                return f"<img src='data:image/gif;base64,{packed}' alt='' {NARROW}>"
            if ending in PLAYED:
                source = f"data:{PLAYED[ending]};base64,{packed}"
                return f"<video src='{source}' controls loop muted autoplay {NARROW}></video>"
        with open_source(path) as video:
            last = max(0.0, video.info.duration - 1 / float(video.info.rate))
            frames = [video.at(last * index / (STRIP - 1)) for index in range(STRIP)]
        return make_image_tag(draw_sheet([frames], width=STRIP_WIDTH))
    except (VSTError, OSError) as error:
        return f"<em>{html.escape(str(error))}</em>"


def wrap_figure(inside: str, caption: str) -> str:
    """HTML with lines of text below it."""
    lines = "<br>".join(html.escape(line) for line in caption.splitlines() if line)
    below = f"<figcaption style='font-size:90%;opacity:.75'>{lines}</figcaption>" if lines else ""
    return f"<figure style='margin:4px 0'>{inside}{below}</figure>"


class Mixer:
    """Sliders that mix styles on one picture.

    ``styles``: name -> style picture or embedding, as `Engine.prepare` takes them; ``picture``: RGB
    uint8, painted at its own size. A front end that knows ipywidgets shows the sliders, any other
    one the pure styles and their even mix as one picture.
    """

    def __init__(
        self, engine: Engine, picture: Picture, styles: Mapping[str, Picture | Embedding]
    ) -> None:
        if not styles:
            raise UsageError("a mixer without styles; give at least one, by name")
        self.engine, self.picture, self.names = engine, picture, list(styles)
        engine.prepare(styles)

    def paint(self, weights: Mapping[str, float], strength: float = 1.0) -> Picture:
        """The picture in a mix: weights of 0 and more, brought to sum 1 (all 0: as filmed)."""
        total = sum(weights.values())
        if total <= 0:
            return self.picture
        shares = {name: weight / total for name, weight in weights.items() if weight > 0}
        height, width = self.picture.shape[:2]
        return paint_still(
            self.engine, self.picture, Mix(shares, strength=strength), min(height, width)
        )

    def still(self) -> Picture:
        """Each style alone, and all of them together."""
        alone = [self.paint({name: 1.0}) for name in self.names]
        mixed = self.paint(dict.fromkeys(self.names, 1.0))
        return draw_sheet([[*alone, mixed]], [[*self.names, "all, evenly"]], width=STRIP_WIDTH)

    def widget(self) -> Any:
        """The sliders with the picture beside them, as an ipywidgets box; needs ipywidgets."""
        widgets = importlib.import_module("ipywidgets")
        sliders = {
            name: widgets.FloatSlider(
                1.0 if name == self.names[0] else 0.0,
                min=0.0, max=1.0, step=0.05, description=name, continuous_update=False,
            )
            for name in self.names
        }  # fmt: skip
        strength = widgets.FloatSlider(
            1.0, min=0.0, max=1.0, step=0.05, description="strength", continuous_update=False
        )
        screen = widgets.Image(format="jpeg")

        def repaint(change: Any = None) -> None:
            weights = {name: slider.value for name, slider in sliders.items()}
            painted = self.paint(weights, strength.value)
            screen.value = base64.b64decode(encode_data_url(painted).partition(",")[2])

        for slider in (*sliders.values(), strength):
            slider.observe(repaint, names="value")
        repaint()
        return widgets.HBox([widgets.VBox([*sliders.values(), strength]), screen])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # A front end shows the richest form that it knows: the sliders, or else the picture.
        bundle: dict[str, Any] = {}
        if importlib.util.find_spec("ipywidgets"):
            bundle.update(self.widget()._repr_mimebundle_())
        bundle["text/plain"] = f"a mixer of {', '.join(self.names)}"
        bundle["text/html"] = wrap_figure(
            make_image_tag(self.still()), "each style alone, and their even mix"
        )
        return bundle


def as_style(engine: Engine, embedding: Embedding, name: str = "") -> Style:
    """An engine's embedding, (dim,), as a `Style`, which shows itself as a swatch."""
    if not isinstance(engine, EmbeddingEngine):
        raise UsageError(
            f"engine {engine.name!r} knows no style numbers; choose one that does, like 'embedded'"
        )
    return Style(name, "", engine.space, np.asarray(embedding, np.float32))
