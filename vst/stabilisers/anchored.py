"""The stabiliser behind ``flow`` and ``strong``: an anchor painting, carried along composed flow.

The usual way (Ruder et al. 2016) warps the previous output at every frame. Each warp blurs, and raising the blur again
at each step drifts: after ten frames the picture is hardly steadier than an unstabilised one. Here one output, the
*anchor*, is kept, and what is carried from frame to frame is a map of places in it: flows are smooth, so sampling a map
again and again costs nothing, while the texture is sampled once, from a copy enlarged twice, which makes a bilinear
sample about as sharp as a bicubic one at a tenth of its time. Where the anchor is lost (occluded, out of frame,
stretched, of another brightness) the previous output is blended in; where that is lost too, the fresh painting.
Every ``renewal`` frames the output becomes the next anchor. The figures of each choice stand in docs/steadiness.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vst.flow import (
    MEDIUM,
    Flow,
    FlowEstimator,
    FlowSettings,
    Gray,
    agreeing,
    enlarged_places,
    grid,
    inside,
    places,
    sample,
    slope,
    warp,
)
from vst.frames import Picture
from vst.stabilisers.base import Stabiliser

Weights = npt.NDArray[np.float32]
"""(height, width), 0..1."""

ENLARGED = 2
DEBUG=[]
"""The anchor is sampled from a copy so many times as large."""


@dataclass(frozen=True)
class AnchoredSettings:
    """Parameters of `Anchored`; brightness in 0..1, places in pixels of the working size."""

    flow: FlowSettings = MEDIUM
    both_ways: bool = True
    """Whether occlusions are found by flow forwards and back; else by the slope of the backward flow alone."""
    steepest: float = 0.3
    """Squared slope (pixels per pixel) of the flow from which on it is a tear, where it is looked at one way only."""
    renewal: int = 10
    """Frames after which the output becomes the anchor."""
    memory: float = 0.9
    """Weight of the previous output where the anchor is lost."""
    step_tolerance: float = 0.1
    """Difference of brightness at which the previous output is trusted by 1/e."""
    anchor_tolerance: float = 0.3
    """The same for the anchor, which is older."""
    decision: float = 3.0
    """How abruptly the anchor's weight goes from 0 to 1: half of two textures is the sharpness of neither."""
    raised: float = 1.6
    """Detail is raised by at most this factor, up to the fresh painting's own local contrast."""
    noise: float = 0.008
    """Difference of brightness (0..1, mean of 5 x 5) that motion must explain to count as motion."""
    follows_from: float = 0.01
    """Mean change of colour (0..1), at low frequency, from which on the fresh painting takes over ..."""
    follows_fully: float = 0.05
    """... and at which nothing is remembered."""


class Anchored(Stabiliser):
    """Remembers without end, needs no future frame, and holds one enlarged picture, one map and a few masks."""

    warmup = None

    def __init__(self, settings: AnchoredSettings = AnchoredSettings()) -> None:
        self.settings = settings
        self._look = FlowEstimator(settings.flow)
        self.reset()

    def reset(self) -> None:
        self._before: Gray | None = None
        self._output: Picture | None = None
        self._shown: Picture | None = None
        self._anchor: Picture | None = None
        self._anchor_gray: Gray | None = None
        self._places: Flow | None = None
        self._kept: Weights | None = None
        self._age = 0
        self._gap = np.zeros(6)
        self._moved = np.zeros(6)

    def state(self) -> dict[str, Any]:
        if self._before is None:
            return {}
        return {
            "before": self._before.copy(),
            "output": _copied(self._output),
            "shown": _copied(self._shown),
            "anchor": _copied(self._anchor),
            "anchor_gray": _copied(self._anchor_gray),
            "places": _copied(self._places),
            "kept": _copied(self._kept),
            "age": self._age,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.reset()
        if state:
            self._before = state["before"].copy()
            self._output = state["output"].copy()
            self._shown = state["shown"].copy()
            self._anchor = state["anchor"].copy()
            self._anchor_gray = state["anchor_gray"].copy()
            self._places = state["places"].copy()
            self._kept = state["kept"].copy()
            self._age = int(state["age"])

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        gray = self._look.gray(content)
        before = self._before
        if before is None or self._shown is None or before.shape != gray.shape:
            self._before, self._shown = gray, painted.copy()
            self._begin(painted, gray)
            return [painted.copy()]
        backward = self._look(gray, before)
        if standing(gray, before, backward, self.settings.noise):
            # What is remembered stays that of the frame with which the standing began: a motion too slow to be seen
            # from one frame to the next is seen from there, and its flow is that from there.
            return [self._shown.copy()]
        self._before = gray
        carried = self._follow(self._carry(gray, before, backward, painted), painted)
        output = raise_detail(carried, painted, self.settings.raised)
        self._age += 1
        if self._age >= self.settings.renewal:
            self._begin(output, gray)
            self._moved = 0.9 * self._moved + self._gap
            self._gap = np.zeros(6)
        # What is raised is not carried to the next frame: raised at each step, detail drifts.
        self._output, self._shown = carried, output
        return [output.copy()]

    def _begin(self, output: Picture, gray: Gray) -> None:
        """Make ``output`` the anchor."""
        height, width = output.shape[:2]
        size = (width * ENLARGED, height * ENLARGED)
        self._anchor = np.asarray(cv2.resize(output, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        self._anchor_gray, self._output = gray, output
        self._places = grid(*gray.shape).copy()
        self._kept = np.ones(gray.shape, np.float32)
        self._age = 0

    def _follow(self, carried: Picture, painted: Picture) -> Picture:
        settings = self.settings
        has, wanted = statistics(carried), statistics(painted)
        self._gap = 0.5 * self._gap + 0.5 * (wanted - has)
        moved = float(np.abs(self._moved + self._gap).mean())
        DEBUG.append(moved)
        share = (moved - settings.follows_from) / (settings.follows_fully - settings.follows_from)
        share = min(1.0, max(0.0, share))
        carried = recoloured(carried, has, wanted)
        if share > 0:
            carried = cv2.addWeighted(painted, share, carried, 1 - share, 0)
            self._moved *= 1 - share
            self._kept *= 1 - share
        return carried

    def _trusted(self, gray: Gray, before: Gray, backward: Flow) -> Weights:
        """1 where a pixel of the working size was seen one frame ago, 0 where not."""
        if self.settings.both_ways:
            seen = agreeing(backward, self._look(before, gray))
        else:
            seen = cv2.blur(slope(backward), (3, 3)) <= self.settings.steepest
        return (seen & inside(backward)).astype(np.float32)

    def _carry(self, gray: Gray, before: Gray, backward: Flow, painted: Picture) -> Picture:
        """The anchor where it can be seen, else the previous output, else the fresh painting."""
        came_from, trusted = places(backward), self._trusted(gray, before, backward)
        settings = self.settings
        height, width = painted.shape[:2]
        assert self._places is not None and self._kept is not None
        self._places = sample(self._places, came_from)
        self._kept = np.minimum(sample(self._kept, came_from), trusted)
        by_anchor = self._kept * alike(
            gray, self._anchor_gray, self._places, settings.anchor_tolerance
        )
        by_step = (
            trusted * alike(gray, before, came_from, settings.step_tolerance) * settings.memory
        )
        by_anchor = cv2.GaussianBlur(by_anchor, (0, 0), 1.5)
        by_anchor = np.clip((by_anchor - 0.5) * settings.decision + 0.5, 0, 1)
        by_step = cv2.GaussianBlur(by_step, (0, 0), 1.5)
        stepped = sample(self._output, enlarged_places(came_from, height, width))
        anchored = sample(self._anchor, enlarged_places(self._places, height, width, ENLARGED))
        carried = mixed(stepped, painted, by_step)
        return mixed(anchored, carried, by_anchor)


def statistics(picture: Picture) -> npt.NDArray[np.float64]:
    """Mean and deviation of each channel, 0..1: six numbers."""
    small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
    mean, deviation = cv2.meanStdDev(small)
    return np.concatenate([mean[:, 0], deviation[:, 0]]) / 255


def recoloured(picture: Picture, has: Any, wanted: Any) -> Picture:
    """The picture with its channels' statistics changed from ``has`` to ``wanted``."""
    levels = np.arange(256, dtype=np.float64)[:, None] / 255
    factor = np.clip((wanted[3:] + 0.02) / (has[3:] + 0.02), 0.5, 2)
    table = np.clip((levels - has[:3]) * factor + wanted[:3], 0, 1) * 255 + 0.5
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8)[None]), np.uint8)


def alike(gray: Gray, earlier: Any, where: Flow, tolerance: float) -> Weights:
    """How far the earlier brightness at ``where`` is the present one: 1 for the same, falling as a Gaussian."""
    error = cv2.absdiff(gray, sample(earlier, where))
    falls = np.exp(-((np.arange(256) / (255 * tolerance)) ** 2)).astype(np.float32)
    return np.asarray(falls[error], np.float32)


def standing(gray: Gray, before: Gray, backward: Flow, noise: float) -> bool:
    """Whether nothing moves: whether the flow explains nothing that standing still does not explain as well.

    On still pictures with a sensor's noise (deviation 1 to 8 of 255) the flow explains more than 2 of 255 (mean of
    5 x 5) at no more than 0.01 % of the pixels, on the slowest clips at hand at 0.6 %.
    """
    stayed = cv2.blur(cv2.absdiff(gray, before), (5, 5))
    moved = cv2.blur(cv2.absdiff(gray, warp(before, backward)), (5, 5))
    return bool(np.mean(cv2.subtract(stayed, moved) > 255 * noise) < 0.0005)


def mixed(first: Picture, second: Picture, share: Weights) -> Picture:
    """``share`` (any size, enlarged to the pictures') of the first picture, the rest of the second."""
    height, width = first.shape[:2]
    if share.shape != (height, width):
        share = np.asarray(
            cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )
    return np.asarray(cv2.blendLinear(first, second, share, 1 - share), np.uint8)


def raise_detail(picture: Picture, fresh: Picture, limit: float) -> Picture:
    """Raise what is finer than about 1.5 pixels to the fresh painting's local contrast, at most ``limit`` times.

    The gain is found on the brightness in cells of 8 x 8 pixels. A picture with more contrast stays as it is.
    """
    if limit <= 1:
        return picture
    height, width = picture.shape[:2]
    cells = (max(1, width // 8), max(1, height // 8))
    contrast = []
    for view in (picture, fresh):
        bright = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
        fine = cv2.absdiff(bright, cv2.GaussianBlur(bright, (7, 7), 1.5))
        small = cv2.resize(fine.astype(np.float32), cells, interpolation=cv2.INTER_AREA)
        contrast.append(cv2.blur(small, (3, 3)))
    gain = np.clip((contrast[1] + 0.5) / (contrast[0] + 0.5), 1, limit)
    # gain * picture + (1 - gain) * smooth = smooth + gain * detail: a blend whose second share is negative.
    return mixed(picture, np.asarray(cv2.GaussianBlur(picture, (7, 7), 1.5), np.uint8), gain)


def _copied(array: Any) -> Any:
    return None if array is None else array.copy()
