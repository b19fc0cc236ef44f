"""Keep HDR while a tone-mapped copy is painted: the painting's difference to the copy goes back
through the inverse of the tone mapping and is added to the content's own code values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vst.core.types import ColorInfo, Picture
from vst.imaging.deep_color import Deep, compute_difference

TONE_MAP, KEEP = "tone-map", "keep"
HDR_MODES = {
    TONE_MAP: "SDR, BT.709, in 8 bits",
    KEEP: "HDR, with the content's own curve and peak",
}
"""Name of what becomes of HDR -> its description."""

STEPS = 8192
"""Entries of each table; those over light go by its fourth root, in which steps look even."""
COVERED = 48
"""Levels of 255 that a painting differs by where nothing of what the copy has lost is left."""

Levels = npt.NDArray[np.float32]
"""R'G'B' in float32, (height, width, 3)."""


EXR_COLOR = ColorInfo("rgb", "bt709", "smpte2084", full_range=True, bits=16)
"""How the light of an EXR is coded while it is painted: 16 bits of PQ hold 0 to 49 times white."""


class LightCoder:
    """Codes the light of EXR pictures, 1 for white, as `EXR_COLOR` says, and tone-maps it."""

    def __init__(self) -> None:
        from vst.video.sources import tone_mapping as tone

        self._most = 10000 / tone.REFERENCE_WHITE
        coded = tone.encode_pq(np.linspace(0, 1, STEPS) ** 4 * self._most)
        self._to_code = coded.astype(np.float32)
        self._show = tone.convert_to_sdr

    def code(self, light: Levels) -> Deep:
        """Return the codes of light, (height, width, 3)."""
        root = np.sqrt(np.sqrt(light.clip(0, self._most) / np.float32(self._most)))
        return np.asarray(np.rint(_look_up(self._to_code, root) * 65535), np.uint16)

    def show(self, deep: Deep) -> Picture:
        """Return the tone-mapped picture of codes."""
        return np.asarray(np.rint(self._show(deep / 65535, EXR_COLOR) * 255), np.uint8)


class HdrPainting:
    """Puts paintings of a tone-mapped copy back into frames of HDR with one ``color``.

    What the tone mapping loses (colors outside BT.709, light above its peak) stays where little is
    painted, and is painted over elsewhere, or it would show through the strokes.
    """

    def __init__(self, color: ColorInfo) -> None:
        from vst.video.sources import tone_mapping as tone

        name = tone.choose_primaries(color)
        self._peak = tone.PEAK / tone.REFERENCE_WHITE
        to_source = np.linalg.inv(tone.compute_sdr_matrix(name))
        self._matrix: Levels = to_source.T.astype(np.float32)
        self._is_hlg = color.transfer == tone.HLG
        self._weights: Levels = tone.compute_luminance_weights(name).astype(np.float32)
        level = np.linspace(0, 1, STEPS)
        self._to_light = (level**tone.DISPLAY_GAMMA).astype(np.float32)
        # Of the brightest channel: by how much the inverse of the compression raises it.
        raised = tone.expand_highlights(level)
        self._gain = (raised / np.maximum(level, 1e-9)).astype(np.float32)
        self._gain[0] = 1.0
        light = level**4 * self._peak
        coded = tone.encode_scene(light / self._peak) if self._is_hlg else tone.encode_pq(light)
        self._to_code = coded.astype(np.float32)
        self._brightest = np.uint16(np.rint(coded[-1] * 65535))

    def __call__(self, deep: Deep, content: Picture, painted: Picture) -> Deep:
        """Return the painted frame in 16 bits of HDR. ``content`` is the tone-mapped copy of
        ``deep``, and what was painted; where nothing was, the result is ``deep`` to the bit.
        """
        if np.array_equal(content, painted):
            return deep
        difference = compute_difference(content, painted)
        before = content.astype(np.float32)
        lost = deep.astype(np.float32) - self.code(before / 255) * 65535
        kept = (1 - np.abs(difference).max(axis=2, keepdims=True) / COVERED).clip(0, 1)
        result = self.code((before + difference) / 255) * 65535 + kept * lost
        # Paint is not brighter than the peak of the tone mapping; the content may be.
        return np.asarray(np.rint(result).clip(0, np.maximum(deep, self._brightest)), np.uint16)

    def code(self, sdr: Any) -> Any:
        """Return the HDR code values, 0..1, that the tone mapping brings to these, of BT.709, 0..1,
        (height, width, 3); exact for colors within BT.709.
        """
        light = _look_up(self._to_light, sdr) @ self._matrix
        brightest = light.max(axis=2, keepdims=True)
        light *= _look_up(self._gain, brightest)
        if self._is_hlg:
            light /= self._peak
            luminance = np.maximum(light @ self._weights, 1e-6)[..., None]
            # The display's gamma of 1.2 taken back: scene light by display light.
            light *= luminance ** np.float32(1 / 1.2 - 1)
            root = np.sqrt(np.sqrt(light))
        else:
            root = np.sqrt(np.sqrt(np.maximum(light, 0) / self._peak))
        return _look_up(self._to_code, root)


def _look_up(table: Levels, values: Any) -> Any:
    """Look values of 0..1 up in a table, with straight lines between its entries."""
    place = np.clip(values, 0, 1) * np.float32(len(table) - 1)
    below = np.minimum(place.astype(np.int32), len(table) - 2)
    share = place - below
    return table[below] * (1 - share) + table[below + 1] * share
