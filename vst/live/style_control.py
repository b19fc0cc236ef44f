"""Which style is painted now: chosen by a score, a key or a message, and reached in a glide."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from vst.errors import UsageError
from vst.schedule.easing import get_ease
from vst.schedule.interpolation import combine_weights
from vst.schedule.timeline import Mix, Timeline


@dataclass
class StyleControl:
    """The mix of the moment, from several threads.

    ``names``: the styles, in the order of keys 1 to 9. ``base``: what all mixes have in common.
    ``glide``: seconds from one style to the next. ``timeline``: a score on the clock, followed
    until somebody chooses a style.
    """

    names: Sequence[str]
    base: Mix
    glide: float = 1.0
    timeline: Timeline | None = None
    clock: Callable[[], float] = time.monotonic
    chosen: int = 0
    _from: dict[str, float] = field(default_factory=dict)
    _since: float | None = None
    _began: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._began = self.clock()

    def mix(self) -> Mix:
        """Return the mix to paint now."""
        with self._lock:
            return self._mix_at(self.clock())

    def choose(self, number: int) -> None:
        """Glide to style ``number``, from 1. Raises `UsageError` where there is none."""
        if not 1 <= number <= len(self.names):
            raise UsageError(f"style {number} is out of range. Give 1 to {len(self.names)}")
        with self._lock:
            now = self.clock()
            self._from = dict(self._mix_at(now).weights)
            self.timeline = None
            self._since, self.chosen = now, number - 1

    def step(self, steps: int) -> None:
        """Glide to the style so many places on; after the last comes the first."""
        self.choose((self.chosen + steps) % len(self.names) + 1)

    def set_strength(self, strength: float) -> None:
        """Set the strength, 0 to 1."""
        if not 0 <= strength <= 1:
            raise UsageError(f"strength {strength:g} is out of range. Give 0 to 1")
        with self._lock:
            self.base = replace(self.base, strength=strength)

    def set_glide(self, seconds: float) -> None:
        """Set the seconds of the glides that follow."""
        if not 0 <= seconds <= 3600:
            raise UsageError(f"glide {seconds:g} is out of range. Give 0 to 3600 seconds")
        with self._lock:
            self.glide = seconds

    def obey(self, command: str, value: str | float | None = None) -> None:
        """Carry out a message: ``style`` with a number or name, ``next``, ``previous``, ``glide``
        or ``strength`` with a number. Raises `UsageError`.
        """
        if command in ("next", "previous"):
            self.step(1 if command == "next" else -1)
        elif command == "style" and str(value) in self.names:
            self.choose(list(self.names).index(str(value)) + 1)
        elif command in ("style", "glide", "strength"):
            try:
                number = float(str(value))
                whole = int(number)
            except (ValueError, OverflowError):
                known = ", ".join(self.names)
                raise UsageError(
                    f"{command} {value!r} is not known. Give a number, or of {known}"
                ) from None
            if command == "style":
                self.choose(whole)
            elif command == "glide":
                self.set_glide(number)
            else:
                self.set_strength(number)
        else:
            raise UsageError(
                f"message {command!r} is not known. Give style, next, previous, glide or strength"
            )

    def _mix_at(self, now: float) -> Mix:
        if self.timeline is not None:
            seconds = now - self._began
            if self.timeline.loop:
                seconds %= max(1e-3, self.timeline.keys[-1].time)
            return self.timeline.at(seconds)
        aim = {self.names[self.chosen]: 1.0}
        part = 1.0
        if self._since is not None and self.glide > 0:
            part = min(1.0, (now - self._since) / self.glide)
        if part >= 1 or not self._from:
            return replace(self.base, weights=aim)
        part = get_ease("smooth")(part)
        return replace(self.base, weights=combine_weights([(1 - part, self._from), (part, aim)]))


KEYS = {"space": ("next", None), "right": ("next", None), "left": ("previous", None)}
"""Key of a window -> its message; the digits are styles."""


def press_key(control: StyleControl, name: str) -> None:
    """Carry out a key by its name; keys without a meaning, and digits beyond the styles, do
    nothing.
    """
    if name in KEYS:
        control.obey(*KEYS[name])
    elif name.isdigit() and 1 <= int(name) <= len(control.names):
        control.choose(int(name))
