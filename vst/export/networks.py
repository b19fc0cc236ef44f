"""The networks to export, with their weights, and what TensorFlow computes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vst.core.data_folder import locate_weights
from vst.core.files import hash_file
from vst.engines.tensorflow_runtime import start_tensorflow
from vst.export.plan import NETWORK, PREDICTOR, ExportPlan
from vst.nets.weight_files import find_weights_file


@dataclass(frozen=True)
class LoadedNetwork:
    """A Keras network of a kind of `vst.export.plan`. ``about``: what its file says of it."""

    kind: str
    keras: Any
    about: Mapping[str, Any]

    def compute(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the output of TensorFlow in float32, by the network's plain operations; inputs and
        output as the exported file has them.
        """
        if self.kind == PREDICTOR:
            found = self.keras(255 * inputs["pictures"], training=False)
        else:
            found = self.keras(*inputs.values())
        return np.asarray(found, np.float32)


def load_networks(plan: ExportPlan) -> list[LoadedNetwork]:
    """Load the networks of a plan; raises `AssetError` where their files are damaged."""
    start_tensorflow(None)
    if plan.is_trained_network:
        from vst.nets.feedforward import load_network

        path = Path(plan.model or "")
        network = load_network(path)
        return [LoadedNetwork(NETWORK, network, {**network.about, "weights": hash_file(path)})]
    return [_load_part(locate_weights(plan.model), kind) for kind in plan.kinds]


def _load_part(folder: Path, kind: str) -> LoadedNetwork:
    from vst.nets.models import load_model, load_painter

    network = load_model(PREDICTOR, folder) if kind == PREDICTOR else load_painter(folder)
    return LoadedNetwork(kind, network, {"weights": hash_file(find_weights_file(folder, kind))})
