"""Stabilisers: what removes flicker. One file each; this is the table of their names."""

from vst.registry import Registry

STABILISERS = Registry(
    "stabiliser",
    {
        "off": "vst.stabilisers.off:Off",
        "light": "vst.stabilisers.light:Light",
        "flow": "vst.stabilisers.flow:FlowGuided",
        "strong": "vst.stabilisers.strong:Strong",
    },
)
