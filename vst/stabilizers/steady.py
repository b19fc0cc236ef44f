"""``steady``: every pixel comes from fresh paintings near in time, never from an output.

Strokes (what is finer than about two pixels) are those of two *anchors*, paintings at fixed frame
indices before and after, carried along composed flow and cross-faded: a mean of many would kill the
grain. Coarse structure is the motion-compensated mean over a few frames, by passes whose distances
grow. Each is used only where it is seen, where the content's brightness agrees, and where the
coarse picture agrees in structure with the fresh one: a mouth that opens is open.

No error adds up, memory ends after `Steady.warmup` frames, and what comes out depends on the frames
of that window and on their absolute indices alone: a chunk with its warm-up and look-ahead equals
the uninterrupted run to the bit. The figures behind each choice stand in docs/steadiness.md.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import UsageError
from vst.imaging.optical_flow import FlowEstimator, Gray
from vst.schedule.timeline import Mix
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.mix_change import flatten_mix
from vst.stabilizers.steady_frames import (
    MIDDLE,
    Anchor,
    FlowPath,
    KnownFrame,
    average_sides,
    blend_strokes,
    blur_coarse,
    enlarge,
    find_paths,
    join_paths,
    keep_structure,
    restore_structure,
    spread,
    stands_still,
)
from vst.stabilizers.steady_settings import SteadySettings, choose_settings

__all__ = ["Steady", "SteadySettings", "choose_settings"]


class Steady(Stabilizer):
    """Holds `warmup` + `lookahead` + 1 frames at most, and no output.

    Anchors lie at fixed indices of the video: call `seek` with the first frame's index.
    """

    def __init__(self, settings: SteadySettings | None = None) -> None:
        self.settings = settings or choose_settings()
        reach, ahead = sum(self.settings.passes), sum(self.settings.ahead)
        span, live = self.settings.anchors, self.settings.latency is not None
        self.warmup = max(reach, 2 * span if live else span - 1) if span else 0
        self.lookahead = (ahead if live else max(span - 1, ahead)) if span else 0
        self._estimator = FlowEstimator(self.settings.flow)
        self._pool = ThreadPoolExecutor(1, "steady")
        self._mix: dict[str, float] = {}
        self._index = 0  # of the next frame that comes in
        self._held: dict[int, KnownFrame] = {}
        self._next = 0  # the next frame that goes out

    @classmethod
    def make(cls, steadiness: float) -> Steady:
        return cls(choose_settings(steadiness))

    def seek(self, index: int) -> None:
        self._held.clear()
        self._index = self._next = index

    def set_mix(self, mix: Mix) -> None:
        self._mix = flatten_mix(mix)

    def reset(self) -> None:
        self._held.clear()
        self._next = self._index

    def close(self) -> None:
        self._pool.shutdown()

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        if not self.settings.anchors:
            self._index += 1
            return [painted.copy()]
        if self._held and self._held[self._index - 1].painted.shape != painted.shape:
            raise UsageError(
                f"a painting of {painted.shape[1]}x{painted.shape[0]} in a shot of another size: "
                "the frames of a shot have one size. Call flush and reset between"
            )
        return self._take(self._estimator.gray(content), painted.copy(), dict(self._mix))

    def flush(self) -> list[Picture]:
        if not self._held:
            return []
        last = self._index - 1
        if self.settings.latency is None:
            self._reach_anchor(last)
        found = [self._paint(index, last) for index in range(self._next, self._index)]
        self._held.clear()
        self._next = self._index
        return found

    def _take(self, gray: Gray, painted: Picture, mix: dict[str, float]) -> list[Picture]:
        """Add a frame; return the frames that are ready."""
        index = self._index
        self._index += 1
        before = self._held.get(index - 1)
        lows = self._pool.submit(blur_coarse, painted)
        back = fore = None
        if before is not None:
            back, fore = find_paths(before.gray, gray, self._estimator)
        frame = KnownFrame(index, gray, painted, mix, lows.result(), back)
        self._held[index] = frame
        if before is not None:
            before.fore = fore
            self._extend_behind(frame, before)
        if self.settings.latency is None and self._is_anchor(index):
            self._reach_anchor(index)
        found: list[Picture] = []
        while self._next + self.lookahead < self._index:
            found.append(self._paint(self._next, index))
            self._next += 1
            self._drop_unneeded()
        return found

    def _drop_unneeded(self) -> None:
        """Drop what no later frame needs: of the frames that went out, only anchors stay long."""
        self._held.pop(self._next - 1 - self.warmup, None)
        near = self._next - 1 - sum(self.settings.passes)
        if near in self._held and not self._is_anchor(near):
            del self._held[near]

    def _is_anchor(self, index: int) -> bool:
        """Whether a frame is an anchor: by its index, or because the shot begins with it."""
        return index % self.settings.anchors == 0 or self._held[index].back is None

    def _extend_behind(self, frame: KnownFrame, before: KnownFrame) -> None:
        """The way to the last anchor, by one frame more than that of the frame before."""
        if frame.back is None:
            return
        frame.behind = frame.back
        if before.behind is not None and not self._is_anchor(before.index):
            frame.behind = join_paths(frame.back, before.behind)

    def _reach_anchor(self, index: int) -> None:
        """The ways of the frames before an anchor to it, the nearest frame first."""
        after: FlowPath | None = None
        for number in range(index - 1, min(self._held) - 1, -1):
            frame = self._held[number]
            if frame.fore is None or self._is_anchor(number):
                break
            after = frame.fore if after is None else join_paths(frame.fore, after)
            frame.after = after

    def _paint(self, index: int, last: int) -> Picture:
        """The steady painting of one frame; ``last``: the last frame that is known."""
        frame = self._held[index]
        anchors = self._anchors_of(frame, last)
        still = len(anchors) == 2 and all(stands_still(frame, one) for one in anchors)
        if still:
            first, second = anchors
            coarse = cv2.addWeighted(
                first.frame.low, first.share, second.frame.low, second.share, 0
            )
        else:
            coarse = keep_structure(
                self._average(index, len(self.settings.passes)),
                frame.low,
                self.settings.agrees_from,
                self.settings.agrees_fully,
            )
        fresh = enlarge(frame.low, frame.painted.shape)
        strokes = cv2.addWeighted(frame.painted, 1, fresh, -1, MIDDLE)
        base = enlarge(coarse, frame.painted.shape)
        if not anchors:
            return np.asarray(cv2.addWeighted(base, 1, strokes, 1, -MIDDLE), np.uint8)
        steady = blend_strokes(frame, anchors, strokes, self.settings, self._pool)
        gain = float(
            np.clip(
                self.settings.contrast * spread(strokes) / spread(steady), 1, self.settings.raised
            )
        )
        out = np.asarray(cv2.addWeighted(base, 1, steady, gain, -MIDDLE * gain), np.uint8)
        return out if still else restore_structure(out, frame.low, self.settings)

    def _anchors_of(self, frame: KnownFrame, last: int) -> list[Anchor]:
        """The anchors whose strokes a frame takes, with their shares of 1 and the ways there."""
        index, span = frame.index, self.settings.anchors
        if self.settings.latency is not None:
            return self._anchors_behind(frame)
        if self._is_anchor(index) or frame.behind is None or frame.after is None:
            return []
        before = max(index // span * span, min(self._held))
        while before < index and before not in self._held:
            before += 1
        after = min(index // span * span + span, last)
        part = (index - before) / (after - before)
        return [
            Anchor(self._held[before], 1 - part, frame.behind),
            Anchor(self._held[after], part, frame.after),
        ]

    def _anchors_behind(self, frame: KnownFrame) -> list[Anchor]:
        """The last two anchors; the last one's strokes come in as those before go."""
        span, index, first = self.settings.anchors, frame.index, min(self._held)
        if frame.behind is None:
            return []
        near = max((index - 1) // span * span, first)
        anchor = self._held[near]
        if anchor.behind is None:
            return [Anchor(anchor, 1.0, frame.behind)]
        far = max((near - 1) // span * span, first)
        part = (index - near) / span
        longer = join_paths(frame.behind, anchor.behind)
        return [Anchor(self._held[far], 1 - part, longer), Anchor(anchor, part, frame.behind)]

    def _average(self, index: int, level: int) -> Picture:
        """The coarse picture of a frame after so many passes."""
        frame = self._held[index]
        if level == 0:
            return frame.low
        if level not in frame.means:
            distance, ahead = self.settings.passes[level - 1], self.settings.ahead[level - 1]
            center = self._average(index, level - 1)
            sides = []
            for step, far in ((-1, distance), (1, ahead)):
                other = self._held.get(index + step * far)
                path = self._path(index, step, far) if far and other is not None else None
                if path is not None and other is not None:
                    sides.append((other, self._average(other.index, level - 1), path))
            frame.means[level] = average_sides(frame, center, sides, self.settings)
        return frame.means[level]

    def _path(self, index: int, step: int, far: int) -> FlowPath | None:
        """The way to the frame ``far`` frames before (step -1) or after (step 1)."""
        found: FlowPath | None = None
        for number in range(index, index + step * far, step):
            frame = self._held[number]
            link = frame.back if step < 0 else frame.fore
            if link is None:
                return None
            found = link if found is None else join_paths(found, link)
        return found
