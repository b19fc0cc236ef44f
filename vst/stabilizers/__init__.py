"""Stabilisers: what removes flicker. One file each; this is the table of their names."""

from vst.core.registry import Registry

STABILISERS = Registry(
    "stabiliser",
    {
        "off": "vst.stabilizers.off:Off",
        "light": "vst.stabilizers.light:Light",
        "flow": "vst.stabilizers.flow:FlowGuided",
        "strong": "vst.stabilizers.strong:Strong",
    },
)
