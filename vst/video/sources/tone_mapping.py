"""High dynamic range and wide gamuts brought to SDR BT.709, as one table of colours.

The table maps R'G'B' of the source (its own transfer curve and primaries) to R'G'B' of BT.709. It
is worked out once, 33 steps a side, and applied by FFmpeg's ``lut3d`` (tetrahedral interpolation).

Light is reckoned on the display, in units of the reference white of ITU-R BT.2408 (203 cd/m2). What
lies below 60 % of it stays as it is; what lies above is rolled off with the extended curve of
Reinhard et al. (2002), so that white keeps room for highlights. The brightest channel is mapped and
the others follow, which keeps the hue; what then lies outside BT.709 is drawn towards its own grey.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import ColourInfo

Values = npt.NDArray[np.float64]

REFERENCE_WHITE = 203.0
"""cd/m2 that diffuse white has in HDR (BT.2408)."""

PEAK = 1000.0
"""cd/m2 of the display that HDR is reckoned for; brighter light becomes white."""

KNEE = 0.6
"""Below this part of the reference white, light is not changed."""

DISPLAY_GAMMA = 2.4
"""The curve of an SDR display (BT.1886)."""

# Chromaticities of red, green, blue and white (ITU-R BT.709, BT.2020; SMPTE RP 431, EG 432).
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    "smpte431": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
}


def needs_table(colour: ColourInfo) -> bool:
    """Whether pictures of this colour go through the table: HDR, or primaries far from BT.709."""
    return colour.hdr or colour.primaries in ("bt2020", "smpte431", "smpte432")


def _compute_xyz_matrix(name: str) -> Values:
    """The matrix from linear RGB of these primaries to CIE XYZ, (3, 3)."""
    red, green, blue, white = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in _PRIMARIES[name])
    columns = np.stack([red, green, blue], axis=1)
    product: Values = columns * np.linalg.solve(columns, white)
    return product


def _linearize(coded: Values, transfer: str, weights: Values) -> Values:
    """Light on the display, 1 at the reference white, of coded values in 0..1; (..., 3)."""
    if transfer == "smpte2084":  # SMPTE ST 2084
        power = coded ** (1 / 78.84375)
        light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return light ** (1 / 0.1593017578125) * (10000 / REFERENCE_WHITE)
    if transfer == "arib-std-b67":  # ITU-R BT.2100, HLG, with its system gamma of 1.2 at 1000 cd/m2
        scene = np.where(
            coded <= 0.5,
            coded**2 / 3,
            (np.exp((coded - 0.55991073) / 0.17883277) + 0.28466892) / 12,
        )
        luminance = np.maximum(scene @ weights, 1e-9)[..., None]
        return scene * luminance**0.2 * (PEAK / REFERENCE_WHITE)
    return coded**DISPLAY_GAMMA


def compress_highlights(light: Values, peak: float = PEAK / REFERENCE_WHITE) -> Values:
    """Light in 0..``peak`` brought to 0..1: unchanged below the knee, then ever flatter; both in
    reference whites.
    """
    top = (peak - KNEE) / (1 - KNEE)
    above = np.clip((light - KNEE) / (1 - KNEE), 0, top)
    return np.where(
        light < KNEE, light, KNEE + (1 - KNEE) * above * (1 + above / top**2) / (1 + above)
    )


def convert_to_sdr(coded: npt.ArrayLike, colour: ColourInfo) -> Values:
    """R'G'B' of ``colour`` in 0..1 to R'G'B' of BT.709 in 0..1; (..., 3) float64."""
    values = np.clip(np.asarray(coded, dtype=np.float64), 0, 1)
    name = (
        colour.primaries
        if colour.primaries in _PRIMARIES
        else ("bt2020" if colour.hdr else "bt709")
    )
    matrix = _compute_xyz_matrix(name)
    light = _linearize(values, colour.transfer, matrix[1])
    if colour.hdr:
        brightest = np.max(light, axis=-1, keepdims=True)
        light = light * (compress_highlights(brightest) / np.maximum(brightest, 1e-9))
    target = _compute_xyz_matrix("bt709")
    white = _compute_white_scale(name)
    light = light @ (np.linalg.inv(target) @ white @ matrix).T
    return np.asarray(_fit_gamut(light, target[1]) ** (1 / DISPLAY_GAMMA))


def _compute_white_scale(name: str) -> Values:
    """Scales XYZ so that this gamut's white becomes D65 (only RP 431 has another)."""
    (x, y), (to_x, to_y) = _PRIMARIES[name][3], _D65
    source = np.array([x / y, 1.0, (1 - x - y) / y])
    wanted = np.array([to_x / to_y, 1.0, (1 - to_x - to_y) / to_y])
    return np.diag(wanted / source)


def _fit_gamut(light: Values, weights: Values) -> Values:
    """Colours outside 0..1 drawn towards the grey of their own luminance until they fit."""
    grey = np.clip(light @ weights, 0, 1)[..., None]
    low = np.min(light, axis=-1, keepdims=True)
    keep = np.where(low < 0, grey / np.maximum(grey - low, 1e-9), 1.0)
    light = grey + keep * (light - grey)
    high = np.max(light, axis=-1, keepdims=True)
    keep = np.where(high > 1, (1 - grey) / np.maximum(high - grey, 1e-9), 1.0)
    return np.clip(grey + keep * (light - grey), 0, 1)


def format_cube(colour: ColourInfo, size: int = 33) -> str:
    """The table as the text of a .cube file, red running fastest."""
    steps = np.linspace(0, 1, size)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    coded: Any = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    lines = [f"LUT_3D_SIZE {size}"]
    lines += [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in convert_to_sdr(coded, colour)]
    return "\n".join(lines) + "\n"
