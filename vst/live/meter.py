"""Measures what a live run achieves: pictures a second, and their latency."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class LiveReport:
    """What a live run did. ``latency_*``: milliseconds from a frame's arrival to its display, at
    the first output; ``processor``: milliseconds of processor time for each painted frame, by all
    threads; ``outputs``: pictures shown, and p95, of each.
    """

    seconds: float
    arrived: int
    painted: int
    dropped: int
    frames_per_second: float
    latency_p50: float
    latency_p95: float
    processor: float
    size: tuple[int, int]
    outputs: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


class Meter:
    """Collects latencies, in seconds, by output; threads may share it."""

    def __init__(self) -> None:
        self.began, self._used = time.monotonic(), time.process_time()
        self._lock = threading.Lock()
        self._all: dict[str, list[float]] = defaultdict(list)
        self._recent: dict[str, list[float]] = defaultdict(list)
        self._last = self.began

    def add(self, output: str, latency: float) -> None:
        """Count a picture that was shown."""
        with self._lock:
            self._all[output].append(latency)
            self._recent[output].append(latency)

    def restart(self) -> None:
        """Measure from now on: the first frames wait for the engine."""
        with self._lock:
            self.began = self._last = time.monotonic()
            self._used = time.process_time()
            self._all.clear()
            self._recent.clear()

    def describe_recent(self, output: str) -> str:
        """Describe the time since the last call: rate and latency."""
        with self._lock:
            now = time.monotonic()
            found, seconds = self._recent.pop(output, []), now - self._last
            self._last = now
            self._recent.clear()
        p50, p95 = measure_percentiles(found)
        return f"{len(found) / seconds:.1f} fps, latency p50 {p50:.0f} ms, p95 {p95:.0f} ms"

    def summarize(self, output: str) -> tuple[float, float, float]:
        """Return rate, p50 and p95 (milliseconds) of one output since the start."""
        with self._lock:
            found = list(self._all[output])
        seconds = max(1e-6, time.monotonic() - self.began)
        return (round(len(found) / seconds, 2), *measure_percentiles(found))

    def measure_processor(self, painted: int) -> float:
        """Return the processor's milliseconds for each painted frame since the start."""
        return round(1000 * (time.process_time() - self._used) / max(1, painted), 1)

    def count(self, output: str) -> int:
        """Count the pictures that an output has shown."""
        return len(self._all[output])


def measure_percentiles(latencies: list[float]) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds; 0 for none."""
    if not latencies:
        return 0.0, 0.0
    p50, p95 = np.percentile(latencies, (50, 95)) * 1000
    return round(float(p50), 1), round(float(p95), 1)
