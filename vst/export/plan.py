"""What an export is to contain, and what the written files are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vst.core.style_spaces import TFLITE_SPACE
from vst.errors import UsageError
from vst.nets.embedded_plan import DIM, PREDICTOR_SIDE

PRECISIONS = ("float32", "float16", "int8")
"""How weights are stored; the sums are float32 in each case."""
PAINTER, PREDICTOR, NETWORK = "painter", "predictor", "network"
"""The kinds of files: paints in any style, embeds a picture, paints in the style it was trained
for."""
STRIDE = 4
"""The sides of a frame are multiples of this, for the painter and for a trained network."""
SHORTEST = {PAINTER: 8, NETWORK: 16}
"""Kind -> the shortest side of a frame, in pixels."""


@dataclass(frozen=True)
class ExportPlan:
    """``size``: width and height of the frames, None: any. ``precision``: a name in `PRECISIONS`.

    ``model``: a folder of `vst train embedded`, or a ``.keras`` file of `vst train fast`; None: the
    package's own weights. ``only``: the one kind of file to write; None: all.
    """

    size: tuple[int, int] | None = None
    precision: str = "float32"
    model: Path | None = None
    only: str | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"precision {self.precision!r}: not known. Give one of {', '.join(PRECISIONS)}."
            )
        for side in self.size or ():
            if side % STRIDE or side < max(SHORTEST.values()):
                width, height = self.size or (0, 0)
                raise UsageError(
                    f"size {width}x{height}: the networks take sides that are multiples of "
                    f"{STRIDE} and at least {max(SHORTEST.values())} pixels. Give such a size, "
                    "and mirror the frames' right and lower edges up to it."
                )

    @property
    def is_trained_network(self) -> bool:
        """Whether ``model`` is a network that was trained for one style."""
        return self.model is not None and self.model.is_file()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of files to write."""
        if self.only is not None:
            return (self.only,)
        return (NETWORK,) if self.is_trained_network else (PAINTER, PREDICTOR)


@dataclass(frozen=True)
class Tensor:
    """An input or output: its axes (a name stands for any length) and what its values mean."""

    name: str
    shape: tuple[int | str, ...]
    about: str


def list_tensors(kind: str, size: tuple[int, int] | None) -> tuple[list[Tensor], list[Tensor]]:
    """Return the inputs and the outputs of a kind of file. ``size``: width and height."""
    width, height = size or ("width", "height")
    about = "RGB, 0 to 1"
    if kind != PREDICTOR and size is None:
        about += f"; height and width: multiples of {STRIDE}, at least {SHORTEST[kind]}"
    styles = Tensor("styles", (1, DIM), "embedding of the style, or a weighted mean of several")
    if kind == PREDICTOR:
        square = (1, PREDICTOR_SIDE, PREDICTOR_SIDE, 3)
        return [Tensor("pictures", square, about)], [styles]
    shape = (1, height, width, 3)
    frames, paintings = Tensor("frames", shape, about), Tensor("paintings", shape, "RGB, 0 to 1")
    return [frames, styles] if kind == PAINTER else [frames], [paintings]


def describe_file(kind: str, plan: ExportPlan, about: Mapping[str, Any]) -> dict[str, str]:
    """Return the metadata of a file, as texts. ``about``: further values, of a trained network."""
    from vst import __version__

    inputs, outputs = list_tensors(kind, plan.size)
    texts = {f"tensor {one.name}": one.about for one in (*inputs, *outputs)}
    texts |= {"kind": kind, "precision": plan.precision, "written by": f"vst {__version__}"}
    if kind != NETWORK:
        texts |= {"space": TFLITE_SPACE, "license": "Apache-2.0"}
    return texts | {str(name): str(value) for name, value in about.items()}


def parse_size(text: str) -> tuple[int, int]:
    """Parse "640x360": width and height in pixels."""
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text.strip())
    if found is None:
        raise UsageError(f"size {text!r} is not a width and a height. Give one such as 640x360.")
    return int(found[1]), int(found[2])
