"""What trainings of feed-forward networks share: the plan, the losses of one style, and a run with
its checkpoints, curves and pictures.

Everything lies in the ``out`` folder: ``style.keras`` (the network), ``training.json`` (settings
and curves), ``curves.png``, ``pictures.png`` (held-out pictures and their paintings), and in
``checkpoint/`` what is needed to go on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import cv2
import keras
import numpy as np
from keras import ops

from vst.core.types import OnProgress, Picture, Progress, silent
from vst.core.workers import Ahead
from vst.errors import AssetError, MissingFileError, OutputExistsError, UsageError
from vst.nets.backbones import open_backbone
from vst.nets.feedforward import FeedForward, save_network
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.plotting import draw_curves, draw_sheet, save_picture
from vst.research.training.checkpoint_files import restore_variables, save_variables, write_json
from vst.research.training.learner import JITTER, Batch, StyleLearner, StyleTarget
from vst.research.training.style_plans import StylePlan

BATCHES_AHEAD = 4
CHANGEABLE = ("minutes", "steps", "every", "precision")
"""Settings that another run in the same folder may have."""
MAX_SHOWN = 6


class StyleTraining:
    """One run in one folder; a second one with the same settings goes on from the checkpoint.

    A subclass gives the batches: each is drawn from the seed and the number of its step alone, so
    that a training that was broken off goes on with the pictures that it would have seen.
    """

    kind: ClassVar[str] = ""
    learner_kind: ClassVar[type[StyleLearner]] = StyleLearner

    def __init__(
        self,
        style: Picture,
        out: Path,
        plan: StylePlan,
        network_plan: FeedForwardPlan | None = None,
        about: dict[str, Any] | None = None,
    ):
        self.style, self.out, self.plan = style, out, plan
        self.network_plan, self.about = network_plan or FeedForwardPlan(), dict(about or {})
        self.steps, self.spent = 0, 0.0
        self.rows: list[dict[str, float]] = []

    def batch(self, step: int) -> Batch:
        """The batch of one step, counted from 1."""
        raise NotImplementedError

    def held(self) -> Iterator[Batch]:
        """Batches of what is held out, of one picture or moment each, always the same."""
        raise NotImplementedError

    def random(self, step: int) -> np.random.Generator:
        """Chance for one step."""
        return np.random.default_rng((self.plan.seed, step))

    @staticmethod
    def shift(rng: np.random.Generator, batch: int) -> np.ndarray:
        """Where the judge looks: the same for the whole batch, once for each of its members."""
        return rng.integers(0, JITTER, (1, 2), dtype=np.int32).repeat(batch, 0)

    def run(self, on_progress: OnProgress = silent) -> dict[str, Any]:
        """Trains until the plan's end; returns what ``training.json`` says."""
        self.prepare()
        on_progress(Progress("train", self.steps))
        steps = (self.batch(step) for step in count(self.steps + 1))
        with Ahead(steps, BATCHES_AHEAD) as batches:
            began = last = time.monotonic()
            first = True
            for batch in batches:
                if self.part_done() >= 1:
                    break
                self.step(batch)
                now = time.monotonic()
                # The first step traces and compiles, which may take a minute: it is not counted.
                self.spent, began = self.spent + (0 if first else now - began), now
                first = False
                on_progress(self.progress())
                if now - last > self.plan.every:
                    self.keep()
                    last = time.monotonic()
        if not self.rows or self.rows[-1]["steps"] != self.steps:
            self.keep()
        return self.record()

    def part_done(self) -> float:
        return self.plan.part_done(self.steps, self.spent)

    def progress(self) -> Progress:
        """Steps of as many as there will be, if all take as long as those so far."""
        total = max(self.steps, round(self.steps / max(1e-6, self.part_done())))
        detail = self.rows[-1] if self.rows else {}
        return Progress("train", self.steps, total, self.spent, detail)

    def prepare(self) -> None:
        """Builds the networks, and takes up the checkpoint if it goes on."""
        keras.utils.set_random_seed(self.plan.seed)
        plan = self.plan
        kind = {"adam": keras.optimizers.Adam, "adamax": keras.optimizers.Adamax}
        optimiser = kind[plan.optimizer](plan.rate)
        if resolve_precision(plan.precision) == "mixed_float16":
            optimiser = keras.optimizers.LossScaleOptimizer(optimiser)
        self.learner = self.open_learner()
        # Compiling for a processor takes longer than it saves; for a GPU it pays.
        self.learner.compile(optimiser, jit_compile=has_gpu())
        optimiser.build(self.learner.trainable_variables)
        if self.checkpoint.is_file():
            self.restore()
        else:
            self.begin()

    def open_learner(self) -> StyleLearner:
        """The network to be trained, and what judges it."""
        plan = self.plan
        network = FeedForward(self.network_plan, dtype=resolve_precision(plan.precision))
        backbone = open_backbone(plan.backbone, plan.backbone_weights)
        target = StyleTarget(backbone, self.style, (plan.style_size or plan.side) + JITTER)
        return self.learner_kind(network, backbone, target, plan.weights)

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint" / "state.npz"

    def begin(self) -> None:
        """The first row: the network before any step."""
        if (self.out / "style.keras").exists():
            raise OutputExistsError(
                f"{str(self.out)!r} holds a trained network; give --out another folder"
            )
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        save_picture(self.checkpoint.with_name("style.png"), self.style)
        self.keep()

    def restore(self) -> None:
        """Goes on, if the settings are those that the folder's training was begun with."""
        settings, ours = load_settings(self.out, self.kind, {}), asdict(self.plan)
        same = {name: settings.plan[name] for name in ours if name not in CHANGEABLE}
        if (
            settings.network_plan != self.network_plan
            or not np.array_equal(settings.style, self.style)
            or same != {name: ours[name] for name in same}
        ):
            raise OutputExistsError(
                f"{str(self.out)!r} holds a training with other settings; give --out another "
                f"folder, or go on with theirs: --resume {self.out}"
            )
        more = restore_variables(self.checkpoint, self._variables())
        self.steps, self.spent = int(more["steps"]), float(more["spent"])
        rows = read_record(self.out)["curves"]
        self.rows = [row for row in rows if row["steps"] <= self.steps]

    def _variables(self) -> list[Any]:
        return [*self.learner.network.variables, *self.learner.optimizer.variables]

    def step(self, batch: Batch) -> None:
        """One batch."""
        self.learner.optimizer.learning_rate = self.plan.rate_at(self.part_done())
        self.learner.train_on_batch(batch)
        self.steps += 1

    def keep(self) -> None:
        """Measures, and writes the checkpoint, the network, the curves and the pictures."""
        row: dict[str, float] = {"steps": self.steps, "seconds": round(self.spent, 2)}
        if self.steps:
            row |= {name: float(mean.result()) for name, mean in self.learner.found.items()}
        self.learner.reset_metrics()
        held, pictures = self.measured()
        self.rows.append(row | {f"held {name}": value for name, value in held.items()})
        more = {"steps": np.int64(self.steps), "spent": np.float64(self.spent)}
        save_variables(self.checkpoint, self._variables(), more)
        about = {"kind": self.kind, **self.about, "steps": self.steps, "held": held}
        save_network(self.out / "style.keras", self.learner.network, about)
        write_json(self.out / "training.json", self.record())
        save_picture(self.out / "curves.png", draw_losses(self.rows, self.plan.weights))
        save_picture(self.out / "pictures.png", pictures)

    def measured(self) -> tuple[dict[str, float], Picture]:
        """The losses on what is held out, unweighted, and a sheet of some of it, painted."""
        found: list[dict[str, float]] = []
        shown: list[tuple[Picture, Picture]] = []
        for batch in self.held():
            paintings = self.learner(batch)
            values = self.learner.compute_losses(batch, paintings)
            found.append({name: float(value) for name, value in values.items()})
            if len(shown) < MAX_SHOWN:
                key = self.learner.painted_keys[0]
                painting = np.rint(255 * ops.convert_to_numpy(paintings[key][0]))
                shown.append((np.asarray(batch[key][0]), painting.astype(np.uint8)))
        means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        return means, draw_sheet([[pair[0] for pair in shown], [pair[1] for pair in shown]])

    def record(self) -> dict[str, Any]:
        """What ``training.json`` says: all that a run needs to go on, and the curves."""
        return {
            "kind": self.kind,
            "about": self.about,
            "plan": asdict(self.plan),
            "network": asdict(self.network_plan),
            "keras": f"{keras.__version__}, {keras.backend.backend()}",
            "steps": self.steps,
            "seconds": round(self.spent, 2),
            "curves": self.rows,
        }


@dataclass(frozen=True)
class TrainingSettings:
    """What a begun training was started with."""

    style: Picture
    plan: dict[str, Any]
    network_plan: FeedForwardPlan
    about: dict[str, Any]


def load_settings(folder: Path, kind: str, changed: dict[str, Any]) -> TrainingSettings:
    """The settings of the training in a folder, with what was ``changed`` of its plan."""
    record = read_record(folder)
    if record["kind"] != kind:
        raise UsageError(
            f"{str(folder)!r} holds a training of kind {record['kind']!r}; go on with "
            f"`vst train {record['kind']} --resume`"
        )
    path = folder / "checkpoint" / "style.png"
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise MissingFileError(f"{str(path)!r} is not there; start anew in another folder")
    plan = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (record["plan"] | changed).items()
    }
    network_plan = FeedForwardPlan(**record["network"])
    return TrainingSettings(
        np.ascontiguousarray(picture[:, :, ::-1]), plan, network_plan, record["about"]
    )


def read_record(folder: Path) -> dict[str, Any]:
    """``training.json`` of a begun training."""
    path = folder / "training.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if {"kind", "plan", "network", "curves"} <= set(found):
            return dict(found)
        raise ValueError("it holds no training")
    except (OSError, ValueError) as error:
        raise AssetError(
            f"{str(folder)!r} holds no begun training ({error}); start one with --out"
        ) from error


def draw_losses(rows: list[dict[str, float]], weights: dict[str, float]) -> Picture:
    """Every loss times its weight over the steps, in training and, dotted by its name, held out."""
    series = {}
    for name in [name for name, weight in weights.items() if weight]:
        for key, label in ((name, name), (f"held {name}", f"{name}, held out")):
            points = [(row["steps"], weights[name] * row[key]) for row in rows if key in row]
            if points:
                series[label] = points
    return draw_curves(series, title="Losses times their weights", x_label="steps", log=True)


def has_gpu() -> bool:
    """Whether Keras computes on a GPU here."""
    return any("gpu" in str(device).lower() for device in keras.distribution.list_devices())


def resolve_precision(wanted: str) -> str:
    """The name of Keras's policy: for ``auto``, half precision on a GPU that computes with it."""
    if wanted != "auto" or not has_gpu():
        return "float32" if wanted == "auto" else wanted
    if keras.backend.backend() != "tensorflow":
        return "mixed_bfloat16"
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    major = details.get("compute_capability", (0, 0))[0]
    # bfloat16 from Ampere on, float16 on Volta and Turing, nothing to gain on older ones.
    return "mixed_bfloat16" if major >= 8 else "mixed_float16" if major == 7 else "float32"
