"""Sizes of the embedded model, for code that must not import Keras."""

from __future__ import annotations

DIM = 100
"""Numbers of an embedding."""
PREDICTOR_SIDE = 256
"""Side, in pixels, of the square picture that the predictor takes."""
BLOCK = 4
"""The painter takes frames whose sides are multiples of this."""
SMALLEST = 8
"""The shortest side, in pixels, of a frame that the painter takes."""
