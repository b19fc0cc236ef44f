"""The stabiliser behind ``flow`` and ``strong``: an anchor painting, carried along composed flow.

The usual way (Ruder et al. 2016) warps the previous output at every frame. Each warp blurs, and
raising the blur again at each step drifts: after ten frames the picture is hardly steadier than an
unstabilised one. Here one output, the *anchor*, is kept, and what goes from frame to frame is a map
of places in it. Flows are smooth, so sampling a map again and again costs nothing, while texture is
sampled once, from a copy enlarged twice: a bilinear sample of that is about as sharp as a bicubic
one of the picture, at a tenth of its time. Where the anchor is lost (occluded, out of frame, torn,
of another brightness) the previous output is blended in; where that is lost too, the fresh
painting. Every ``renewal`` frames the output becomes the next anchor. The figures behind each
choice stand in docs/steadiness.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.imaging.optical_flow import (
    MEDIUM,
    Flow,
    FlowEstimator,
    FlowSettings,
    Gray,
    enlarged_places,
    grid,
    inside,
    places,
    sample,
    slope,
    squared,
)
from vst.schedule.timeline import Mix
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.blending import (
    AFAR,
    STATISTICS,
    Weights,
    alike,
    flow_if_moving,
    from_afar,
    mixed,
    raise_detail,
    recoloured,
    statistics,
)
from vst.stabilizers.mixing import change, shares

ENLARGED = 2
"""The anchor is sampled from a copy so many times as large."""
STRAINED = 0.9
"""What is strained is remembered by so much less, frame by frame."""
CALM = 0.75
"""Share of what was known of the change of colours before, when a frame adds to it: what flicker
does to one frame is not yet a change of style.
"""


@dataclass(frozen=True)
class AnchoredSettings:
    """Parameters of `Anchored`; brightness in 0..1, slopes in pixels per pixel."""

    flow: FlowSettings = MEDIUM
    steepest: float = 0.8
    """Squared slope of the backward flow from which on it is a tear: there something was hidden."""
    strained: float = 0.8
    """Squared slope, against standing still, of the way to the anchor from which on it is strained:
    what is drawn along it is a smear.
    """
    corrected: float = 0.0
    """Part of its drift by which the way to the anchor is corrected at each frame ..."""
    agreed: float = 4.0
    """... where it strays from the direct flow by no more pixels than this."""
    renewal: int = 10
    """Frames after which the output becomes the anchor."""
    memory: float = 0.97
    """Weight of the previous output where the anchor is lost."""
    step_tolerance: float = 0.1
    """Difference of brightness at which the previous output is trusted by 1/e."""
    anchor_tolerance: float = 0.3
    """The same for the anchor."""
    decision: float = 3.0
    """How abruptly the anchor gives way: half of two textures is the sharpness of neither."""
    raised: float = 1.8
    """Detail is raised by at most this factor ..."""
    detail: float = 1.0
    """... up to so much of the fresh painting's own local contrast."""
    noise: float = 0.008
    """Difference of brightness (mean of 5 x 5) that motion must explain to count as motion."""
    stale_from: float = 0.13
    """Difference of colour to the fresh painting, over cells of 1/64 of the picture, from which on
    what is remembered is stale: paint that stuck to where something was ...
    """
    stale_fully: float = 0.33
    """... and at which it is dropped."""
    follows_from: float = 0.003
    """Mean change of the channels' statistics from which on the style is changing ..."""
    follows_fully: float = 0.015
    """... and at which nothing is remembered."""
    follows_mix: float = 5.0
    """Where the mix is told: the share of the fresh painting is the root of so many times the
    mix's change from frame to frame. A transition of 30 frames gets 0.4, one of 240 gets 0.14.
    """


@dataclass
class Memory:
    """What is known of the scene. Sizes: W is the flow's working size, P the painting's."""

    gray: Gray
    """Content of the last frame that moved, W."""
    shown: Picture
    """The last output, P."""
    canvas: Picture
    """Two pictures to sample from, one below the other: the anchor, P times `ENLARGED`, and in the
    left part the last output before its detail was raised, P (raised at each step, detail drifts).
    """
    anchor_gray: Gray
    """Its content, W."""
    places: Flow
    """Where each pixel of now lies in the anchor, W."""
    kept: Weights
    """How far it has been in sight ever since, W."""
    stale: Weights
    """How far the fresh painting is to take over, in cells, (64, 64)."""
    age: int
    """Frames since the anchor was chosen."""
    gap: Any
    """By how much the fresh painting's statistics differ from those of what is remembered, (6,)."""
    moved: Any
    """By how much they had changed when the anchor was chosen, (6,)."""


class Anchored(Stabilizer):
    """Remembers without end and needs no future frame; holds two pictures, an enlarged one, a map
    and some masks.
    """

    warmup = None

    def __init__(self, settings: AnchoredSettings = AnchoredSettings()) -> None:
        self.settings = settings
        self._look = FlowEstimator(settings.flow)
        self._memory: Memory | None = None
        self._mix: dict[str, float] = {}
        self._changed = 0.0  # by how much the mix has changed since the last step

    def reset(self) -> None:
        self._memory = None

    def set_mix(self, mix: Mix) -> None:
        before, self._mix = self._mix, shares(mix)
        self._changed += change(before, self._mix) if before else 0.0

    def state(self) -> dict[str, Any]:
        if self._memory is None:
            return {}
        known = {name: np.copy(value) for name, value in vars(self._memory).items()}
        return {**known, "mix": dict(self._mix), "changed": self._changed}

    def restore(self, state: dict[str, Any]) -> None:
        self._memory, self._mix, self._changed = None, {}, 0.0
        if state:
            self._mix, self._changed = dict(state["mix"]), float(state["changed"])
            names = (field.name for field in fields(Memory))
            known: dict[str, Any] = {name: np.copy(state[name]) for name in names}
            self._memory = Memory(**{**known, "age": int(state["age"])})

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        gray = self._look.gray(content)
        memory, changed = self._memory, self._changed
        self._changed = 0.0
        if memory is None or memory.shown.shape != painted.shape:
            self._memory = first_memory(gray, painted)
            return [painted.copy()]
        backward = flow_if_moving(gray, memory.gray, self.settings.noise, self._look)
        if backward is None:
            # The content remembered stays that with which the standing began: a motion too slow to
            # be seen from one frame to the next is seen from there, and so is its flow.
            memory.shown = self._follow(memory, memory.shown, painted, changed, still=True)
            put(memory.canvas, memory.shown)
            return [memory.shown.copy()]
        carried = self._carry(memory, gray, backward, painted)
        carried = self._follow(memory, carried, painted, changed)
        put(memory.canvas, carried)
        memory.shown = raise_detail(carried, painted, self.settings.raised, self.settings.detail)
        memory.gray = gray
        memory.age += 1
        if memory.age >= self.settings.renewal:
            renew(memory)
        return [memory.shown.copy()]

    def _carry(self, memory: Memory, gray: Gray, backward: Flow, painted: Picture) -> Picture:
        """The anchor where it can be seen, else the previous output, else the fresh painting."""
        settings = self.settings
        height, width = painted.shape[:2]
        came_from, seen = places(backward), self._seen(backward)
        memory.places = self._undrifted(memory, gray, sample(memory.places, came_from))
        memory.kept = np.minimum(sample(memory.kept, came_from), seen)
        whole = cv2.blur(slope(memory.places - grid(*gray.shape)), (3, 3)) <= settings.strained
        stale = cv2.resize(memory.stale, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
        seen *= 1 - stale
        memory.kept *= whole * (1 - stale)
        near = alike(gray, memory.gray, came_from, settings.step_tolerance)
        far = alike(gray, memory.anchor_gray, memory.places, settings.anchor_tolerance)
        # The last output is as strained there; it has to go, but not at once.
        near *= settings.memory * (STRAINED + (1 - STRAINED) * whole.astype(np.float32))
        by_step = cv2.GaussianBlur(seen * near, (0, 0), 1.5)
        by_anchor = cv2.GaussianBlur(memory.kept * far, (0, 0), 1.5)
        # One or the other, not a mean: half of two textures has the sharpness of neither. And one
        # sampling of one canvas is cheaper than two.
        where = enlarged_places(within(came_from), height, width, below=height * ENLARGED)
        chosen = (cv2.resize(by_anchor, (width, height)) > 0.5).view(np.uint8)
        cv2.copyTo(enlarged_places(memory.places, height, width, ENLARGED), chosen, where)
        share = np.maximum(by_step, np.clip((by_anchor - 0.5) * settings.decision + 1, 0, 1))
        return mixed(sample(memory.canvas, where), painted, share)

    def _undrifted(self, memory: Memory, gray: Gray, composed: Flow) -> Flow:
        """The composed way to the anchor, brought nearer to the flow that leads there at once.

        Composed flow is as smooth in time as can be, but its errors add up; the direct flow has no
        drift, but trembles. Where both hardly differ, a part of the difference is made up for.
        """
        if not self.settings.corrected or memory.age == 0:
            return composed
        missing = places(self._look(gray, memory.anchor_gray)) - composed
        agreed = squared(missing) <= self.settings.agreed**2
        return composed + missing * (agreed * np.float32(self.settings.corrected))[..., None]

    def _seen(self, backward: Flow) -> Weights:
        """1 where a pixel was in sight one frame ago, 0 where not."""
        seen = cv2.blur(slope(backward), (3, 3)) <= self.settings.steepest
        return (seen & inside(backward)).astype(np.float32)

    def _follow(
        self,
        memory: Memory,
        carried: Picture,
        painted: Picture,
        changed: float,
        still: bool = False,
    ) -> Picture:
        """Let the picture follow a style that changes, by ``changed`` as far as that was told.

        Colours are those of the fresh painting at once, by the statistics of each channel (where
        nothing moves, only once they change by more than noise). Texture follows by a share of the
        fresh painting, which grows with the change since the texture was painted.
        """
        start, full = self.settings.follows_from, self.settings.follows_fully
        seen, fresh = from_afar(carried), from_afar(painted)
        has, wanted = statistics(seen), statistics(fresh)
        memory.gap = CALM * memory.gap + (1 - CALM) * (wanted - has)
        moved = float(np.abs(memory.moved + memory.gap).mean())
        told = math.sqrt(self.settings.follows_mix * changed)
        share = min(1.0, max(0.0, (moved - start) / (full - start), told))
        if still and share == 0:
            return carried
        reach = self.settings.stale_fully - self.settings.stale_from
        gap = cv2.blur(cv2.absdiff(seen, fresh), (3, 3)).max(2).astype(np.float32) / 255
        memory.stale = np.clip((gap - self.settings.stale_from) / reach, 0, 1)
        carried = recoloured(carried, has, wanted)
        if still:
            # No renewal comes while nothing moves: what has changed is remembered here.
            memory.moved, memory.gap = memory.moved + memory.gap, np.zeros(STATISTICS)
        if share > 0:
            carried = cv2.addWeighted(painted, share, carried, 1 - share, 0)
            memory.moved = memory.moved * (1 - share)
            memory.kept = memory.kept * np.float32(1 - share)
        return carried


def first_memory(gray: Gray, painted: Picture) -> Memory:
    """What is known after a scene's first frame."""
    nothing = np.zeros(STATISTICS)
    memory = Memory(
        gray=gray, shown=painted.copy(), canvas=empty_canvas(painted), anchor_gray=gray,
        places=grid(*gray.shape), kept=np.ones(gray.shape, np.float32),
        stale=np.zeros((AFAR, AFAR), np.float32), age=0, gap=nothing, moved=nothing,
    )  # fmt: skip
    put(memory.canvas, painted)
    renew(memory)
    return memory


def empty_canvas(painted: Picture) -> Picture:
    """Room for a picture, enlarged, and for itself below."""
    height, width, channels = painted.shape
    return np.zeros((height * (ENLARGED + 1), width * ENLARGED, channels), np.uint8)


def put(canvas: Picture, carried: Picture) -> None:
    """Lay the picture into the canvas's lower part."""
    height, width = carried.shape[:2]
    canvas[height * ENLARGED :, :width] = carried


def within(where: Flow) -> Flow:
    """Places brought back to the picture's edge: beyond it, on the canvas, lies another picture."""
    height, width = where.shape[:2]
    return np.asarray(cv2.min(cv2.max(where, 0), (width - 1, height - 1, 0, 0)), np.float32)


def renew(memory: Memory) -> None:
    """Make the last output the anchor."""
    height, width = memory.shown.shape[:2]
    size = (width * ENLARGED, height * ENLARGED)
    enlarged = memory.canvas[: size[1], : size[0]]
    cv2.resize(memory.shown, size, dst=enlarged, interpolation=cv2.INTER_CUBIC)
    memory.anchor_gray = memory.gray
    memory.places = grid(*memory.gray.shape)
    memory.kept = np.ones(memory.gray.shape, np.float32)
    memory.age = 0
    # What has changed is remembered beyond the anchor, and forgotten slowly: its texture is old.
    memory.moved = 0.9 * memory.moved + memory.gap
    memory.gap = np.zeros(STATISTICS)
