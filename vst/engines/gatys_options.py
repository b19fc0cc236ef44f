"""The options of engine ``gatys``. The command line reads them: nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from vst.core.fields import option
from vst.nets.backbones import BACKBONES, DEFAULT

OPTIMIZERS = ("lbfgs", "adam")
INITIALIZATIONS = ("previous", "content", "noise")
LUMINANCE = ("off", "filmed", "animated")
RELATIVE, PLAIN = "relative", "plain"


@dataclass(frozen=True)
class GatysOptions:
    """How a painting is optimized. The loss is the weighted sum of its parts; the default weights
    were chosen by eye, with the embedded backbone on pictures of 256 pixels.
    """

    backbone: str = option(
        DEFAULT, "Network whose layers measure content and style.", choices=BACKBONES
    )
    steps: int = option(100, "Optimization steps for each frame, at most.", low=1, high=100000)
    levels: int = option(
        1,
        "Sizes to paint at, each half the next; each gets half the steps of the one before.",
        low=1,
        high=6,
    )
    optimizer: str = option("lbfgs", "Optimizer.", choices=OPTIMIZERS)
    rate: float = option(0.02, "Learning rate of Adam.", low=1e-6, high=1)
    init: str = option(
        "previous",
        "Picture to start from; previous: the last painting, warped to this frame.",
        choices=INITIALIZATIONS,
    )
    content_layers: tuple[str, ...] = option(
        (), "Layers that measure the content (default: the backbone's).", kind=str
    )
    style_layers: tuple[str, ...] = option(
        (), "Layers that measure the style (default: the backbone's).", kind=str
    )
    style_layer_weights: tuple[float, ...] = option(
        (), "One weight for each style layer (default: equal).", low=0, kind=float
    )
    scaling: str = option(
        RELATIVE,
        "Losses relative to their targets, or plain, for weights from papers.",
        choices=(RELATIVE, PLAIN),
    )
    content_weight: float = option(1.0, "Weight of the content.", low=0)
    style_weight: float = option(300.0, "Weight of the style.", low=0)
    variation_weight: float = option(10.0, "Weight of the total variation.", low=0)
    early_stop: bool = option(True, "Stop when 50 steps have gained less than 0.01 %.")
    temporal_weight: float = option(
        200.0, "Weight of the difference from the last painting.", low=0
    )
    long_term_weight: float = option(
        20.0, "Weight of the difference from the painting five frames before.", low=0
    )
    luminance: str = option(
        "off", "Luminance formula; the painting may follow changes of luminance.", choices=LUMINANCE
    )
    previous_style: float = option(
        0.0, "Share of the last painting's own style in the style, 0 to 1.", low=0, high=1
    )
    keep_steps: str = option("", "File for a picture of the first frame's steps.")
    seed: int = option(0, "Seed of the noise to start from.", low=0, high=2**32 - 1)

    @property
    def compares_earlier(self) -> bool:
        """Whether the loss compares a painting with earlier ones."""
        return self.temporal_weight > 0 or self.long_term_weight > 0

    @property
    def is_temporal(self) -> bool:
        """Whether a painting depends on earlier ones."""
        return self.compares_earlier or self.init == "previous" or self.previous_style > 0
