"""Names of style spaces: what the numbers of an embedding mean, and so which engines read them."""

from __future__ import annotations

TFLITE_SPACE = "magenta-tflite-100"
"""The 100 numbers that Magenta's TFLite predictor makes of a picture; the embedded model's too."""
NETWORK_SPACE = "network"
"""No numbers that could be mixed: the bytes of a ``.keras`` file, a network trained for a style."""
