"""Measures by a judge: networks that the default painter was not trained on; and the protocol,
which fixes everything that a figure depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from vst.core.types import Picture
from vst.errors import UsageError
from vst.imaging.resize import resize
from vst.metrics import METRICS
from vst.metrics.base import Metric
from vst.nets import judges
from vst.nets.judges import Judge
from vst.schedule.timeline import Timeline
from vst.styles.resolve import ResolvedStyle

LPIPS_METRICS = ("lpips", "lpips-10", "content-lpips")
STYLE_METRICS = ("vgg-style", "alexnet-style")
JUDGED_METRICS = (*LPIPS_METRICS, "vgg-style", "vgg-content", "alexnet-style")
STYLE_LAYERS = len(judges.STYLE_LAYERS)
"""The deepest layer of VGG16 serves LPIPS alone."""
CONTENT_INDEX = judges.LPIPS_LAYERS.index(judges.CONTENT_LAYER)
NO_JUDGE = (
    "LPIPS and VGG16's style distance are left out: no judge is here. `vst models pull vgg16` "
    "brings VGG16, which needs the extra 'tensorflow'; --judge takes its weights from a file or "
    "folder (docs/protocol.md)."
)

Grams = Sequence[npt.NDArray[np.float32]]
GramsAt = Callable[[int], Grams]
"""Index of a frame -> the Gram matrices that it should have."""


@dataclass(frozen=True)
class Protocol:
    """What is the same in every run of ``vst evaluate --protocol``. ``side``: the short side in
    pixels; ``frames``: as many are measured, from the first on.
    """

    name: str = "vst-1"
    side: int = 256
    frames: int = 60
    measures: tuple[str, ...] = (
        "warp", "warp-10", "lpips", "lpips-10", "content-ssim", "content-lpips", "vgg-content",
        "vgg-style", "alexnet-style", "sharpness",
    )  # fmt: skip


PROTOCOL = Protocol()


@dataclass(frozen=True)
class StylePictures:
    """The styles' pictures, and the timeline that mixes them; ``rate``: frames a second."""

    pictures: Mapping[str, Picture]
    line: Timeline
    rate: float


@dataclass(frozen=True)
class Judging:
    """A judge, with what a style distance needs besides: the styles, at the compared size."""

    judge: Judge
    styles: StylePictures | None
    width: int
    height: int

    def list_metrics(self) -> list[str]:
        """List the judged metrics that can be taken."""
        found = list(LPIPS_METRICS) if self.judge.lpips else []
        if self.judge.vgg:
            found += ["vgg-content", *(["vgg-style"] if self.styles else [])]
        if self.judge.alexnet and self.styles:
            found.append("alexnet-style")
        return [name for name in JUDGED_METRICS if name in found]

    def create_metric(self, name: str) -> Metric:
        """Create one of `list_metrics`; raises `UsageError` for the others."""
        made: Metric
        if name in LPIPS_METRICS and self.judge.lpips:
            made = METRICS[name](self.judge.lpips)
        elif name == "vgg-content" and self.judge.vgg:
            made = METRICS[name](partial(measure_content_distance, self.judge.vgg))
        elif name in STYLE_METRICS and self.styles and self.get_layers(name):
            grams = self.make_gram_measure(name)
            made = METRICS[name](grams, judges.compare_styles, self.make_target(grams))
        else:
            lacks = "the styles' pictures" if name in STYLE_METRICS and not self.styles else name
            raise UsageError(
                f"measure {name!r} cannot be taken: the judge ({', '.join(self.judge.names)}) or "
                f"the styles lack {lacks}. docs/protocol.md says which files a judge can have"
            )
        return made

    def get_layers(self, name: str) -> judges.Layers | None:
        """The network of a style distance."""
        return self.judge.vgg if name == "vgg-style" else self.judge.alexnet

    def make_gram_measure(self, name: str) -> Callable[[Picture], Grams]:
        """Make what measures the Gram matrices of a picture, in the network's style layers."""
        layers = self.get_layers(name)
        if layers is None:
            raise UsageError(f"the judge lacks the network of {name!r}. Give it with --judge")
        count = STYLE_LAYERS if name == "vgg-style" else None
        return lambda picture: judges.measure_style(layers, picture, count)

    def make_target(self, measure: Callable[[Picture], Grams]) -> GramsAt:
        """Make what mixes the styles' Gram matrices as the timeline mixes the styles."""
        if self.styles is None:
            raise UsageError("the style distance needs --style or --job: what was it painted with?")
        styles, known = self.styles, dict[str, Grams]()
        side = min(self.width, self.height)

        def get_grams(name: str) -> Grams:
            if name not in known:
                known[name] = measure(resize_short_side(styles.pictures[name], side))
            return known[name]

        def wanted(index: int) -> Grams:
            weights = styles.line.at(index / styles.rate).weights
            mixed = [(weight, get_grams(name)) for name, weight in weights.items() if weight]
            layers = range(len(mixed[0][1]))
            return [np.asarray(sum(w * grams[i] for w, grams in mixed), np.float32) for i in layers]

        return wanted


def measure_content_distance(layers: judges.Layers, painted: Picture, content: Picture) -> float:
    """The error of VGG16's content layer, relative to the content's mean square."""
    found, wanted = (layers(judges.to_batch(one))[CONTENT_INDEX] for one in (painted, content))
    return judges.compare(found, wanted)


def resize_short_side(picture: Picture, side: int) -> Picture:
    """Resize a picture so that its short side has this many pixels."""
    height, width = picture.shape[:2]
    scale = side / min(height, width)
    return resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def find_pictures(resolved: Sequence[ResolvedStyle]) -> dict[str, Picture] | str:
    """The styles' pictures by name; or why there are none, in one line."""
    found = {}
    for style in resolved:
        if style.space is not None or style.is_content:
            return (
                f"the style distance by VGG16 is left out: style {style.name!r} has no picture. "
                "Give the picture that it was made from as --style."
            )
        found[style.name] = style.picture
    return found
