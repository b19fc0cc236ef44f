"""How networks are trained in one style: every setting with its default, help and range. Nothing
heavy is imported here, as the command line reads it.
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
    """How long and on what terms a network is trained.

    The weights are those of `vst.nets.losses` in absolute terms, as papers give them; total
    variation is summed over a picture. With ``steps`` for its end, two runs of a training give the
    same.
    """

    minutes: float = option(
        30.0, "How long is trained, over all runs in the folder.", low=0.001, high=100_000
    )
    steps: int | None = option(
        None, "Steps after which the training ends, if that comes first.", low=1, kind=int
    )
    side: int = option(256, "Side of the square crops, in pixels.", low=32, high=4096)
    batch: int = option(2, "Crops that are painted in each step.", low=1, high=256)
    optimizer: str = option("adam", "How steps are taken.", choices=OPTIMIZERS)
    rate: float = option(1e-3, "Length of the steps.", low=1e-7, high=1)
    rate_falls: tuple[float, ...] = option(
        (), "Parts of the training at which the rate falls to a fifth.", low=0, high=1, kind=float
    )
    content_weight: float = option(1.0, "Weight of the content (the reports' α).", low=0)
    style_weight: float = option(1e5, "Weight of the style (β).", low=0)
    variation_weight: float = option(1e-6, "Weight of the total variation (γ).", low=0)
    backbone: str = option(DEFAULT, "The network whose layers judge.", choices=BACKBONES)
    backbone_weights: str | None = option(None, "A file with the backbone's weights.")
    style_size: int | None = option(
        None, "Short side that the style is seen at (default: the crops').", low=32, kind=int
    )
    every: float = option(60.0, "Seconds between checkpoints.", low=0)
    precision: str = option(
        "auto", "Of the network; auto: half where a GPU computes with it.", choices=PRECISIONS
    )
    seed: int = option(0, "Seed of the first values and of what is drawn.", low=0)

    def __post_init__(self) -> None:
        for part in fields(self):
            check_option(part.name, getattr(self, part.name), part.metadata)
        if self.side % STRIDE:
            raise UsageError(f"side {self.side}; allowed is a multiple of {STRIDE}")

    @property
    def weights(self) -> dict[str, float]:
        """Name of a loss -> its weight."""
        return {
            "content": self.content_weight,
            "style": self.style_weight,
            "variation": self.variation_weight,
        }

    def part_done(self, steps: int, spent: float) -> float:
        """Part of the training that is behind, 0 to 1, after ``steps`` and ``spent`` seconds."""
        parts = [spent / (60 * self.minutes)] if self.minutes else []
        return min(1.0, max([*parts, steps / self.steps if self.steps else 0.0]))

    def rate_at(self, part: float) -> float:
        """The learning rate when this part of the training is behind."""
        return self.rate * float(RATE_FALL ** sum(part >= fall for fall in self.rate_falls))


@dataclass(frozen=True)
class FastPlan(StylePlan):
    """What `StylePlan` says, and the noise; without weight it costs no time."""

    noise_weight: float = option(100.0, "Weight of the noise-based stability loss.", low=0)
    noisy_pixels: int = option(1000, "Pixels that are changed in each picture's copy.", low=0)
    noise_range: float = option(
        30.0, "Levels of 255 by which they change, at most.", low=0, high=255
    )

    @property
    def weights(self) -> dict[str, float]:
        return {**super().weights, "noise": self.noise_weight}


@dataclass(frozen=True)
class TemporalPlan(StylePlan):
    """What `StylePlan` says, with the report's optimiser, and its weights of the two losses between
    frames.
    """

    optimizer: str = option("adamax", "How steps are taken.", choices=OPTIMIZERS)
    rate: float = option(1e-4, "Length of the steps.", low=1e-7, high=1)
    rate_falls: tuple[float, ...] = option(
        (8 / 60, 20 / 60),
        "Parts of the training at which the rate falls to a fifth.",
        low=0,
        high=1,
    )
    short_weight: float = option(100.0, "Weight of the loss to the next frame.", low=0)
    long_weight: float = option(10.0, "Weight of the loss to the fifth frame on.", low=0)
    luminance: str = option(
        AUTO,
        "Formula of the brightness that may change as the content's does; auto: by the films.",
        choices=LUMINANCE,
    )

    @property
    def weights(self) -> dict[str, float]:
        return {**super().weights, "short": self.short_weight, "long": self.long_weight}
