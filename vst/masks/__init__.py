"""Masks: where a style goes (`MASKS`), and what happens at their edges (`EDGES`). One file each;
these are the tables of their names.
"""

from vst.core.registry import Registry

MASKS = Registry(
    "mask",
    {
        "auto": "vst.masks.auto:AutoMask",
        "file": "vst.masks.file:FileMask",
    },
)

EDGES = Registry(
    "mask edge",
    {
        "blurred": "vst.masks.cutouts:BlurredEdge",
        "soft": "vst.masks.cutouts:SoftEdge",
        "resized": "vst.masks.cutouts:ResizedEdge",
        "gaussian": "vst.masks.cutouts:GaussianEdge",
        "inpainted": "vst.masks.inpainted:InpaintedEdge",
    },
)
