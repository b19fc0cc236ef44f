"""The sizes of a feed-forward network. The command line reads them: nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vst.core.fields import check_option, option
from vst.errors import UsageError

UPSAMPLINGS = ("resize", "transposed")
STRIDE = 4
"""Factor from the resolution of the residual blocks to the picture's: sides are multiples of it."""


@dataclass(frozen=True)
class FeedForwardPlan:
    """Sizes of the network. Channels double at half and again at a quarter of the resolution, where
    the residual blocks are.
    """

    width: int = option(32, "Channels at full resolution.", low=1, high=256)
    blocks: int = option(5, "Residual blocks.", low=0, high=32)
    reach: int = option(9, "Side of the first and the last kernel, odd.", low=3, high=15)
    upsampling: str = option(
        "resize",
        "Resizing before a convolution, or a transposed one, which may show a checkerboard.",
        choices=UPSAMPLINGS,
    )

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if type(value) is not type(part.default):
                raise UsageError(f"{part.name} {value!r} of a network is not of type {part.type}.")
            check_option(part.name, value, part.metadata)
        if self.reach % 2 == 0:
            raise UsageError(f"reach {self.reach} of a network is even. Give an odd number.")
