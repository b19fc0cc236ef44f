"""Metrics of painted videos, by name; one file per kind.

The command line, reports, benchmarks and training share these definitions.
"""

from vst.core.registry import Registry

METRICS = Registry(
    "metric",
    {
        "warp": "vst.metrics.warp:make_one_frame_error",
        "warp-5": "vst.metrics.warp:make_five_frame_error",
        "warp-10": "vst.metrics.warp:make_ten_frame_error",
        "structure": "vst.metrics.structure:Structure",
        "tile-drift": "vst.metrics.tile_drift:TileDrift",
        "trail": "vst.metrics.trail:Trail",
        "content-structure": "vst.metrics.structure:ContentStructure",
        "style": "vst.metrics.style:StyleDistance",
        "detail": "vst.metrics.detail:Detail",
        "sharpness": "vst.metrics.sharpness:Sharpness",
        "content-ssim": "vst.metrics.ssim:ContentSimilarity",
        "adjacent-ssim": "vst.metrics.ssim:AdjacentSimilarity",
        "adjacent-ssim-100": "vst.metrics.ssim:make_patch_similarity",
        "variation": "vst.metrics.variation:TotalVariation",
        "lpips": "vst.metrics.judged:make_one_frame_lpips",
        "lpips-10": "vst.metrics.judged:make_ten_frame_lpips",
        "content-lpips": "vst.metrics.judged:ContentLpips",
        "vgg-style": "vst.metrics.judged:JudgedStyle",
        "vgg-content": "vst.metrics.judged:JudgedContent",
        "alexnet-style": "vst.metrics.judged:JudgedStyle",
    },
)
"""Name -> class or function that makes a `Metric`."""
