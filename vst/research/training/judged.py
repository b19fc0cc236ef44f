"""One run of a judged training: data, steps, checkpoints and measures in one folder.

    JudgedTraining(Sources(teacher, judge, pictures), out).run(on_progress)

The ``out`` folder holds ``data/``, ``checkpoint/`` (to resume from), ``weights/`` (the best so far
by validation, for the engine's ``model``), and ``curves.png``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.data_folder import WEIGHTS
from vst.core.types import OnProgress, Picture, ignore_progress
from vst.engines.embedded import EmbeddedEngine
from vst.imaging.optical_flow import find_inside
from vst.nets import judges, weight_files
from vst.nets.backbones import open_backbone
from vst.nets.embedded import Painter, PainterPlan
from vst.research.training import correction, figures, films, judged_styles, picture_data
from vst.research.training.distillation import (
    KERNEL_RATE,
    MOTION_ARRAYS,
    check_pictures_found,
)
from vst.research.training.examination import Examination
from vst.research.training.examples import MAX_TRIES, MIN_SPREAD, ExampleStore, Row, Shapes
from vst.research.training.judged_painter import JudgedStudent, JudgedWeights
from vst.research.training.orthogonal import Orthogonal
from vst.research.training.part_run import TrainingPart, train_part
from vst.research.training.teacher import PREDICTOR_FILE, LiteGraph, Teacher
from vst.research.training.validation import score_weights
from vst.research.training.widening import widen
from vst.samples.motion.clips import KINDS, ClipRecipe, draw_clip, find_photographs

DRAWN_SHARE = 0.7
"""Share of the motion samples that are drawn; the others are of the clips, if there are any."""
DRAWN_FRAMES = 4
"""Frames of a drawn clip; its last but one is the sample."""
CLOSE_SHARE, CLOSE_ZOOM = 0.15, 4.0
OWN_SHARE = 0.6
"""Share of the embeddings that are by our own predictor; the others are the teacher's."""
READINGS_BY_STYLE = 2
"""How often it is measured what the painter misses, by the number of styles."""
SPREAD = 0.2
"""Standard deviation of the noise on embeddings, in the painter's own basis, where that of styles
is about 1: it keeps single styles from being learned by heart.
"""
STYLE_MAPS = ("_scale", "_shift")
"""How the names end of the weights that turn an embedding into scales and shifts: they learn at a
slower rate, for fifty paintings say little about the embeddings between them.
"""
FIRST_HELD_OUT = 500
"""Seeds of drawn clips from here on are for tests."""
OF_THE_FILE = ("file", "sha256", "bytes")
"""Values of a part in an index that belong to its file."""


SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the way from the start to the trained weights that are compared."""
FINE_PLAN = PainterPlan(channels=64, blocks=6, phases=32, fine=48)
"""The sizes of the painter ``fine``: about three times the multiply-adds of ``fast``."""


@dataclass(frozen=True)
class Sources:
    """What a judged training learns from: the folder of Magenta's TFLite pair, the one of VGG16 and
    AlexNet, the one of pictures, and clips; ``start``: the weights that it begins with.
    """

    teacher: Path
    judge: Path
    pictures: Path
    clips: tuple[Path, ...] = ()
    start: Path = WEIGHTS


@dataclass(frozen=True)
class JudgedPlan:
    """The duration and the sizes. ``styles``, ``motions``: how many are made; ``side``: of contents
    and motions, in pixels; ``every``: seconds between validations.
    """

    minutes: float = 120.0
    styles: int = 3000
    motions: int = 400
    side: int = 160
    batch: int = 4
    rate: float = 7e-4
    memory: float = 0.985
    every: float = 600.0
    seed: int = 0
    terms: JudgedWeights = field(default_factory=JudgedWeights)


class JudgedTraining:
    """Trains the painter of a folder of weights on, or one of ``painter_plan`` that begins as it
    does.
    """

    def __init__(
        self,
        sources: Sources,
        out: Path,
        plan: JudgedPlan | None = None,
        painter_plan: PainterPlan | None = None,
    ):
        self.sources, self.out = sources, out
        self.plan = plan or JudgedPlan()
        self.painter_plan = painter_plan
        self.rng = np.random.default_rng(self.plan.seed)

    def run(self, on_progress: OnProgress = ignore_progress) -> dict[str, float]:
        """Make missing data, train, and return the last measures."""
        self.prepare(on_progress)
        self.open_start(on_progress)
        self.add_predictor()
        plan, sources = self.plan, self.sources
        graph = self.open_teacher_graph()
        model = JudgedStudent(self.painter, self.vgg, graph, plan.terms)
        model.compile(
            Orthogonal(plan.rate, KERNEL_RATE, sides=(3, 5), slow=STYLE_MAPS, global_clipnorm=1.0)
        )
        judge = judges.open_judge(sources.judge)
        exam = Examination(judge, self.teacher, self.engine, self.pool("validation"))
        part = TrainingPart(
            "painter",
            model,
            self.painter,
            self.batch,
            exam.measure,
            plan.minutes,
            plan.rate,
            plan.memory,
            plan.every,
        )
        trained = train_part(self.out, part, on_progress)
        figures.draw_curves({"painter": trained.rows}, self.out / "curves.png")
        self.painter.set_weights(trained.mean)
        return self.go_back(exam)

    def open_start(self, on_progress: OnProgress) -> None:
        """Make the painter that the training begins with, in a first run."""
        folder = self.out / "start"
        if not (folder / weight_files.INDEX_FILE).is_file():
            weight_files.write_weights(folder, "painter", self.make_start(on_progress), {})
        self.start = weight_files.read_weights(folder, "painter")
        self.painter = Painter(PainterPlan.read(self.start))
        weight_files.assign_arrays(self.painter, self.start)
        self.unwhiten = np.linalg.inv(self.start["basis"])

    def make_start(self, on_progress: OnProgress) -> weight_files.Arrays:
        """Widen the weights to begin with, and move their style space by what they miss."""
        arrays = weight_files.read_weights(self.sources.start, "painter")
        known = np.array(self.styles.arrays["numbers"])
        sampler = picture_data.EmbeddingSampler(known, known)
        reader = correction.Reader(self.engine, self.teacher, self.photographs, sampler, self.rng)
        count = READINGS_BY_STYLE * self.plan.styles
        store = ExampleStore(self.out / "data" / "readings", count, correction.READINGS)
        store.fill(reader, "readings", on_progress)
        arrays = correction.correct(arrays, **store.first(count))
        return widen(arrays, self.painter_plan) if self.painter_plan else arrays

    def go_back(self, exam: Examination) -> dict[str, float]:
        """Keep the best weights on the way from the start to the painter's, and return their
        measures. Part of what is learned holds for the training's styles alone; between the
        two ends, unseen styles gain most (Wortsman et al., "Robust fine-tuning of zero-shot
        models", 2022).
        """
        end = weight_files.export_arrays(self.painter)
        found = []
        for share in SHARES:
            mixed = {name: share * end[name] + (1 - share) * self.start[name] for name in end}
            weight_files.assign_arrays(self.painter, mixed)
            found.append((exam.measure(self.painter), share, mixed))
        measures, share, mixed = min(found, key=lambda one: score_weights(one[0]))
        about = {"validation": measures, "share": share}
        weight_files.write_weights(self.out / "weights", "painter", mixed, about)
        return measures

    def pool(self, part: str) -> picture_data.PicturePool:
        """Read the pictures of a part."""
        pool = picture_data.PicturePool.read(self.sources.pictures, part)
        check_pictures_found(pool, self.sources.pictures, part)
        return pool

    def prepare(self, on_progress: OnProgress) -> None:
        """Open the networks, and make the styles and the motions that are missing."""
        sources, plan = self.sources, self.plan
        self.teacher = self.open_teacher()
        self.engine = EmbeddedEngine(model=str(sources.start))
        self.vgg = self.open_vgg()
        pool = self.pool("training")
        self.photographs = pool.photographs
        self.styles = ExampleStore(
            self.out / "data" / "styles", plan.styles, judged_styles.build_style_shapes(self.vgg)
        )
        maker = judged_styles.StyleMaker(pool, self.teacher, self.engine.embed, self.vgg, self.rng)
        self.styles.fill(maker, "styles", on_progress)
        self.motions = ExampleStore(
            self.out / "data" / "motions", plan.motions, build_motion_shapes(plan.side)
        )
        self.scenes = [
            path
            for path in find_photographs(sources.pictures / "content", 0, 2)
            if picture_data.assign_part(path) == "training"
        ]
        clips = films.FilmSet.read(sources.clips, plan.side) if sources.clips else None
        self.motions.fill(lambda: self.draw_motion(clips), "motions", on_progress)

    def open_teacher(self) -> Any:
        """Open the teacher, which embeds and paints one picture."""
        return Teacher(self.sources.teacher)

    def open_teacher_graph(self) -> Any:
        """Open the teacher's predictor as float operations."""
        return LiteGraph(self.sources.teacher / PREDICTOR_FILE)

    def open_vgg(self) -> Any:
        """Open the network whose features are the losses."""
        return open_backbone("vgg16", self.sources.judge)

    def draw_motion(self, clips: films.FilmSet | None) -> Row:
        """Draw two neighboring frames, and the motion from the first to the second."""
        side = self.plan.side
        if clips is not None and self.rng.random() > DRAWN_SHARE:
            moment = clips.draw(self.rng, side)
            return {name: getattr(moment, name) for name in MOTION_ARRAYS}
        kind = str(self.rng.choice(KINDS))
        seed = int(self.rng.integers(0, FIRST_HELD_OUT))
        clip = draw_clip(ClipRecipe(kind, seed, side, side, DRAWN_FRAMES, self.scenes))
        place = DRAWN_FRAMES - 2
        flow = clip.forward[place]
        seen = clip.seen_forward[place] & find_inside(flow)
        return dict(zip(MOTION_ARRAYS, (*clip.frames[place : place + 2], flow, seen)))

    def batch(self) -> tuple[Any, Any]:
        """Draw contents and styles, and let the teacher paint them."""
        plan, rng = self.plan, self.rng
        rows = self.styles.draw(rng, plan.batch)
        contents = np.stack([self.draw_content() for _ in range(plan.batch)])
        taken = np.where(rng.random(plan.batch) < OWN_SHARE, "own", "numbers")
        exact = np.stack([rows[name][place] for place, name in enumerate(taken)])
        noise = (rng.normal(0, SPREAD, exact.shape) @ self.unwhiten).astype(np.float32)
        # The teacher paints, and is asked for, the style with its noise; the Gram matrices are of
        # the style without.
        meant = rows["numbers"] + noise
        painted = [self.teacher.paint(*pair) for pair in zip(contents, meant)]
        given = {
            "content": contents,
            "numbers": exact + noise,
            "motion": self.motions.draw(rng, 1),
        }
        wanted = {name: rows[name] for name in judged_styles.GRAMS}
        return given, {**wanted, "numbers": meant, "painted": np.stack(painted)}

    def draw_content(self) -> Picture:
        """Draw a crop of a photograph, at times a close one; flat ones are drawn again."""
        for _ in range(MAX_TRIES):
            cut = self._crop_content()
            if cut.std((0, 1)).max() >= MIN_SPREAD:
                break
        return cut

    def _crop_content(self) -> Picture:
        zoom = CLOSE_ZOOM if self.rng.random() < CLOSE_SHARE else 1.0
        photograph = self.photographs[int(self.rng.integers(len(self.photographs)))]
        short = min(photograph.shape[:2]) / zoom
        # At the scale at which the whole picture would have `SIDE` pixels, more or less.
        side = min(short, short * self.plan.side / picture_data.SIDE * self.rng.uniform(0.6, 1.25))
        return picture_data.crop_square(photograph, max(16, round(side)), self.plan.side, self.rng)

    def add_predictor(self) -> None:
        """Put the predictor that the painter was trained with beside the new weights."""
        weights = self.out / "weights"
        weights.mkdir(exist_ok=True)
        for part in ("predictor", weight_files.INT8_PARTS["predictor"]):
            if not weight_files.has_part(self.sources.start, part):
                continue
            path = weight_files.find_weights_file(self.sources.start, part)
            about = weight_files.read_index(self.sources.start)["parts"][part]
            about = {name: about[name] for name in about if name not in OF_THE_FILE}
            weight_files.add_to_index(weights, part, Path(shutil.copy(path, weights)), about)


def build_motion_shapes(side: int) -> Shapes:
    """Return the shapes of a motion sample: two frames, the flow, and where it can be trusted."""
    frame: tuple[tuple[int, ...], str] = ((side, side, 3), "u1")
    shapes = (frame, frame, ((side, side, 2), "f4"), ((side, side), "?"))
    return dict(zip(MOTION_ARRAYS, shapes))
