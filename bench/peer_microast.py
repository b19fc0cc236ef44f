"""MicroAST for its published weights: Wang et al., "MicroAST: Towards super-fast ultra-resolution
arbitrary style transfer" (AAAI 2023), written from the paper's description. It needs PyTorch only.

Two small encoders look at content and style. The style enters the decoder twice at each of two
scales: as mean and deviation of its features, and as factors for the decoder's filters that a third
network, the modulator, computes from them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

Tensor = torch.Tensor
PARTS = ("content_encoder", "style_encoder", "modulator", "decoder")
EPSILON = 1e-5


class StyleSignals:
    """What the decoder takes from a style at one scale: features (1,C,h,w), and the factors
    ``scale`` and ``shift`` (1,C,1,1) of its filters.
    """

    def __init__(self, features: Tensor, scale: Tensor, shift: Tensor) -> None:
        self.features, self.scale, self.shift = features, scale, shift


class MicroAST:
    """The four parts, read from the folder of the published files."""

    def __init__(self, folder: Path) -> None:
        self.weights: dict[str, dict[str, Tensor]] = {
            part: torch.load(folder / f"{part}.pth.tar", map_location="cpu", weights_only=True)
            for part in PARTS
        }

    def convolve(self, place: str, x: Tensor, stride: int = 1) -> Tensor:
        """The convolution stored at ``part.name``, with mirrored borders. A kernel that takes fewer
        channels than there are works on groups of them.
        """
        part, name = place.split(".", 1)
        kernel = self.weights[part][f"{name}.conv_layer.weight"]
        bias = self.weights[part][f"{name}.conv_layer.bias"]
        border = kernel.shape[-1] // 2
        if border:
            x = functional.pad(x, (border,) * 4, "reflect")
        return functional.conv2d(x, kernel, bias, stride, groups=x.shape[1] // kernel.shape[1])

    def add_residual(self, place: str, x: Tensor, style: StyleSignals | None = None) -> Tensor:
        """Two convolutions whose result is added to ``x``. With a style, its factors modulate both
        filters: their output is scaled, and their input, scaled too, is added to it.
        """
        change = x
        for number in (1, 2):
            given = change if number == 1 else functional.relu(change)
            change = self.convolve(f"{place}.conv{number}", given)
            if style is not None:
                change = style.scale * change + style.shift * given
        return x + change

    def encode(self, part: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (1,64,H/4,W/4) after one residual block and after two."""
        # Each halving is a grouped 3 x 3 convolution, followed by one of 1 x 1 across the channels.
        for place, stride in ((0, 1), (2, 2), (4, 1), (6, 2), (8, 1)):
            x = functional.relu(self.convolve(f"{part}.enc1.{place}", x, stride))
        early = self.add_residual(f"{part}.enc1.10", x)
        return early, self.add_residual(f"{part}.enc2.0", early)

    @torch.inference_mode()
    def embed(self, style: np.ndarray) -> list[StyleSignals]:
        """What the decoder takes from a style's picture (H,W,3), RGB uint8."""
        signals = []
        for number, features in enumerate(self.encode("style_encoder", to_tensor(style)), 1):
            scale, shift = (
                self.convolve(f"modulator.{kind}{number}.0", features).mean((2, 3), keepdim=True)
                for kind in ("weight", "bias")
            )
            signals.append(StyleSignals(features, scale, shift))
        return signals

    @torch.inference_mode()
    def paint(self, frame: np.ndarray, style: list[StyleSignals]) -> np.ndarray:
        """Paint a frame (H,W,3), RGB uint8; its sides are rounded up to multiples of four."""
        early, late = style
        _, x = self.encode("content_encoder", to_tensor(frame))
        for block, signals in (("dec1", late), ("dec2", early)):
            matched = match_statistics(x, signals.features)
            x = self.add_residual(f"decoder.{block}", matched, signals)
        for grouped, across in ((1, 3), (6, 8)):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear")
            for place in (grouped, across):
                x = functional.relu(self.convolve(f"decoder.dec3.{place}", x))
        picture = self.convolve("decoder.dec3.10", x)[0].clamp(0, 1).permute(1, 2, 0)
        return np.rint(picture.numpy() * 255).astype(np.uint8)


def match_statistics(x: Tensor, style: Tensor) -> Tensor:
    """Give features the style's mean and deviation, channel by channel (Huang, Belongie 2017)."""
    own_spread, own_mean = torch.std_mean(x, (2, 3), keepdim=True)
    spread, mean = torch.std_mean(style, (2, 3), keepdim=True)
    return (x - own_mean) / (own_spread + EPSILON) * spread + mean


def to_tensor(picture: np.ndarray) -> Tensor:
    """RGB uint8 (H,W,3) to float32 (1,3,H,W) in [0,1]."""
    return torch.from_numpy(picture.astype(np.float32).transpose(2, 0, 1)[None] / 255)
