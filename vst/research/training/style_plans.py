"""The settings of a training in one style, each with its default, help and range. The command line
reads them: nothing heavy is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from vst.core.fields import check_option, option
from vst.errors import UsageError
from vst.nets.backbones import BACKBONES, DEFAULT
from vst.nets.feedforward_plan import STRIDE

OPTIMIZERS = ("adam", "adamax")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
OFF, AUTO = "off", "auto"
LUMINANCE = (AUTO, OFF, "filmed", "animated")
RATE_FALL = 0.2


@dataclass(frozen=True)
class StylePlan:
    """The duration, the losses and the optimizer of a training.

    The weights are for the losses of `vst.nets.losses` in absolute terms, as papers give them;
    total variation is summed over a picture. A training that ends by ``steps`` is reproducible.
    """

    minutes: float = option(
        30.0, "Minutes of training, over all runs in the folder.", low=0.001, high=100_000
    )
    steps: int | None = option(
        None, "Steps after which the training ends, if it reaches them first.", low=1, kind=int
    )
    side: int = option(256, "Side of the square crops, in pixels.", low=32, high=4096)
    batch: int = option(2, "Crops in each step.", low=1, high=256)
    optimizer: str = option("adam", "Optimizer.", choices=OPTIMIZERS)
    rate: float = option(1e-3, "Learning rate.", low=1e-7, high=1)
    rate_falls: tuple[float, ...] = option(
        (), "Shares of the training at which the rate falls to a fifth.", low=0, high=1, kind=float
    )
    content_weight: float = option(1.0, "Weight of the content loss (α).", low=0)
    style_weight: float = option(1e5, "Weight of the style loss (β).", low=0)
    variation_weight: float = option(1e-6, "Weight of the total variation (γ).", low=0)
    backbone: str = option(
        DEFAULT, "Network whose layers measure content and style.", choices=BACKBONES
    )
    backbone_weights: str | None = option(None, "A file with the backbone's weights.")
    style_size: int | None = option(
        None, "Short side of the style, in pixels (default: the crops').", low=32, kind=int
    )
    every: float = option(60.0, "Seconds between checkpoints.", low=0)
    precision: str = option(
        "auto",
        "Number format of the network; auto: 16 bits if the GPU supports them.",
        choices=PRECISIONS,
    )
    seed: int = option(0, "Seed of the initial weights and of the samples.", low=0)

    def __post_init__(self) -> None:
        for part in fields(self):
            check_option(part.name, getattr(self, part.name), part.metadata)
        if self.side % STRIDE:
            raise UsageError(f"side {self.side}; allowed is a multiple of {STRIDE}")

    @property
    def weights(self) -> dict[str, float]:
        """Loss -> its weight."""
        return {
            "content": self.content_weight,
            "style": self.style_weight,
            "variation": self.variation_weight,
        }

    def part_done(self, steps: int, spent: float) -> float:
        """Return the share of the training, 0 to 1, done after ``steps`` and ``spent`` seconds."""
        parts = [spent / (60 * self.minutes)] if self.minutes else []
        return min(1.0, max([*parts, steps / self.steps if self.steps else 0.0]))

    def rate_at(self, part: float) -> float:
        """Return the learning rate after this share of the training."""
        return self.rate * float(RATE_FALL ** sum(part >= fall for fall in self.rate_falls))


@dataclass(frozen=True)
class FastPlan(StylePlan):
    """`StylePlan` with a noise loss; with a weight of 0 it takes no time."""

    noise_weight: float = option(100.0, "Weight of the noise-based stability loss.", low=0)
    noisy_pixels: int = option(1000, "Pixels with noise in the copy of each picture.", low=0)
    noise_range: float = option(
        30.0, "Largest change of such a pixel, in levels of 255.", low=0, high=255
    )

    @property
    def weights(self) -> dict[str, float]:
        return {**super().weights, "noise": self.noise_weight}


@dataclass(frozen=True)
class TemporalPlan(StylePlan):
    """`StylePlan` with two losses between frames, and another optimizer by default."""

    optimizer: str = option("adamax", "Optimizer.", choices=OPTIMIZERS)
    rate: float = option(1e-4, "Learning rate.", low=1e-7, high=1)
    rate_falls: tuple[float, ...] = option(
        (8 / 60, 20 / 60),
        "Shares of the training at which the rate falls to a fifth.",
        low=0,
        high=1,
    )
    short_weight: float = option(100.0, "Weight of the loss against the next frame.", low=0)
    long_weight: float = option(10.0, "Weight of the loss against the frame five later.", low=0)
    luminance: str = option(
        AUTO,
        "Luminance formula; the painting may follow changes of luminance. auto: by the films.",
        choices=LUMINANCE,
    )

    @property
    def weights(self) -> dict[str, float]:
        return {**super().weights, "short": self.short_weight, "long": self.long_weight}
