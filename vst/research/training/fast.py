"""Trains a feed-forward network in one style on pictures.

    FastTraining(style, Pictures(folder), out, plan).run(on_progress)

Losses: content and style in the layers of a perceptual network, total variation, and noise
stability: the network must paint a picture and its copy with noise on some pixels alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import MediaError, MissingFileError
from vst.nets import losses
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.research.training.learner import Batch, StyleLearner
from vst.research.training.picture_data import PICTURE_SUFFIXES, crop_randomly
from vst.research.training.style_plans import FastPlan
from vst.research.training.style_training import StyleTraining, load_settings

MAX_HELD_OUT = 16


class PictureFolder:
    """The pictures below a folder, some of them held out for validation; read on demand.

    A tenth of the pictures is held out, at most 16, evenly spread over their sorted names; a single
    picture serves both.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        found = sorted(
            path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES
        )
        if not found:
            raise MissingFileError(
                f"{str(folder)!r} has no pictures to train on. Give a folder with "
                f"{', '.join(PICTURE_SUFFIXES)} files; its subfolders are searched too."
            )
        count = min(MAX_HELD_OUT, max(1, len(found) // 10))
        places = {int((place + 0.5) * len(found) / count) for place in range(count)}
        self.held = [found[place] for place in sorted(places)]
        self.training = [path for place, path in enumerate(found) if place not in places] or found

    def crop(self, rng: np.random.Generator, side: int) -> Picture:
        """Crop a random square of a random training picture."""
        return crop_randomly(
            read_picture(self.training[rng.integers(len(self.training))]), rng, side
        )

    def middles(self, side: int) -> Picture:
        """Return the middle squares of the held-out pictures, (N, side, side, 3)."""
        return np.stack([crop_middle(read_picture(path), side) for path in self.held])


def read_picture(path: Path) -> Picture:
    """Read an RGB picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise MediaError(f"{str(path)!r} cannot be read as a picture. Remove it from the folder.")
    return np.ascontiguousarray(picture[:, :, ::-1])


def crop_middle(picture: Picture, side: int) -> Picture:
    """Crop the largest square in the middle and resize it to ``side`` pixels."""
    height, width = picture.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    method = cv2.INTER_AREA if side < short else cv2.INTER_LINEAR
    cut = picture[top : top + short, left : left + short]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=method), np.uint8)


def add_noise(picture: Picture, rng: np.random.Generator, pixels: int, most: float) -> Picture:
    """Copy a picture with ``pixels`` random pixels changed by up to ``most`` levels."""
    height, width = picture.shape[:2]
    rows, columns = rng.integers(0, height, pixels), rng.integers(0, width, pixels)
    noisy = picture.astype(np.float32)
    noisy[rows, columns] += rng.uniform(-most, most, (pixels, 3))
    return np.rint(noisy.clip(0, 255)).astype(np.uint8)


class NoiseLearner(StyleLearner):
    """Paints pictures and, if the noise loss has weight, their noisy copies."""

    def __init__(self, *given: Any, **named: Any):
        super().__init__(*given, **named)
        self.painted_keys = ("content", "noisy") if self.loss_weights["noise"] else ("content",)
        self.judged_keys = ("content",)

    def steadiness(self, batch: Batch, contents: Batch, paintings: Batch) -> dict[str, Any]:
        if "noisy" not in paintings:
            return {}
        error = losses.noise_stability_loss(paintings["content"], paintings["noisy"])
        return {"noise": error}


class FastTraining(StyleTraining):
    """Trains one network in one style on a folder of pictures (`vst train fast`)."""

    kind = "fast"
    learner_kind = NoiseLearner
    plan: FastPlan

    def __init__(
        self,
        style: Picture,
        pictures: PictureFolder,
        out: Path,
        plan: FastPlan | None = None,
        network_plan: FeedForwardPlan | None = None,
        about: dict[str, Any] | None = None,
    ):
        about = {**(about or {}), "pictures": str(pictures.folder.absolute())}
        super().__init__(style, out, plan or FastPlan(), network_plan, about)
        self.pictures = pictures

    @classmethod
    def resume(cls, out: Path, pictures: Path | None = None, **changed: Any) -> FastTraining:
        """Resume the training of a folder. ``changed``: fields of its plan to replace;
        ``pictures``: their folder, if it was moved.
        """
        found = load_settings(out, cls.kind, changed)
        folder = PictureFolder(pictures or Path(found.about["pictures"]))
        plan = FastPlan(**found.plan)
        return cls(found.style, folder, out, plan, found.network_plan, found.about)

    def batch(self, step: int) -> Batch:
        plan, rng = self.plan, self.random(step)
        contents = [self.pictures.crop(rng, plan.side) for _ in range(plan.batch)]
        return self.build_batch(np.stack(contents), rng)

    def held(self) -> Iterator[Batch]:
        """Yield the held-out pictures one by one, with the same noise each time."""
        middles, rng = self.pictures.middles(self.plan.side), self.random(0)
        for picture in middles:
            yield self.build_batch(picture[None], rng)

    def build_batch(self, contents: Picture, rng: np.random.Generator) -> Batch:
        """Build the learner's batch from pictures (B,side,side,3)."""
        plan = self.plan
        batch: Batch = {"content": contents, "shift": self.shift(rng, len(contents))}
        if plan.noise_weight:
            batch["noisy"] = np.stack(
                [add_noise(one, rng, plan.noisy_pixels, plan.noise_range) for one in contents]
            )
        return batch
