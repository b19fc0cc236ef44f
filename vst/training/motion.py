"""Real motion to learn steadiness from: neighbouring frames of clips, cut to squares, with the flow
between them.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vst.flow import Flow, FlowEstimator, non_occluded, places
from vst.training.data import SIDE, Picture
from vst.training.pairs import Row, Shapes

LARGEST = 480
"""The longest short side at which frames are cut."""
LEAST_SEEN = 0.5
MOST_CHANGE = 40.0
"""Levels of mean difference beyond which two frames are two scenes."""
LEAST_SPREAD = 12.0
"""Levels of deviation below which there is nothing to hold steady."""
TRIES = 1000


def motion_shapes(side: int = SIDE) -> Shapes:
    """Two neighbouring frames, the backward flow from the later to the earlier, where it holds."""
    return {
        "before": ((side, side, 3), "u1"),
        "now": ((side, side, 3), "u1"),
        "flow": ((side, side, 2), "f2"),
        "seen": ((side, side), "u1"),
    }


class MotionMaker:
    """Makes one motion pair per call, from clips given as lists of frames."""

    def __init__(self, clips: list[list[Picture]], rng: np.random.Generator, side: int = SIDE):
        self.clips = [clip for clip in clips if len(clip) > 1]
        self.rng, self.side = rng, side
        self.flow = FlowEstimator()

    def cut(self) -> tuple[Picture, Picture]:
        """The same square of two neighbours, scaled at random."""
        clip = self.clips[self.rng.integers(len(self.clips))]
        start = self.rng.integers(len(clip) - 1)
        height, width = clip[start].shape[:2]
        short = min(height, width)
        scale = self.rng.uniform(self.side, max(self.side, min(short, LARGEST)) + 1) / short
        size = max(self.side, round(width * scale)), max(self.side, round(height * scale))
        top = self.rng.integers(0, size[1] - self.side + 1)
        left = self.rng.integers(0, size[0] - self.side + 1)
        squares = [
            cv2.resize(frame, size, interpolation=cv2.INTER_AREA)[
                top : top + self.side, left : left + self.side
            ]
            for frame in clip[start : start + 2]
        ]
        return np.ascontiguousarray(squares[0]), np.ascontiguousarray(squares[1])

    def __call__(self) -> Row:
        for _ in range(TRIES):
            before, now = self.cut()
            change = np.abs(before.astype(np.float32) - now).mean()
            if before.std() < LEAST_SPREAD or change > MOST_CHANGE:
                continue
            grays = [self.flow.gray(picture) for picture in (before, now)]
            backward, forward = self.flow(grays[1], grays[0]), self.flow(grays[0], grays[1])
            seen = non_occluded(backward, forward)
            if seen.mean() >= LEAST_SEEN:
                return {"before": before, "now": now, "flow": backward, "seen": seen}
        from vst.errors import UsageError

        raise UsageError(
            "the clips show no motion to learn from: neighbouring frames differ too much or too "
            "little; give others with --clip, or none"
        )


def reading(rows: dict[str, Any]) -> dict[str, Any]:
    """A batch as the painter's loss takes it: ``corners`` (B,H,W,4), whole numbers into the
    flattened frame, and ``shares`` (B,H,W,4) of the four pixels around each flow's target.
    """
    found = [corners_of(flow.astype(np.float32)) for flow in rows["flow"]]
    return {
        "before": rows["before"],
        "now": rows["now"],
        "corners": np.stack([corners for corners, _ in found]),
        "shares": np.stack([shares for _, shares in found]),
        "seen": rows["seen"].astype(np.float32),
    }


def corners_of(flow: Flow) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear reading along a flow, as four places and their shares."""
    height, width = flow.shape[:2]
    where = places(flow)
    column = np.clip(where[..., 0], 0, width - 1)
    row = np.clip(where[..., 1], 0, height - 1)
    left = np.minimum(column.astype(np.int32), width - 2)
    top = np.minimum(row.astype(np.int32), height - 2)
    right_share, low_share = column - left, row - top
    corners, shares = [], []
    for down in (0, 1):
        for across in (0, 1):
            corners.append((top + down) * width + left + across)
            shares.append(
                (low_share if down else 1 - low_share)
                * (right_share if across else 1 - right_share)
            )
    return np.stack(corners, -1).astype(np.int32), np.stack(shares, -1).astype(np.float32)
