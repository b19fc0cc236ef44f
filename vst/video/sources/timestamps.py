"""Times that cannot be meant: one frame said to be hours from its neighbours, by a flipped bit or a
clock that was set. Taken as it is, it would make hours of video of seconds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TypeVar

Item = TypeVar("Item")

JUMP = 10.0
"""Seconds beyond both its neighbours at which a time is not believed. A picture may stand for
minutes: then the next one comes later still.
"""


def is_outlier(before: float, at: float, after: float, jump: float = JUMP) -> bool:
    """Whether a time lies further than ``jump`` beyond both neighbours, on one side of them.

    >>> strays(1.0, 9000.0, 1.2), strays(1.0, 9000.0, 9000.2)
    (True, False)
    """
    left, right = at - before, at - after
    return left * right > 0 and min(abs(left), abs(right)) > jump


def repair_times(
    items: Generator[tuple[float, Item], None, None],
) -> Generator[tuple[float, Item], None, None]:
    """Items with their times in seconds, one held back; a time that strays is set midway between
    its neighbours.
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
    """The same for whole numbers of ticks, ``jump`` too."""
    found = list(times)
    for place in range(1, len(found) - 1):
        before, at, after = found[place - 1 : place + 2]
        if is_outlier(before, at, after, jump):
            found[place] = (before + after) // 2
    return found
