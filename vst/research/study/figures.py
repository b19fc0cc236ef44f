"""What a study measures, in the words and the order of its table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number: the head of its column, and a line that says what it is."""

    head: str
    about: str


FIGURES: dict[str, Figure] = {
    "training": Figure("training, min", "minutes of training of its network, before any painting"),
    "startup": Figure("start, s", "seconds until the engine is open"),
    "seconds": Figure("seconds", "seconds of painting, preparing and making functions included"),
    "processor": Figure(
        "processor, s",
        "seconds of all cores together, which other work on the machine changes less",
    ),
    "seconds_per_frame": Figure(
        "s a frame", "seconds for each further frame: painting, stabilising, writing"
    ),
    "processor_per_frame": Figure("processor, s a frame", "the same in seconds of all cores"),
    "steps": Figure("steps", "steps that the optimiser took"),
    "loss_before": Figure("loss before", "what the optimiser began with"),
    "loss": Figure("loss", "what it ended with; comparable within one backbone alone"),
    "variation": Figure(
        "variation", "total variation: sum of absolute differences of neighbours, for each pixel"
    ),
    "variation_sum": Figure("variation, sum", "the same over all pixels, as the reports print it"),
    "style": Figure(
        "style distance",
        "distance of the painting's style numbers from the style's, lower is nearer",
    ),
    "content_ssim": Figure("content SSIM", "likeness to the content, higher is nearer"),
    "warp": Figure(
        "E", "warp error: mean squared difference to the frame before, moved along the flow"
    ),
    "warp_root": Figure("√E", "E(V) in the reports' form: the root, over all pixels"),
    "adjacent_ssim": Figure("adjacent SSIM", "likeness of each frame to the one before, unmoved"),
    "adjacent_ssim_100": Figure(
        "in patches", "the same over patches of 100 × 100, as in the reports"
    ),
}
"""Name -> what it is."""
