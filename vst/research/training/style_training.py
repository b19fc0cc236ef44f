"""The training loop of feed-forward networks in one style, with checkpoints, curves and pictures.

The ``out`` folder holds ``style.keras`` (the network), ``training.json`` (settings and curves),
``curves.png``, ``pictures.png`` (held-out pictures and their paintings), and ``checkpoint/``, from
which another run resumes.
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

from vst.core.types import OnProgress, Picture, Progress, ignore_progress
from vst.core.workers import ReadAhead
from vst.engines.options import OPTION_ALIASES
from vst.errors import AssetError, MissingFileError, OutputExistsError, UsageError
from vst.nets.backbones import open_backbone
from vst.nets.feedforward import FeedForward, save_network
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.plotting import Look, Scales, draw_curves, draw_sheet, save_picture
from vst.research.training.checkpoint_files import restore_variables, save_variables, write_json
from vst.research.training.learner import JITTER, Batch, StyleLearner, StyleTarget
from vst.research.training.style_plans import StylePlan

BATCHES_AHEAD = 4
CHANGEABLE = ("minutes", "steps", "every", "precision")
"""Settings that may differ in a resumed run."""
MAX_SHOWN = 6


class StyleTraining:
    """One run in one folder; another one with the same settings resumes from the checkpoint.

    A subclass draws the batches, each from the seed and the number of its step alone: a resumed
    training sees the same pictures as an uninterrupted one.
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
        """Draw the batch of one step, counted from 1."""
        raise NotImplementedError

    def held(self) -> Iterator[Batch]:
        """Yield the held-out batches, of one picture or sample each, always the same."""
        raise NotImplementedError

    def random(self, step: int) -> np.random.Generator:
        """Return the random generator of one step."""
        return np.random.default_rng((self.plan.seed, step))

    @staticmethod
    def shift(rng: np.random.Generator, batch: int) -> np.ndarray:
        """Draw the shift of the backbone's input: one for the batch, repeated for each member."""
        return rng.integers(0, JITTER, (1, 2), dtype=np.int32).repeat(batch, 0)

    def run(self, on_progress: OnProgress = ignore_progress) -> dict[str, Any]:
        """Train until the plan's end; returns the record that ``training.json`` holds."""
        self.prepare()
        on_progress(Progress("train", self.steps))
        steps = (self.batch(step) for step in count(self.steps + 1))
        with ReadAhead(steps, BATCHES_AHEAD) as batches:
            began = last = time.monotonic()
            first = True
            for batch in batches:
                if self.part_done() >= 1:
                    break
                self.step(batch)
                now = time.monotonic()
                # The first step traces and compiles for up to a minute: it is not counted.
                self.spent, began = self.spent + (0 if first else now - began), now
                first = False
                on_progress(self.progress())
                if now - last > self.plan.every:
                    self.save()
                    last = time.monotonic()
        if not self.rows or self.rows[-1]["steps"] != self.steps:
            self.save()
        return self.record()

    def part_done(self) -> float:
        return self.plan.part_done(self.steps, self.spent)

    def progress(self) -> Progress:
        """Return the progress; the total assumes that steps take as long as those so far."""
        total = max(self.steps, round(self.steps / max(1e-6, self.part_done())))
        detail = self.rows[-1] if self.rows else {}
        return Progress("train", self.steps, total, self.spent, detail)

    def prepare(self) -> None:
        """Build the networks, and restore the checkpoint if there is one."""
        keras.utils.set_random_seed(self.plan.seed)
        plan = self.plan
        kind = {"adam": keras.optimizers.Adam, "adamax": keras.optimizers.Adamax}
        optimizer = kind[plan.optimizer](plan.rate)
        if resolve_precision(plan.precision) == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        self.learner = self.open_learner()
        # On a CPU, compiling takes longer than it saves.
        self.learner.compile(optimizer, jit_compile=has_gpu())
        optimizer.build(self.learner.trainable_variables)
        if self.checkpoint.is_file():
            self.restore()
        else:
            self.begin()

    def open_learner(self) -> StyleLearner:
        """Build the network and the losses that judge it."""
        plan = self.plan
        network = FeedForward(self.network_plan, dtype=resolve_precision(plan.precision))
        backbone = open_backbone(plan.backbone, plan.backbone_weights)
        target = StyleTarget(backbone, self.style, (plan.style_size or plan.side) + JITTER)
        return self.learner_kind(network, backbone, target, plan.weights)

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint" / "state.npz"

    def begin(self) -> None:
        """Start a training, with a first row of curves for the untrained network."""
        if (self.out / "style.keras").exists():
            raise OutputExistsError(
                f"{str(self.out)!r} holds a trained network. Give another folder."
            )
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        save_picture(self.checkpoint.with_name("style.png"), self.style)
        self.save()

    def restore(self) -> None:
        """Restore the checkpoint, if it has the same settings."""
        settings, ours = load_settings(self.out, self.kind, {}), asdict(self.plan)
        same = {name: settings.plan[name] for name in ours if name not in CHANGEABLE}
        if (
            settings.network_plan != self.network_plan
            or not np.array_equal(settings.style, self.style)
            or same != {name: ours[name] for name in same}
        ):
            raise OutputExistsError(
                f"{str(self.out)!r} holds a training with other settings. Give another folder, or "
                f"resume with its settings: --resume {self.out}"
            )
        more = restore_variables(self.checkpoint, self._variables())
        self.steps, self.spent = int(more["steps"]), float(more["spent"])
        rows = read_record(self.out)["curves"]
        self.rows = [row for row in rows if row["steps"] <= self.steps]

    def _variables(self) -> list[Any]:
        return [*self.learner.network.variables, *self.learner.optimizer.variables]

    def step(self, batch: Batch) -> None:
        """Train on one batch."""
        self.learner.optimizer.learning_rate = self.plan.rate_at(self.part_done())
        self.learner.train_on_batch(batch)
        self.steps += 1

    def save(self) -> None:
        """Validate, and write the checkpoint, the network, the curves and the pictures."""
        row: dict[str, float] = {"steps": self.steps, "seconds": round(self.spent, 2)}
        if self.steps:
            row |= {name: float(mean.result()) for name, mean in self.learner.found.items()}
        self.learner.reset_metrics()
        held, pictures = self.validate()
        self.rows.append(row | {f"held {name}": value for name, value in held.items()})
        more = {"steps": np.int64(self.steps), "spent": np.float64(self.spent)}
        save_variables(self.checkpoint, self._variables(), more)
        about = {"kind": self.kind, **self.about, "steps": self.steps, "held": held}
        save_network(self.out / "style.keras", self.learner.network, about)
        write_json(self.out / "training.json", self.record())
        save_picture(self.out / "curves.png", draw_losses(self.rows, self.plan.weights))
        save_picture(self.out / "pictures.png", pictures)

    def validate(self) -> tuple[dict[str, float], Picture]:
        """Return the unweighted held-out losses, and a sheet of held-out paintings."""
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
        """Return the content of ``training.json``: the settings and the curves."""
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
    """The settings that a training was started with."""

    style: Picture
    plan: dict[str, Any]
    network_plan: FeedForwardPlan
    about: dict[str, Any]


def load_settings(folder: Path, kind: str, changed: dict[str, Any]) -> TrainingSettings:
    """Load the settings of the training in a folder, with the ``changed`` fields of its plan."""
    record = read_record(folder)
    if record["kind"] != kind:
        raise UsageError(
            f"{str(folder)!r} holds a training of kind {record['kind']!r}. Resume it with "
            f"`vst train {record['kind']} --resume`."
        )
    path = folder / "checkpoint" / "style.png"
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise MissingFileError(f"{str(path)!r} does not exist. Start again in another folder.")
    plan = {
        OPTION_ALIASES.get(name, name): tuple(value) if isinstance(value, list) else value
        for name, value in (record["plan"] | changed).items()
    }
    network_plan = FeedForwardPlan(**record["network"])
    return TrainingSettings(
        np.ascontiguousarray(picture[:, :, ::-1]), plan, network_plan, record["about"]
    )


def read_record(folder: Path) -> dict[str, Any]:
    """Read the ``training.json`` of a training."""
    path = folder / "training.json"
    if not path.is_file():
        raise MissingFileError(
            f"{str(folder)!r} does not hold a training: it has no training.json. Start one there "
            "with --out"
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if {"kind", "plan", "network", "curves"} <= set(found):
            return dict(found)
        raise ValueError("it holds no training")
    except (OSError, ValueError) as error:
        raise AssetError(
            f"{str(folder)!r} does not hold a training ({error}). Start one there with --out."
        ) from error


def draw_losses(rows: list[dict[str, float]], weights: dict[str, float]) -> Picture:
    """Draw every loss times its weight over the steps, in training and held out."""
    series = {}
    for name in [name for name, weight in weights.items() if weight]:
        for key, label in ((name, name), (f"held {name}", f"{name}, held out")):
            points = [(row["steps"], weights[name] * row[key]) for row in rows if key in row]
            if points:
                series[label] = points
    return draw_curves(series, Look("Losses times their weights"), Scales("steps", log=True))


def has_gpu() -> bool:
    """Whether Keras computes on a GPU."""
    return any("gpu" in str(device).lower() for device in keras.distribution.list_devices())


def resolve_precision(wanted: str) -> str:
    """Return the name of Keras's dtype policy; ``auto``: 16 bits on a GPU that supports them."""
    if wanted != "auto" or not has_gpu():
        return "float32" if wanted == "auto" else wanted
    if keras.backend.backend() != "tensorflow":
        return "mixed_bfloat16"
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    major = details.get("compute_capability", (0, 0))[0]
    # bfloat16 from Ampere on, float16 on Volta and Turing; older GPUs gain nothing.
    return "mixed_bfloat16" if major >= 8 else "mixed_float16" if major == 7 else "float32"
