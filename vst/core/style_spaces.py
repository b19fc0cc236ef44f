"""Names of style spaces: an engine uses only the embeddings of its own space."""

from __future__ import annotations

TFLITE_SPACE = "magenta-tflite-100"
"""The 100 numbers of Magenta's TFLite predictor, and of the embedded model."""
NETWORK_SPACE = "network"
"""Not embeddings but the bytes of a ``.keras`` file: a network trained for one style."""
