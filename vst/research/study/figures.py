"""What a study measures, in the words and the order of its table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number: the head of its column, and a line that explains it."""

    head: str
    about: str


FIGURES: dict[str, Figure] = {
    "training": Figure("training, min", "minutes of training of its network, before any painting"),
    "startup": Figure("start, s", "seconds until the engine is open"),
    "seconds": Figure("seconds", "seconds of painting, with preparation and compiled functions"),
    "processor": Figure(
        "CPU time, s",
        "CPU seconds of all cores, which depend less on other work of the machine",
    ),
    "seconds_per_frame": Figure(
        "s a frame", "seconds for each further frame: painting, stabilizing, writing"
    ),
    "processor_per_frame": Figure("CPU time, s a frame", "the same in CPU seconds of all cores"),
    "steps": Figure("steps", "steps of the optimizer"),
    "loss_before": Figure("loss before", "the loss before the first step"),
    "loss": Figure("loss", "the loss after the last step; comparable within one backbone only"),
    "variation": Figure(
        "variation", "total variation: sum of absolute differences of neighbors, for each pixel"
    ),
    "variation_sum": Figure("variation, sum", "the same over all pixels, as the reports print it"),
    "style": Figure(
        "style distance",
        "distance of the painting's style embedding from the style's; lower is nearer",
    ),
    "content_ssim": Figure("content SSIM", "similarity to the content; higher is nearer"),
    "warp": Figure(
        "E", "warp error: mean squared difference from the previous frame, warped along the flow"
    ),
    "warp_root": Figure("√E", "E(V) in the reports' form: the square root, over all pixels"),
    "adjacent_ssim": Figure(
        "adjacent SSIM", "similarity of each frame to the previous one, not warped"
    ),
    "adjacent_ssim_100": Figure(
        "in patches", "the same over patches of 100 × 100, as in the reports"
    ),
}
"""Name -> figure."""
