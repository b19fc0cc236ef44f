"""Repair implausible timestamps: a flipped bit or a clock change can put one frame hours away from
its neighbors, and would turn seconds of video into hours.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TypeVar

Item = TypeVar("Item")

JUMP = 10.0
"""Seconds beyond both neighbors from which a timestamp is an outlier. A frame may legitimately
stand for minutes, but then the next one comes later still.
"""


def is_outlier(before: float, at: float, after: float, jump: float = JUMP) -> bool:
    """Return whether a time lies more than ``jump`` beyond both neighbors, on the same side.

    >>> is_outlier(1.0, 9000.0, 1.2), is_outlier(1.0, 9000.0, 9000.2)
    (True, False)
    """
    left, right = at - before, at - after
    return left * right > 0 and min(abs(left), abs(right)) > jump


def repair_times(
    items: Generator[tuple[float, Item], None, None],
) -> Generator[tuple[float, Item], None, None]:
    """Yield items with their times in seconds, one item delayed; an outlier moves midway between
    its neighbors.
    """
    before: float | None = None
    held: tuple[float, Item] | None = None
    with contextlib.closing(items):
        for time, item in items:
            if held is not None:
                if before is not None and is_outlier(before, held[0], time):
                    held = ((before + time) / 2, held[1])
                yield held
                before = held[0]
            held = time, item
        if held is not None:
            yield held


def repair_ticks(times: list[int], jump: int) -> list[int]:
    """Repair times in whole ticks; ``jump`` is in ticks too."""
    found = list(times)
    for index in range(1, len(found) - 1):
        before, at, after = found[index - 1 : index + 2]
        if is_outlier(before, at, after, jump):
            found[index] = (before + after) // 2
    return found
