"""Masks (`MASKS`) and how foreground and background meet at their edges (`EDGES`), by name; one
file each.
"""

from vst.core.registry import Registry

MASKS = Registry(
    "mask",
    {
        "auto": "vst.masks.auto:AutoMask",
        "drawn": "vst.masks.drawn:DrawnMask",
        "file": "vst.masks.file:FileMask",
        "person": "vst.masks.person:PersonMask",
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
