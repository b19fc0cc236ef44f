"""Measures of painted videos: one file per kind; this is the table of their names.

One definition each, for the command line, the reports, the benches and the training alike.
"""

from vst.core.registry import Registry

METRICS = Registry(
    "measure",
    {
        "warp": "vst.metrics.warp:make_one_frame_error",
        "warp-5": "vst.metrics.warp:make_five_frame_error",
        "warp-10": "vst.metrics.warp:make_ten_frame_error",
        "style": "vst.metrics.style:StyleDistance",
        "sharpness": "vst.metrics.sharpness:Sharpness",
        "content-ssim": "vst.metrics.ssim:ContentSimilarity",
        "adjacent-ssim": "vst.metrics.ssim:AdjacentSimilarity",
        "adjacent-ssim-100": "vst.metrics.ssim:make_patch_similarity",
        "variation": "vst.metrics.variation:TotalVariation",
    },
)
"""Name -> what makes a `Measure`."""
