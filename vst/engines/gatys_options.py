"""The options of engine ``gatys``; read by the command line, so nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from vst.core.fields import option
from vst.nets.backbones import BACKBONES, DEFAULT

OPTIMISERS = ("lbfgs", "adam")
STARTS = ("previous", "content", "noise")
LUMINANCE = ("off", "filmed", "animated")
RELATIVE, PLAIN = "relative", "plain"


@dataclass(frozen=True)
class GatysOptions:
    """How a painting is optimised. Weights are those of the losses' sum; their defaults were chosen
    by eye, with the embedded backbone on pictures of 256 pixels.
    """

    backbone: str = option(DEFAULT, "The network whose layers judge.", choices=BACKBONES)
    steps: int = option(100, "Steps of optimisation for each picture, at most.", low=1, high=100000)
    optimiser: str = option("lbfgs", "How steps are taken.", choices=OPTIMISERS)
    rate: float = option(0.02, "Length of Adam's steps.", low=1e-6, high=1)
    init: str = option(
        "previous", "What is begun with; previous: the last painting, moved along.", choices=STARTS
    )
    content_layers: tuple[str, ...] = option(
        (), "Layers that hold the content (default: the backbone's).", kind=str
    )
    style_layers: tuple[str, ...] = option(
        (), "Layers that hold the style (default: the backbone's).", kind=str
    )
    style_layer_weights: tuple[float, ...] = option(
        (), "One weight for each style layer (default: equal).", low=0, kind=float
    )
    scaling: str = option(
        RELATIVE,
        "Losses relative to their targets, or plain, as papers give their weights.",
        choices=(RELATIVE, PLAIN),
    )
    content_weight: float = option(1.0, "Weight of the content.", low=0)
    style_weight: float = option(300.0, "Weight of the style.", low=0)
    variation_weight: float = option(10.0, "Weight of the total variation.", low=0)
    early_stop: bool = option(True, "Stop when 50 steps have gained less than 0.01 %.")
    temporal_weight: float = option(200.0, "Weight of likeness to the last painting.", low=0)
    long_term_weight: float = option(
        20.0, "Weight of likeness to the painting five frames before.", low=0
    )
    luminance: str = option(
        "off", "Formula of the brightness whose change a painting may follow.", choices=LUMINANCE
    )
    previous_style: float = option(
        0.0, "Part of the style that is the last painting's own.", low=0, high=1
    )
    keep_steps: str = option("", "A picture to draw the steps of the first frame on.")
    seed: int = option(0, "Seed of the noise.", low=0, high=2**32 - 1)

    @property
    def held(self) -> bool:
        """Whether earlier paintings are in the cost."""
        return self.temporal_weight > 0 or self.long_term_weight > 0

    @property
    def looks_back(self) -> bool:
        """Whether earlier paintings make a difference."""
        return self.held or self.init == "previous" or self.previous_style > 0
