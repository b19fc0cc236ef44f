"""Map high dynamic range and wide gamuts to SDR BT.709 by one color table.

The table maps R'G'B' of the source (its own transfer curve and primaries) to R'G'B' of BT.709. It
is computed once, 33 steps a side, and applied by FFmpeg's ``lut3d`` (tetrahedral interpolation).

Light is display-referred, in units of the reference white of ITU-R BT.2408 (203 cd/m2). Light below
60 % of it stays unchanged; light above is compressed with the extended curve of Reinhard et al.
(2002), which leaves headroom for highlights. The brightest channel is mapped and the others scale
with it, which keeps the hue; colors outside BT.709 are desaturated until they fit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import ColorInfo

Values = npt.NDArray[np.float64]

REFERENCE_WHITE = 203.0
"""Luminance of diffuse white in HDR, in cd/m2 (BT.2408)."""

PEAK = 1000.0
"""Peak luminance of the assumed HDR display, in cd/m2; brighter light becomes white."""

KNEE = 0.6
"""Share of the reference white below which light stays unchanged."""

PQ, HLG = "smpte2084", "arib-std-b67"
"""FFmpeg's names of the two curves of HDR."""

DISPLAY_GAMMA = 2.4
"""Gamma of an SDR display (BT.1886)."""

# Chromaticities of red, green, blue and white (ITU-R BT.709, BT.2020; SMPTE RP 431, EG 432).
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    "smpte431": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
}


def needs_table(color: ColorInfo) -> bool:
    """Return whether pictures need the table: HDR, or primaries far from BT.709."""
    return color.hdr or color.primaries in ("bt2020", "smpte431", "smpte432")


def _compute_xyz_matrix(name: str) -> Values:
    """Compute the matrix from linear RGB of these primaries to CIE XYZ, (3, 3)."""
    red, green, blue, white = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in _PRIMARIES[name])
    columns = np.stack([red, green, blue], axis=1)
    product: Values = columns * np.linalg.solve(columns, white)
    return product


def _linearize(coded: Values, transfer: str, weights: Values) -> Values:
    """Convert coded values in 0..1 to display light, 1 at the reference white; (..., 3)."""
    if transfer == PQ:
        return decode_pq(coded)
    if transfer == HLG:  # ITU-R BT.2100, with its system gamma of 1.2 at 1000 cd/m2
        scene = np.where(
            coded <= 0.5,
            coded**2 / 3,
            (np.exp((coded - 0.55991073) / 0.17883277) + 0.28466892) / 12,
        )
        luminance = np.maximum(scene @ weights, 1e-9)[..., None]
        return scene * luminance**0.2 * (PEAK / REFERENCE_WHITE)
    return coded**DISPLAY_GAMMA


def compress_highlights(light: Values, peak: float = PEAK / REFERENCE_WHITE) -> Values:
    """Compress light in 0..``peak`` to 0..1, unchanged below the knee; in reference whites."""
    top = (peak - KNEE) / (1 - KNEE)
    above = np.clip((light - KNEE) / (1 - KNEE), 0, top)
    return np.where(
        light < KNEE, light, KNEE + (1 - KNEE) * above * (1 + above / top**2) / (1 + above)
    )


def expand_highlights(light: Values, peak: float = PEAK / REFERENCE_WHITE) -> Values:
    """Take `compress_highlights` back: from 0..1 to 0..``peak``."""
    top = (peak - KNEE) / (1 - KNEE)
    above = np.clip((light - KNEE) / (1 - KNEE), 0, 1)
    # The positive root of above = a (1 + a / top²) / (1 + a).
    found = top**2 / 2 * (above - 1 + np.sqrt((1 - above) ** 2 + 4 * above / top**2))
    return np.where(light < KNEE, light, KNEE + (1 - KNEE) * found)


def decode_pq(coded: Values) -> Values:
    """Return the display light, 1 at the reference white, of codes in 0..1 (SMPTE ST 2084)."""
    power = coded ** (1 / 78.84375)
    light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return np.asarray(light ** (1 / 0.1593017578125) * (10000 / REFERENCE_WHITE))


@lru_cache(maxsize=1)
def get_pq_curve() -> npt.NDArray[np.float32]:
    """Return the light of each of 65,536 levels of PQ; the array is shared and read-only."""
    curve = decode_pq(np.arange(65536) / 65535).astype(np.float32)
    curve.setflags(write=False)
    return curve


def encode_pq(light: Values) -> Values:
    """Code display light, 1 at the reference white, by SMPTE ST 2084, in 0..1."""
    power = (np.maximum(light, 0) * (REFERENCE_WHITE / 10000)) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def encode_scene(light: Values) -> Values:
    """Code scene light of 0..1 by the curve of HLG, in 0..1."""
    low = np.sqrt(3 * np.maximum(light, 0))
    high = 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073
    return np.where(light <= 1 / 12, low, high)


def convert_to_sdr(coded: npt.ArrayLike, color: ColorInfo) -> Values:
    """Convert R'G'B' of the source, in 0..1, to R'G'B' of BT.709 in 0..1; (..., 3) float64."""
    values = np.clip(np.asarray(coded, dtype=np.float64), 0, 1)
    name = choose_primaries(color)
    light = _linearize(values, color.transfer, compute_luminance_weights(name))
    if color.hdr:
        brightest = np.max(light, axis=-1, keepdims=True)
        light = light * (compress_highlights(brightest) / np.maximum(brightest, 1e-9))
    light = light @ compute_sdr_matrix(name).T
    fitted = _fit_gamut(light, compute_luminance_weights("bt709"))
    return np.asarray(fitted ** (1 / DISPLAY_GAMMA))


def choose_primaries(color: ColorInfo) -> str:
    """Choose the primaries, a key of `_PRIMARIES`; HDR that does not name any has BT.2020's."""
    if color.primaries in _PRIMARIES:
        return color.primaries
    return "bt2020" if color.hdr else "bt709"


def compute_luminance_weights(name: str) -> Values:
    """Compute the shares of red, green and blue in the luminance, for these primaries, (3,)."""
    return np.asarray(_compute_xyz_matrix(name)[1])


def compute_sdr_matrix(name: str) -> Values:
    """Compute the matrix from linear RGB of these primaries to that of BT.709, (3, 3)."""
    target = np.linalg.inv(_compute_xyz_matrix("bt709"))
    return np.asarray(target @ _compute_white_scale(name) @ _compute_xyz_matrix(name))


def _compute_white_scale(name: str) -> Values:
    """Compute the scale of XYZ that turns this gamut's white into D65 (only RP 431 differs)."""
    (x, y), (to_x, to_y) = _PRIMARIES[name][3], _D65
    source = np.array([x / y, 1.0, (1 - x - y) / y])
    wanted = np.array([to_x / to_y, 1.0, (1 - to_x - to_y) / to_y])
    return np.diag(wanted / source)


def _fit_gamut(light: Values, weights: Values) -> Values:
    """Desaturate colors outside 0..1, at constant luminance, until they fit."""
    gray = np.clip(light @ weights, 0, 1)[..., None]
    low = np.min(light, axis=-1, keepdims=True)
    keep = np.where(low < 0, gray / np.maximum(gray - low, 1e-9), 1.0)
    light = gray + keep * (light - gray)
    high = np.max(light, axis=-1, keepdims=True)
    keep = np.where(high > 1, (1 - gray) / np.maximum(high - gray, 1e-9), 1.0)
    return np.clip(gray + keep * (light - gray), 0, 1)


def format_cube(color: ColorInfo, size: int = 33) -> str:
    """Format the table as a .cube file; red varies fastest."""
    steps = np.linspace(0, 1, size)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    coded: Any = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    lines = [f"LUT_3D_SIZE {size}"]
    lines += [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in convert_to_sdr(coded, color)]
    return "\n".join(lines) + "\n"
