"""A drawn face that nods, looks about, blinks and talks, as layers of known motion."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vst.samples.motion.layers import Flow, Layer, Matrix, Picture, Plane, place_layer, show_ellipse

SIDE = 256
"""Side of the face's own picture, in pixels."""
MOUTH = (128.0, 182.0)
EYES = ((92.0, 112.0), (164.0, 112.0))
OPEN = 17.0
"""How far the mouth opens, in pixels of the face."""


def face_layers(height: int, width: int, chance: np.random.Generator) -> list[Layer]:
    """The layers of a face, from back to front, for a frame of this size."""
    skin = chance.uniform((150, 100, 80), (235, 190, 170)).astype("f4")
    motion = nod(height, width, chance)
    speech = speak(chance)
    blink = close_eyes(chance)
    head = Layer(draw_head(skin, chance), motion, show_ellipse((128, 128), lambda _: (88, 118)))
    layers = [head]
    for eye in EYES:
        layers += eye_layers(eye, skin, motion, blink, look_about(chance))
    return [*layers, *mouth_layers(skin, motion, speech)]


def nod(height: int, width: int, chance: np.random.Generator) -> Callable[[float], Matrix]:
    """The head's own motion: a slow sway of a few pixels."""
    scale = 0.92 * height / SIDE
    phases = chance.uniform(0, 6, 3)
    x = width * chance.uniform(0.35, 0.65)

    def move(time: float) -> Matrix:
        at = (
            x + 6 * np.sin(time / 11 + phases[0]),
            0.52 * height + 2.5 * np.sin(time / 7 + phases[1]),
        )
        turn = 0.05 * np.sin(time / 13 + phases[2])
        return place_layer(scale, turn, at=at, about=(SIDE / 2, SIDE / 2))

    return move


def speak(chance: np.random.Generator) -> Callable[[float], float]:
    """How far the mouth is open at a time, 0..1: syllables of 6 to 9 frames."""
    pace, other = chance.uniform(0.7, 1.0), chance.uniform(0.25, 0.4)
    phase = chance.uniform(0, 6)
    return lambda time: float(
        np.clip(0.5 + 0.45 * np.sin(pace * time + phase) + 0.3 * np.sin(other * time), 0.02, 1)
    )


def close_eyes(chance: np.random.Generator) -> Callable[[float], float]:
    """How far the lids are down at a time, 0..1: shut for two frames every second or so."""
    first, period = chance.uniform(5, 15), chance.uniform(18, 28)
    return lambda time: float(np.clip(1.6 - abs((time - first) % period - 3) / 1.5, 0, 1))


def look_about(chance: np.random.Generator) -> Callable[[float], tuple[float, float]]:
    """Where the pupil stands against the eye's middle, in pixels; it jumps now and then."""
    stops = chance.uniform(-5, 5, (64, 2)) * (1, 0.4)
    length = int(chance.integers(9, 15))
    return lambda time: tuple(stops[int(time // length) % 64])  # type: ignore[return-value]


def draw_head(skin: Plane, chance: np.random.Generator) -> Picture:
    """Skin with shade, brows, nose, hair and a little texture."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype("f4")
    shade = 1.05 - 0.35 * ((x - 110) / 110) ** 2 - 0.1 * (y - 128) / 128
    grain = cv2.GaussianBlur(chance.normal(0, 1, (SIDE, SIDE)).astype("f4"), (0, 0), 1.5)
    face = skin * shade[..., None] + 8 * grain[..., None]
    hair = chance.uniform(10, 120, 3)
    canvas = face.clip(0, 255).astype(np.uint8)
    cv2.ellipse(canvas, (128, 40), (95, 42), 0, 0, 360, hair.tolist(), -1, cv2.LINE_AA)
    for number in range(60):
        start = (int(40 + 3 * number), int(70 + 8 * np.sin(number)))
        cv2.line(canvas, start, (start[0] - 4, 20), (hair * 0.7).tolist(), 1, cv2.LINE_AA)
    for eye_x, eye_y in EYES:
        brow = (int(eye_x), int(eye_y - 22))
        cv2.ellipse(canvas, brow, (20, 5), 0, 180, 360, (hair * 0.6).tolist(), 4, cv2.LINE_AA)
    nose = np.array([[128, 112], [116, 152], [140, 152]], np.int32)
    cv2.polylines(canvas, [nose], False, (skin * 0.6).tolist(), 2, cv2.LINE_AA)
    return np.ascontiguousarray(canvas)


def paint_plain(color: Plane) -> Picture:
    """A picture of one color, of the face's size."""
    return np.full((SIDE, SIDE, 3), np.clip(color, 0, 255), np.uint8)


def eye_layers(
    at: tuple[float, float],
    skin: Plane,
    motion: Callable[[float], Matrix],
    blink: Callable[[float], float],
    look: Callable[[float], tuple[float, float]],
) -> list[Layer]:
    """The white, the pupil that looks about, the lid that comes down over both."""
    white = show_ellipse(at, lambda _: (17, 10))

    def gaze(time: float) -> Matrix:
        return motion(time) @ place_layer(at=look(time))

    def show_pupil(places: Flow, time: float) -> Plane:
        return show_ellipse(at, lambda _: (6, 6))(places, time)

    def show_lid(places: Flow, time: float) -> Plane:
        edge = at[1] - 11 + 22 * blink(time)
        above = np.clip(edge - places[..., 1] + 0.5, 0, 1).astype(np.float32)
        return above * show_ellipse(at, lambda _: (18, 11))(places, time)

    return [
        Layer(paint_plain(np.array([235, 235, 230], "f4")), motion, white),
        Layer(paint_plain(np.array([35, 30, 40], "f4")), gaze, show_pupil),
        Layer(paint_plain(skin * 0.82), motion, show_lid),
    ]


def mouth_layers(
    skin: Plane, motion: Callable[[float], Matrix], speech: Callable[[float], float]
) -> list[Layer]:
    """The dark of the mouth, its teeth, and lips of which the lower one goes down."""
    x, y = MOUTH
    teeth = np.zeros((SIDE, SIDE, 3), np.uint8)
    teeth[:] = (70, 15, 20)
    cv2.rectangle(teeth, (int(x) - 22, int(y) - 12), (int(x) + 22, int(y) - 4), (240, 235, 220), -1)
    lips = skin * np.array([0.85, 0.5, 0.5], "f4")

    def lower(time: float) -> Matrix:
        return motion(time) @ place_layer(at=(0, 2 * OPEN * speech(time)))

    hole = show_ellipse((x, y), lambda time: (26, 1 + OPEN * speech(time)))

    def shift_hole(places: Flow, time: float) -> Plane:
        moved = places - np.array([0, OPEN * speech(time)], np.float32)
        return hole(moved, time)

    return [
        Layer(teeth, motion, shift_hole),
        Layer(paint_plain(lips), motion, show_ellipse((x, y - 3), lambda _: (30, 5))),
        Layer(paint_plain(lips * 0.9), lower, show_ellipse((x, y + 3), lambda _: (26, 5))),
    ]
