"""Distillation of the embedded model from a teacher: data, two networks, checkpoints, measures.

    Distillation(teacher, pictures, out, minutes=60).run(on_progress)

The ``out`` folder holds ``data/`` (pairs and labels), ``checkpoint/`` (to resume from),
``weights/`` (the best so far by validation, for the engine's ``model``),
``curves.json``, ``measures.json``, ``curves.png``, ``grid.png``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.types import OnProgress, ignore_progress
from vst.nets import weight_files
from vst.nets.embedded import Painter, PainterPlan, build_predictor
from vst.research.training import examples, figures, painter_student, picture_data
from vst.research.training.checkpoint_files import write_json
from vst.research.training.films import FilmSet
from vst.research.training.orthogonal import Orthogonal
from vst.research.training.part_run import TrainingPart, train_part
from vst.research.training.predictor_student import PredictorStudent
from vst.research.training.teacher import PAINTER_FILE, PREDICTOR_FILE, LiteGraph, Teacher
from vst.research.training.validation import measure_painter, measure_predictor

KERNEL_RATE = 3.75
"""Learning rate of the painter's kernels as a multiple of that of its other weights."""
MOTION_ARRAYS = ("now", "next", "flow_next", "mask_next")
"""The arrays of a motion sample that the painter uses."""


@dataclass(frozen=True)
class DistillationPlan:
    """The duration and the amount of data. ``minutes``: both trainings together, without the time
    for making the data.
    """

    minutes: float = 60.0
    pairs: int = 8000
    labels: int = 30000
    validation: int = 96
    side: int = 256
    batch: int = 8
    predictor_batch: int = 32
    predictor_share: float = 0.25
    base_share: float = 0.4
    """Share of the painter's time with `BASE_WEIGHTS`: pixels, edges, palette and hints."""
    painter_rate: float = 2e-3
    fine_rate: float = 8e-4
    predictor_rate: float = 1e-3
    memory: float = 0.99
    """Share of the running mean of the weights that is kept at every fourth step."""
    every: float = 60.0
    """Seconds between validations."""
    seed: int = 0


class Distillation:
    """One run in one folder; another run in the same folder resumes where the first stopped."""

    def __init__(
        self,
        teacher: Path,
        pictures: Path,
        out: Path,
        plan: DistillationPlan | None = None,
        painter_plan: PainterPlan | None = None,
        clips: tuple[Path, ...] = (),
    ):
        self.teacher_folder, self.pictures, self.out = teacher, pictures, out
        self.plan = plan or DistillationPlan()
        self.painter_plan = painter_plan or PainterPlan()
        self.clips = clips
        self.rng = np.random.default_rng(self.plan.seed)
        self.curves: dict[str, list[dict[str, float]]] = {}

    def run(self, on_progress: OnProgress = ignore_progress) -> dict[str, Any]:
        """Make missing data, train both networks, and return the measures that it wrote."""
        self.prepare(on_progress)
        self.train_predictor(on_progress)
        self.train_painter(on_progress)
        measures = {"plan": asdict(self.plan), "design": asdict(self.painter_plan)}
        measures |= {name: rows[-1] for name, rows in self.curves.items() if rows}
        write_json(self.out / "measures.json", measures)
        figures.draw_curves(self.curves, self.out / "curves.png")
        return measures

    def open_teacher(self) -> Any:
        """Open the teacher, which embeds and paints one picture."""
        return Teacher(self.teacher_folder)

    def open_graphs(self) -> tuple[Any, Any]:
        """Open the teacher's predictor (the judge) and painter (the hints) as float operations."""
        folder = self.teacher_folder
        return LiteGraph(folder / PREDICTOR_FILE), LiteGraph(folder / PAINTER_FILE)

    def prepare(self, on_progress: OnProgress) -> None:
        """Make the pairs and labels for training and for validation."""
        teacher = self.open_teacher()
        stores: dict[str, examples.ExampleStore] = {}
        clips = [picture_data.read_frames(clip) for clip in self.clips]
        for part in ("training", "validation"):
            pool = picture_data.PicturePool.read(self.pictures, part)
            if part == "training":
                pool.frames = [frame for clip in clips for frame in clip[::6]]
            check_pictures_found(pool, self.pictures, part)
            folder, whole = self.out / "data", part == "training"
            labels = examples.ExampleStore(
                folder / f"{part}-labels",
                self.plan.labels if whole else self.plan.validation,
                examples.LABEL_SHAPES,
            )
            labels.fill(examples.LabelMaker(pool, teacher, self.rng), f"{part} labels", on_progress)
            painted = examples.ExampleStore(
                folder / f"{part}-pairs",
                self.plan.pairs if whole else self.plan.validation,
                examples.build_pair_shapes(self.plan.side),
            )
            varied = labels.arrays["numbers"]
            maker = examples.PairMaker(pool, teacher, self.rng, self.plan.side, varied)
            painted.fill(maker, f"{part} pairs", on_progress)
            stores |= {f"{part}-labels": labels, f"{part}-pairs": painted}
        self.films = FilmSet.read(self.clips, self.plan.side) if self.clips else None
        self.stores = stores

    def train_predictor(self, on_progress: OnProgress) -> None:
        """Train the predictor on augmented pictures and on the teacher's paintings."""
        plan, network = self.plan, build_predictor()
        numbers = self.stores["training-labels"].arrays["numbers"]
        mean, spread = numbers.mean(0), numbers.std(0) + 1e-3
        network.get_layer("space").set_weights([mean, spread])
        judge, _ = self.open_graphs()
        model = PredictorStudent(network, judge, float(np.sqrt(np.square(spread).mean())))
        model.compile(Orthogonal(plan.predictor_rate))
        kept = self.stores["validation-labels"].first(plan.validation)

        def batch() -> tuple[Any, Any]:
            painted = max(1, plan.predictor_batch // 3)
            labels = self.stores["training-labels"].draw(self.rng, plan.predictor_batch - painted)
            rows = self.stores["training-pairs"].draw(self.rng, painted)
            squares = [picture_data.resize_square(picture) for picture in rows["painted"]]
            pictures = picture_data.augment_batch([*labels["picture"], *squares], self.rng)
            return pictures.astype(np.float32), np.zeros(len(pictures), np.float32)

        def measured(trained: Any) -> dict[str, float]:
            return measure_predictor(trained, kept["picture"], kept["numbers"])

        minutes = plan.minutes * plan.predictor_share
        part = TrainingPart(
            "predictor",
            model,
            network,
            batch,
            measured,
            minutes,
            plan.predictor_rate,
            plan.memory,
            plan.every,
        )
        self.train(part, on_progress)

    def train_painter(self, on_progress: OnProgress) -> None:
        """Train the painter: first on pixels and hints, then with the judge too."""
        plan, painter = self.plan, Painter(self.painter_plan)
        judge, hints = self.open_graphs()
        kept = self.stores["validation-pairs"].first(plan.validation)

        def batch() -> tuple[Any, Any]:
            rows = self.stores["training-pairs"].draw(self.rng, plan.batch)
            taken = {name: rows[name] for name in ("content", "numbers")}
            shift = self.rng.integers(0, painter_student.MAX_SHIFT + 1, (1, 2)).repeat(
                plan.batch, 0
            )
            wanted = {name: rows[name] for name in ("painted", "painted_numbers")}
            if self.films is not None:
                moment = self.films.draw(self.rng, plan.side)
                taken["motion"] = {name: getattr(moment, name)[None] for name in MOTION_ARRAYS}
            return {**taken, "shift": shift.astype(np.int32)}, wanted

        def measured(trained: Any) -> dict[str, float]:
            return measure_painter(trained, judge, kept)

        painter.set_space(self.stores["training-pairs"].arrays["numbers"])
        minutes = plan.minutes * (1 - plan.predictor_share)
        for name, terms, share, rate in (
            ("painter-base", painter_student.BASE_WEIGHTS, plan.base_share, plan.painter_rate),
            ("painter", painter_student.FINE_WEIGHTS, 1 - plan.base_share, plan.fine_rate),
        ):
            model = painter_student.PainterStudent(painter, judge, hints, terms)
            model.compile(Orthogonal(rate, KERNEL_RATE, sides=(3, 5), global_clipnorm=1.0))
            self.train(
                TrainingPart(
                    name,
                    model,
                    painter,
                    batch,
                    measured,
                    minutes * share,
                    rate,
                    plan.memory,
                    plan.every,
                ),
                on_progress,
            )
        best = Painter(self.painter_plan)
        weight_files.assign_arrays(best, weight_files.read_weights(self.out / "weights", "painter"))
        figures.draw_grid(best, kept, self.out / "grid.png")

    def train(self, part: TrainingPart, on_progress: OnProgress) -> None:
        """Train one network for its minutes, counted over all runs in this folder."""
        self.curves[part.name] = train_part(self.out, part, on_progress).rows
        write_json(self.out / "curves.json", self.curves)


def check_pictures_found(pool: picture_data.PicturePool, folder: Path, part: str) -> None:
    """Raise `MissingFileError` unless there are contents and styles."""
    from vst.errors import MissingFileError

    for kind, found in (("content", pool.photographs), ("style", pool.paintings)):
        if not found:
            raise MissingFileError(
                f"{folder / kind} has no pictures for {part}. Add JPEG or PNG files; the sha256 of "
                "a picture decides its part."
            )
