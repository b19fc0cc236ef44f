"""Films whose motion and occlusions are known exactly, drawn from a seed.

Photographs, where a folder of them is given, or the project's own samples are the material; figures
are cut from them. A film pans, zooms, turns, shears; figures pass in front of each other; a face
talks; light, blur, noise, rain and water change what is seen. The same seed gives the same film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vst.samples.motion.layers import (
    Flow,
    Layer,
    Matrix,
    Picture,
    Plane,
    Wave,
    draw_frame,
    find_flow,
    find_visibility,
    place_layer,
    show_mask,
)

KINDS = (
    "talk", "pan", "zoom", "cross", "wall", "rotate", "rain", "water", "shear", "light", "blur",
    "noise",
)  # fmt: skip
"""What a film can be about."""
MARGIN = 1.5
"""Backgrounds are made so many times as large as the frame."""
TALK = "talk"


@dataclass(frozen=True)
class MotionClip:
    """A film of T frames. ``forward[t]`` and ``backward[t]`` belong to frame t and t + 1.

    ``frames``: (T, H, W, 3) uint8 RGB. ``forward``: (T-1, H, W, 2) float32 pixels, from frame t to
    t + 1; ``backward``: from frame t + 1 to t. ``seen_forward``: (T-1, H, W) bool, the pixels of
    frame t that frame t + 1 shows too; ``seen_backward``: those of t + 1 that t shows.
    """

    name: str
    frames: npt.NDArray[np.uint8]
    forward: npt.NDArray[np.float32]
    backward: npt.NDArray[np.float32]
    seen_forward: npt.NDArray[np.bool_]
    seen_backward: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ClipRecipe:
    """What to draw: ``kind`` of `KINDS`, the ``seed``, size in pixels and length in frames."""

    kind: str
    seed: int
    height: int = 256
    width: int = 448
    count: int = 48
    photographs: Sequence[Path] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Kind and seed, as in ``talk-7``."""
        return f"{self.kind}-{self.seed}"


def draw_clip(recipe: ClipRecipe) -> MotionClip:
    """Draw the film of a recipe, with its flow and visibility."""
    chance = np.random.default_rng([recipe.seed, KINDS.index(recipe.kind)])
    layers = build_layers(recipe, chance)
    grid = pixel_grid(recipe.height, recipe.width)
    change = choose_weather(recipe, chance)
    frames, tops = [], []
    hidden = []
    for time in range(recipe.count):
        frame, top = draw_frame(layers, grid, time)
        frame, covered = change(frame, time)
        frames.append(frame)
        tops.append(top)
        hidden.append(covered)
    pairs = [(t, t + 1) for t in range(recipe.count - 1)]
    forward = [find_flow(layers, grid, tops[a], a, b) for a, b in pairs]
    backward = [find_flow(layers, grid, tops[b], b, a) for a, b in pairs]
    ahead = [find_visibility(f, grid, tops[a], tops[b]) for f, (a, b) in zip(forward, pairs)]
    behind = [find_visibility(f, grid, tops[b], tops[a]) for f, (a, b) in zip(backward, pairs)]
    return MotionClip(
        recipe.name,
        np.stack(frames),
        np.stack(forward),
        np.stack(backward),
        np.stack([seen & ~hidden[a] for seen, (a, _) in zip(ahead, pairs)]),
        np.stack([seen & ~hidden[b] for seen, (_, b) in zip(behind, pairs)]),
    )


def draw_clips(
    count: int,
    first_seed: int = 0,
    photographs: Sequence[Path] = (),
    kinds: Sequence[str] = KINDS,
    size: tuple[int, int] = (256, 448),
    frames: int = 48,
) -> Iterator[MotionClip]:
    """``count`` films of the kinds in turn, seeds from ``first_seed`` on; size: height, width."""
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield draw_clip(ClipRecipe(kind, first_seed + number, *size, frames, photographs))


def find_photographs(folder: Path, part: int = 0, parts: int = 1) -> list[Path]:
    """The pictures of a folder, in order; with ``parts``, every so many-th, from ``part`` on."""
    suffixes = {".jpg", ".jpeg", ".png"}
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    return paths[part::parts]


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> Flow:
    """Each pixel's own place, x then y."""
    return np.dstack(np.meshgrid(np.arange(width, dtype="f4"), np.arange(height, dtype="f4")))


def choose_material(
    recipe: ClipRecipe, chance: np.random.Generator, height: int, width: int
) -> Picture:
    """A photograph or, where there are none, a sample of the project's own; enlarged to cover."""
    if recipe.photographs:
        path = recipe.photographs[int(chance.integers(len(recipe.photographs)))]
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"photograph {str(path)!r} cannot be read as a picture")
        picture = picture[..., ::-1]
    else:
        picture = draw_material(int(chance.integers(len(material_names()))))
    scale = max(height / picture.shape[0], width / picture.shape[1])
    size = (int(np.ceil(picture.shape[1] * scale)), int(np.ceil(picture.shape[0] * scale)))
    larger = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(larger[:height, :width])


def material_names() -> tuple[str, ...]:
    """Names of the project's own samples; the first is its photo-like landscape."""
    from vst.samples import PATTERNS

    return ("landscape", *PATTERNS)


@lru_cache(maxsize=32)
def draw_material(number: int) -> Picture:
    """One of the project's own samples, 480 x 320."""
    from vst.samples import draw_pattern, draw_photo

    name = material_names()[number]
    return draw_photo(480, 320) if name == "landscape" else draw_pattern(name, 480, 320)


def build_layers(recipe: ClipRecipe, chance: np.random.Generator) -> list[Layer]:
    """The layers of a film, from back to front."""
    if recipe.kind == "wall":
        return [build_wall(recipe, chance), build_figure(recipe, chance, speed=0.4)]
    background = build_background(recipe, chance)
    if recipe.kind == TALK:
        return [background, *build_face(recipe, chance)]
    if recipe.kind == "cross":
        return [background, *(build_figure(recipe, chance, speed=1.6) for _ in range(3))]
    if recipe.kind in ("water", "rain"):
        return [background, build_figure(recipe, chance, speed=0.6)]
    number = int(chance.integers(1, 3))
    return [background, *(build_figure(recipe, chance, speed=1.0) for _ in range(number))]


def choose_motion(
    recipe: ClipRecipe, chance: np.random.Generator, center: Matrix
) -> Callable[[float], Matrix]:
    """The camera's way over a background: fast in what the film is about, slow in the rest."""
    height, width = recipe.height, recipe.width
    way = chance.uniform(-1, 1, 5)
    x, y, growth, turn, slant = np.sign(way) * (0.5 + 0.5 * np.abs(way))
    fast = {"pan": (3.0, 1.0), "wall": (0.7, 0.2), TALK: (0.3, 0.2)}.get(recipe.kind, (0.8, 0.4))
    zoom = 0.012 if recipe.kind == "zoom" else 0.0015
    spin = 0.012 if recipe.kind == "rotate" else 0.001
    lean = 0.006 if recipe.kind == "shear" else 0.0005
    middle = recipe.count / 2

    def move(time: float) -> Matrix:
        far = time - middle
        at = (width / 2 + fast[0] * x * far, height / 2 + fast[1] * y * far)
        camera = place_layer(np.exp(zoom * growth * far), spin * turn * far, lean * slant * far, at)
        return camera @ center

    return move


def build_background(recipe: ClipRecipe, chance: np.random.Generator) -> Layer:
    """A photograph that fills the frame, under a moving camera."""
    height, width = round(recipe.height * MARGIN), round(recipe.width * MARGIN)
    picture = choose_material(recipe, chance, height, width)
    center = place_layer(about=(width / 2, height / 2))
    wave = None
    if recipe.kind == "water":
        wave = Wave(chance.uniform(1.0, 2.5), chance.uniform(40, 90), chance.uniform(20, 45))
    return Layer(picture, choose_motion(recipe, chance, center), wave=wave)


def build_wall(recipe: ClipRecipe, chance: np.random.Generator) -> Layer:
    """A plain wall: one color, a slow gradient, the weave of plaster two levels strong."""
    height, width = round(recipe.height * MARGIN), round(recipe.width * MARGIN)
    weave = cv2.GaussianBlur(chance.normal(0, 1, (height, width, 1)).astype("f4"), (0, 0), 1.0)
    slope = np.linspace(-1, 1, width, dtype="f4")[None] * chance.uniform(5, 25)
    color = chance.uniform(70, 190, 3).astype("f4")
    wall = color + slope[..., None] + 6 * weave.reshape(height, width, 1)
    center = place_layer(about=(width / 2, height / 2))
    return Layer(wall.clip(0, 255).astype(np.uint8), choose_motion(recipe, chance, center))


def build_figure(recipe: ClipRecipe, chance: np.random.Generator, speed: float) -> Layer:
    """A blob cut from a photograph, that crosses the frame; speed 1 is 2 pixels a frame or so."""
    side = round(recipe.height * chance.uniform(0.3, 0.6))
    picture = choose_material(recipe, chance, side, side)
    mask = draw_blob(chance, side)
    start = chance.uniform(0.1, 0.9, 2) * (recipe.width, recipe.height)
    way = chance.normal(0, 1, 2) * (2.0 * speed, 0.6 * speed)
    turn, growth = chance.normal(0, 0.004), chance.normal(0, 0.002)
    swing = chance.uniform(0, 6, 2)
    middle = recipe.count / 2

    def move(time: float) -> Matrix:
        far = time - middle
        bob = 2 * speed * np.sin(time / 5 + swing)
        at = start + way * far + bob
        scale = float(np.exp(growth * far))
        return place_layer(scale, turn * far, at=tuple(at), about=(side / 2, side / 2))

    return Layer(picture, move, show_mask(mask))


def draw_blob(chance: np.random.Generator, side: int) -> Plane:
    """A round shape with bumps, 0..1, (side, side)."""
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.full_like(angles, 0.36)
    for wave in (2, 3, 5):
        radius += chance.normal(0, 0.12 / wave) * np.cos(wave * angles + chance.uniform(0, 6))
    radius = np.clip(radius, 0.15, 0.48) * side
    points = np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None] + side / 2
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(mask / 255, np.float32)


def choose_weather(
    recipe: ClipRecipe, chance: np.random.Generator
) -> Callable[[Picture, int], tuple[Picture, npt.NDArray[np.bool_]]]:
    """What is done to each frame after it is drawn: (frame, time) -> frame, pixels covered."""
    seed = int(chance.integers(2**31))
    phase, depth = chance.uniform(0, 6), chance.uniform(0.12, 0.3)
    noise = {"noise": chance.uniform(3, 6), "rain": 1.5}.get(recipe.kind, 1.0)
    shape = recipe.height, recipe.width
    x = np.linspace(-1, 1, recipe.width, dtype="f4")[None, :, None]

    def change(frame: Picture, time: int) -> tuple[Picture, npt.NDArray[np.bool_]]:
        here = np.random.default_rng([seed, time])
        values = frame.astype(np.float32)
        covered = np.zeros(shape, np.bool_)
        if recipe.kind == "light":
            swing = np.sin(phase + time / 7)
            values *= (
                1 + np.float32(depth * swing) + np.float32(0.5 * depth) * x * np.float32(swing)
            )
        if recipe.kind == "blur":
            values = cv2.GaussianBlur(
                values, (0, 0), 0.6 + 1.6 * (1 + np.sin(phase + time / 8)) / 2
            )
        if recipe.kind == "rain":
            drops = draw_rain(here, *shape)
            covered = drops > 0.05
            values += (225 - values) * (0.55 * drops)[..., None]
        values += here.normal(0, noise, (*shape, 1)).astype("f4")
        return values.clip(0, 255).astype(np.uint8), covered

    return change


def draw_rain(chance: np.random.Generator, height: int, width: int) -> Plane:
    """Streaks of rain, new in every frame, 0..1, (height, width)."""
    drops = np.zeros((height, width), np.uint8)
    for _ in range(round(height * width / 1400)):
        x, y = chance.uniform(-5, width), chance.uniform(-20, height)
        far = chance.uniform(8, 18)
        ends = (round(x), round(y)), (round(x + 0.15 * far), round(y + far))
        cv2.line(drops, *ends, int(chance.integers(90, 220)), 1, cv2.LINE_AA)
    return np.asarray(drops / 255, np.float32)


def build_face(recipe: ClipRecipe, chance: np.random.Generator) -> list[Layer]:
    """A face that nods, blinks and talks: skin, eyes with lids, a mouth that opens on its teeth."""
    from vst.samples.motion.face import face_layers

    return face_layers(recipe.height, recipe.width, chance)
