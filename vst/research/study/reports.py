"""Figures of the reports that this project grew from, for comparison with a study's rows."""

from __future__ import annotations

BACKBONES = (
    {"backbone": "VGG19", "time": "25.2", "total variation loss": "51,398.95"},
    {"backbone": "Xception", "time": "804.3", "total variation loss": "99,898.414"},
    {"backbone": "EfficientNetB7", "time": "2,574.4", "total variation loss": "34,714.414"},
)
BACKBONES_SOURCE = (
    "ImageNet weights; style from block1_conv1, block3_conv1 and block5_conv1, content from "
    "block5_conv2. Other pictures on another machine: of the times only the proportions can be "
    "compared, of the variation (a sum over a picture whose size is not given) not even those."
)

OPTIMIZERS = (
    {"what": "a 512×342 picture, Adam or L-BFGS, 300 steps", "time": "10 to 15 s"},
    {"what": "62 frames of 512×374, frame by frame", "time": "9 minutes: 9 s a frame"},
    {"what": "the same with flow", "time": "20 to 30 minutes"},
)
OPTIMIZERS_SOURCE = (
    "VGG19 with ImageNet weights, block4_conv2 and blockN_conv1, on an RTX 3080; Adam with 0.02, "
    "0.9, 0.999 and 0.1, looked at after 20, 100 and 300 steps."
)

VIDEO = (
    {
        "clip and style": "scenery, wave",
        "measure": "adjacent SSIM in patches",
        "feed-forward": "0.40",
        "with noise loss": "0.59",
        "with flow losses": "0.66",
    },
    {
        "clip and style": "woodpecker, Van Gogh",
        "measure": "adjacent SSIM in patches",
        "feed-forward": "0.68",
        "with noise loss": "0.85",
        "with flow losses": "0.88",
    },
    {
        "clip and style": "alley_2, Candy",
        "measure": "E(V)",
        "feed-forward": "–",
        "with noise loss": "–",
        "with flow losses": "0.0821 (Chen 2017: 0.0934)",
    },
    {
        "clip and style": "market_6, Candy",
        "measure": "E(V)",
        "feed-forward": "–",
        "with noise loss": "–",
        "with flow losses": "0.0801 (Chen 2017: 0.1030)",
    },
    {
        "clip and style": "not named",
        "measure": "content SSIM",
        "feed-forward": "–",
        "with noise loss": "0.40",
        "with flow losses": "0.52",
    },
)
VIDEO_SOURCE = (
    "Networks with VGG16 losses, trained for hours on large pictures (with flow: three hours on a "
    "Tesla P100 with MPI Sintel); other clips and styles. Optimization took 9 s a frame there, 20 "
    "to 30 s with flow (RTX 3080); the trained network 21 to 100 ms."
)
