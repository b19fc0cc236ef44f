"""Pictures for training: how they are split into parts, augmented, and how embeddings are sampled.

A *pair* is a content crop, an embedding, and the teacher's picture of both; a *label* is a picture
and the embedding that the teacher's predictor gives it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Embeddings = NDArray[np.float32]

SIDE = 256
DIM = 100
# By the first byte of a picture's sha256: 00..0c for tests, never seen in training; 0d..11 for
# validation, which chooses the best weights; the rest for training.
TEST_BYTES = range(0x0D)
VALIDATION_BYTES = range(0x0D, 0x12)
# The only clips for training on motion; the others are for tests.
MOTION_CLIPS = ("scene_cuts.mp4", "Zulko_media_doc_medias_example2.mp4")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def assign_part(path: Path) -> str:
    """Return ``kept`` (tests), ``validation`` or ``training``, by the file's content alone."""
    first = hashlib.sha256(path.read_bytes()).digest()[0]
    if first in TEST_BYTES:
        return "kept"
    return "validation" if first in VALIDATION_BYTES else "training"


def read_folder(folder: Path, part: str) -> list[Picture]:
    """Read the RGB pictures of one part of a folder, sorted by name."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix.lower() in PICTURE_SUFFIXES and assign_part(path) == part:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is not None:
                found.append(np.ascontiguousarray(picture[:, :, ::-1]))
    return found


def read_frames(path: Path, step: int = 1) -> list[Picture]:
    """Read every ``step``-th frame of a clip, RGB."""
    capture, index = cv2.VideoCapture(str(path)), 0
    frames: list[Picture] = []
    try:
        while True:
            good, frame = capture.read()
            if not good:
                return frames
            if index % step == 0:
                frames.append(np.ascontiguousarray(frame[:, :, ::-1]))
            index += 1
    finally:
        capture.release()


@dataclass
class PicturePool:
    """The pictures of one part, RGB uint8 of any size."""

    photographs: list[Picture]
    paintings: list[Picture]
    frames: list[Picture] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, part: str = "training") -> PicturePool:
        """Read ``folder/content`` and ``folder/style``."""
        return cls(read_folder(folder / "content", part), read_folder(folder / "style", part))


def resize_square(picture: Picture, side: int = SIDE) -> Picture:
    """Resize the whole picture to a square, as both predictors see it; its aspect changes."""
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def crop_randomly(
    picture: Picture, rng: np.random.Generator, side: int = SIDE, zoom: float = 1.8
) -> Picture:
    """Return a random square crop, scaled and mirrored at random."""
    height, width = picture.shape[:2]
    scale = side / min(height, width) * rng.uniform(1.0, zoom)
    size = max(side, round(width * scale)), max(side, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(picture, size, interpolation=method)
    top, left = rng.integers(0, size[1] - side + 1), rng.integers(0, size[0] - side + 1)
    cut = picture[top : top + side, left : left + side]
    return np.ascontiguousarray(cut[:, ::-1] if rng.random() < 0.5 else cut)


def crop_square(picture: Picture, part: int, side: int, rng: np.random.Generator) -> Picture:
    """Return a random square of ``part`` pixels, resized to ``side`` and mirrored at random."""
    height, width = picture.shape[:2]
    top, left = rng.integers(0, height - part + 1), rng.integers(0, width - part + 1)
    cut = picture[top : top + part, left : left + part]
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    method = cv2.INTER_AREA if part > side else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(cut), (side, side), interpolation=method)


def crop_stretched(picture: Picture, rng: np.random.Generator, side: int = SIDE) -> Picture:
    """Resize a random part of random aspect to a square: style pictures have all shapes."""
    height, width = picture.shape[:2]
    tall = max(16, round(height * rng.uniform(0.45, 1.0)))
    wide = max(16, round(width * rng.uniform(0.45, 1.0)))
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    return resize_square(picture[top : top + tall, left : left + wide], side)


def recolor(picture: Picture, rng: np.random.Generator) -> Picture:
    """Change hue, saturation, contrast and brightness at random."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-90, 90) * rng.random()) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.2, 1.6), 0, 255)
    changed = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    mean = changed.mean()
    changed = (changed - mean) * rng.uniform(0.6, 1.4) + mean + rng.uniform(-30, 30)
    return np.clip(changed, 0, 255).astype(np.uint8)


def augment_style(picture: Picture, other: Picture, rng: np.random.Generator) -> Picture:
    """Augment a style picture for a label: crop, rotation, mirror, colors, a blend with ``other``,
    blur and noise.
    """
    varied = crop_stretched(picture, rng)
    if rng.random() < 0.3:
        varied = np.rot90(varied, int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        varied = varied[:, ::-1]
    varied = np.ascontiguousarray(varied)
    if rng.random() < 0.5:
        varied = recolor(varied, rng)
    if rng.random() < 0.15:
        share = float(rng.uniform(0.2, 0.8))
        varied = cv2.addWeighted(varied, share, crop_stretched(other, rng), 1 - share, 0)
    if rng.random() < 0.15:
        varied = cv2.GaussianBlur(varied, (0, 0), float(rng.uniform(0.5, 3)))
    if rng.random() < 0.15:
        noisy = varied + rng.normal(0, rng.uniform(2, 25), varied.shape)
        varied = np.clip(noisy, 0, 255).astype(np.uint8)
    return varied


def augment_batch(pictures: list[Picture], rng: np.random.Generator) -> Picture:
    """Mirror, transpose, mix and tint a batch of squares at random, (B,H,W,3): cheap changes, for
    pictures that are embedded afterwards.
    """
    varied = []
    for picture in pictures:
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
        kind = rng.random()
        if kind < 0.15:
            picture = picture.transpose(1, 0, 2) if kind < 0.1 else picture[::-1]
        if rng.random() < 0.08:
            share = rng.uniform(0.3, 0.8)
            other = pictures[rng.integers(len(pictures))]
            picture = (share * picture + (1 - share) * other).astype(np.uint8)
        varied.append(tint(picture, rng) if rng.random() < 0.5 else picture)
    return np.stack(varied)


def tint(picture: Picture, rng: np.random.Generator) -> Picture:
    """Change the colors by a random linear map, little or much."""
    spread = 0.06 if rng.random() < 0.5 else 0.2
    colours = np.eye(3) + rng.normal(0, spread, (3, 3))
    moved = picture.astype(np.float32) @ colours.astype(np.float32)
    return np.clip(moved + rng.normal(0, 60 * spread, 3), 0, 255).round().astype(np.uint8)


def draw_plain_content(rng: np.random.Generator, side: int = SIDE) -> Picture:
    """Draw a gradient or noise, which photographs do not cover.

    Flat pictures are left out: the painter gives them one color by design, and their variance of
    zero makes the gradients explode.
    """
    if rng.random() < 0.4:
        return rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    first, second = rng.integers(0, 256, (2, 3)).astype(np.float32)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    ramp = ramp if rng.random() < 0.5 else ramp.transpose(1, 0, 2)
    grain = rng.normal(0, 2, (side, side, 3))
    return np.clip(first + (second - first) * ramp + grain, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class SamplingPlan:
    """How the embeddings of pairs are sampled; shares are probabilities."""

    paintings: float = 0.7
    varied: float = 0.5
    """Share of embeddings of augmented pictures, if there are any: with those of the pictures alone
    the painter overfits to them.
    """
    mixed: float = 0.35
    towards_content: float = 0.08
    noise: float = 0.05


class EmbeddingSampler:
    """Samples embeddings: those of paintings and photographs, mixes of two, mixes with the
    content's own.
    """

    def __init__(
        self,
        paintings: Embeddings,
        photographs: Embeddings,
        plan: SamplingPlan | None = None,
        varied: Embeddings | None = None,
    ):
        self.paintings, self.photographs, self.varied = paintings, photographs, varied
        self.plan = plan or SamplingPlan()

    def one(self, rng: np.random.Generator) -> Embeddings:
        """Sample one embedding, shape (100,)."""
        if self.varied is not None and rng.random() < self.plan.varied:
            return self.varied[rng.integers(len(self.varied))]
        chosen = self.paintings if rng.random() < self.plan.paintings else self.photographs
        return chosen[rng.integers(len(chosen))]

    def draw(self, rng: np.random.Generator, own: Embeddings | None = None) -> Embeddings:
        """Sample the embedding of one pair, shape (100,); ``own``: the content's embedding."""
        numbers, kind = self.one(rng), rng.random()
        if own is not None and kind < self.plan.towards_content:
            share = rng.uniform(0.3, 1.0)
            numbers = share * own + (1 - share) * numbers
        elif kind < self.plan.towards_content + self.plan.mixed:
            share = rng.random()
            numbers = share * numbers + (1 - share) * self.one(rng)
        return (numbers + rng.normal(0, self.plan.noise, DIM)).astype(np.float32)
