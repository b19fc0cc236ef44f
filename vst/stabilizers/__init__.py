"""The stabilizers, which remove flicker: one file each, listed in one table."""

from vst.core.registry import Registry

STABILIZERS = Registry(
    "stabilizer",
    {
        "off": "vst.stabilizers.off:Off",
        "steady": "vst.stabilizers.steady:Steady",
        "gaussian": "vst.stabilizers.gaussian:Gaussian",
    },
)

EARLIER_NAMES = {"flow": "steady", "strong": "steady", "light": "gaussian"}
"""Names of earlier versions, still accepted -> the present stabilizer."""
