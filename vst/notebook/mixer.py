"""Sliders that mix styles on one picture."""

from __future__ import annotations

import base64
import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from vst.core.types import Embedding, Picture
from vst.engines.base import Engine
from vst.errors import UsageError
from vst.notebook.display import make_image_tag, wrap_figure
from vst.notebook.players import STRIP_WIDTH
from vst.plotting import draw_sheet
from vst.plotting.report import encode_data_url
from vst.preview import paint_still
from vst.schedule.timeline import Mix


class Mixer:
    """Sliders that mix styles on one picture.

    ``styles``: name -> style picture or embedding, as `Engine.prepare` takes them; ``picture``: RGB
    uint8, painted at its own size. A front end with ipywidgets shows the sliders, any other one
    the pure styles and their even mix as one picture.
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
        # A front end shows the richest form that it supports: the sliders, or else the picture.
        bundle: dict[str, Any] = {}
        if importlib.util.find_spec("ipywidgets"):
            bundle.update(self.widget()._repr_mimebundle_())
        bundle["text/plain"] = f"a mixer of {', '.join(self.names)}"
        bundle["text/html"] = wrap_figure(
            make_image_tag(self.still()), "each style alone, and their even mix"
        )
        return bundle
