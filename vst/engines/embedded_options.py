"""The options of engine ``embedded``; the command line reads them, so nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass

from vst.core.fields import option

AUTO, INT8 = "auto", "int8"
PRECISIONS = (AUTO, "bfloat16", "float32", INT8)


@dataclass(frozen=True)
class EmbeddedOptions:
    """How the painter computes."""

    precision: str = option(
        AUTO,
        "Numbers that the painter computes with: int8 in LiteRT, the others in TensorFlow; auto: "
        "int8 where LiteRT is installed and there is no GPU, else TensorFlow's fastest.",
        choices=PRECISIONS,
    )
