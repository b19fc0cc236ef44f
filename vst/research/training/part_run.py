"""One training of one network: steps, the running mean of its weights, validation, checkpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vst.core.types import OnProgress, Progress
from vst.nets import weight_files
from vst.research.training.checkpoint_files import restore_variables, save_variables, write_json
from vst.research.training.validation import score_weights


@dataclass
class TrainingPart:
    """One training: ``model`` takes the batches, ``network`` is the part of it that is saved."""

    name: str
    model: keras.Model
    network: keras.Model
    batch: Callable[[], tuple[Any, Any]]
    measured: Callable[[Any], dict[str, float]]
    minutes: float
    rate: float
    memory: float
    """Share of the running mean of the weights that is kept at every fourth step."""
    every: float
    """Seconds between validations."""


def train_part(out: Path, part: TrainingPart, on_progress: OnProgress) -> PartRun:
    """Train one network for its minutes, counted over all runs in the folder ``out``."""
    run = PartRun(out, part)
    run.restore()
    last = time.monotonic()
    # The first step traces and compiles for up to a minute: it is not counted.
    compiled = False
    while run.spent < part.minutes * 60:
        started = time.monotonic()
        run.step()
        if compiled:
            run.spent += time.monotonic() - started
        compiled = True
        if time.monotonic() - last > part.every or run.spent >= part.minutes * 60:
            run.validate()
            last = time.monotonic()
            seconds = int(part.minutes * 60)
            on_progress(Progress(part.name, int(run.spent), seconds, run.spent, run.rows[-1]))
    return run


class PartRun:
    """The state of one training: steps, seconds, running mean of the weights, best score."""

    def __init__(self, out: Path, part: TrainingPart):
        self.out, self.part = out, part
        self.folder = out / "checkpoint" / part.name
        self.steps, self.spent, self.best = 0, 0.0, float("inf")
        self.rows: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.mean = part.network.get_weights()

    def step(self) -> None:
        """Train on one batch; the rate warms up, then follows a cosine over the minutes."""
        share = min(1.0, self.spent / (self.part.minutes * 60))
        warm = min(1.0, (self.steps + 1) / 150)
        rate = self.part.rate * warm * (0.49 * (1 + np.cos(np.pi * share)) + 0.02)
        self.part.model.optimizer.learning_rate = rate
        self.losses.append(float(np.ravel(self.part.model.train_on_batch(*self.part.batch()))[0]))
        self.steps += 1
        if self.steps % 4 == 0:
            # Weights change fast at first, so the mean starts with a short memory.
            stays = min(self.part.memory, 1 - 4 / (self.steps + 8))
            now = self.part.network.get_weights()
            self.mean = [stays * a + (1 - stays) * b for a, b in zip(self.mean, now)]

    def validate(self) -> None:
        """Measure the mean weights, save them if they are the best, and write the checkpoint."""
        now = self.part.network.get_weights()
        self.part.network.set_weights(self.mean)
        measures = self.part.measured(self.part.network)
        loss = float(np.mean(self.losses)) if self.losses else float("nan")
        self.losses = []
        row = {"steps": self.steps, "seconds": round(self.spent, 1), "loss": loss, **measures}
        self.rows.append(row)
        if score_weights(measures) < self.best:
            self.best = score_weights(measures)
            kind = self.part.name.split("-")[0]
            about = {"steps": self.steps, "validation": measures}
            arrays = weight_files.export_arrays(self.part.network)
            weight_files.write_weights(self.out / "weights", kind, arrays, about)
        self.part.network.set_weights(now)
        self.save()

    def save(self) -> None:
        """Write the checkpoint: all variables, the optimizer's too, and the counters."""
        mean = {f"m{i}": value for i, value in enumerate(self.mean)}
        save_variables(self.folder / "state.npz", self._variables(), mean)
        state = {"steps": self.steps, "spent": self.spent, "best": self.best, "rows": self.rows}
        write_json(self.folder / "state.json", state)

    def restore(self) -> None:
        """Restore the checkpoint, if there is one."""
        path = self.folder / "state.json"
        if not path.is_file():
            return
        state = json.loads(path.read_text(encoding="utf-8"))
        self.steps, self.spent = state["steps"], state["spent"]
        self.best, self.rows = state["best"], state["rows"]
        more = restore_variables(self.folder / "state.npz", self._variables())
        self.mean = [more[f"m{index}"] for index in range(len(self.mean))]

    def _variables(self) -> list[Any]:
        optimizer = self.part.model.optimizer
        if not optimizer.built:
            optimizer.build(self.part.model.trainable_variables)
        return [*self.part.model.variables, *optimizer.variables]
