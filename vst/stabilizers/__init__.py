"""The stabilizers, which remove flicker: one file each, listed in one table."""

from vst.core.registry import Registry

STABILIZERS = Registry(
    "stabilizer",
    {
        "off": "vst.stabilizers.off:Off",
        "light": "vst.stabilizers.light:Light",
        "flow": "vst.stabilizers.flow:FlowGuided",
        "strong": "vst.stabilizers.strong:Strong",
    },
)
