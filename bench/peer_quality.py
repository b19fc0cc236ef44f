"""What the peers' pictures look like, by networks that none of them was chosen on: the protocol of
docs/protocol.md, with and without the stabilizer of this package, and one frame by everyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from peer_list import Peer
from peer_runs import read_video

from vst.evaluation.measure import EvaluationOptions, evaluate
from vst.nets.judges import Judge
from vst.plotting import draw_sheet, save_picture
from vst.samples.film import write_clip
from vst.stabilizers.steady import Steady, choose_settings
from vst.video.scene_cuts import CutDetector

SIDE = 256
STYLE_MEASURES = ("vgg-style", "alexnet-style")


def write_shorter(source: Path, target: Path, count: int) -> Path:
    """The first frames of a film at `SIDE` pixels on its shorter side, as a film at 24 fps."""
    reader, frames = cv2.VideoCapture(str(source)), []
    while len(frames) < count:
        good, frame = reader.read()
        if not good:
            break
        scale = SIDE / min(frame.shape[:2])
        size = (round(frame.shape[1] * scale / 4) * 4, round(frame.shape[0] * scale / 4) * 4)
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        frames.append(np.ascontiguousarray(small[..., ::-1]))
    return write_clip(target, frames, *size, 24, None)


def stabilize_video(content: Path, painted: Path, target: Path) -> Path:
    """A painted video after the stabilizer, flushed and reset at cuts as `vst stylize` does."""
    stabilizer, cuts = Steady(choose_settings()), CutDetector()
    found: list[np.ndarray] = []
    for index, (frame, painting) in enumerate(zip(read_video(content), read_video(painted))):
        if cuts.is_cut(frame) and index:
            found += stabilizer.flush()
            stabilizer.reset()
        found += stabilizer.step(frame, painting)
    found += stabilizer.flush()
    height, width = found[0].shape[:2]
    return write_clip(target, found, width, height, Fraction(30000, 1001), None)


def judge_video(
    peer: Peer, painted: Path, content: Path, style: Path, judge: Judge
) -> dict[str, float]:
    """The figures of the protocol; those of the style only for a peer that was given it."""
    options = EvaluationOptions(styles=[str(style)], judge=judge, protocol=True)
    scores = evaluate(str(painted), str(content), options).videos[0].scores
    return {
        name: score.total
        for name, score in scores.items()
        if peer.takes_style or name not in STYLE_MEASURES
    }


def draw_frames(peers: Sequence[Peer], work: Path, names: Sequence[str], out: Path) -> None:
    """Draw the middle frame of the content, the style, and that frame by everyone."""
    content, style, *painted = names
    frames = {name: read_video(work / name) for name in (content, *painted)}
    pictures = [found[len(found) // 2] for found in frames.values()]
    picture = cv2.imread(str(work / style))
    pictures.insert(1, cv2.resize(picture, pictures[0].shape[1::-1])[..., ::-1])
    labels = ["content", "style", *(peer.name for peer in peers)]
    half = (len(pictures) + 1) // 2
    rows, texts = [pictures[:half], pictures[half:]], [labels[:half], labels[half:]]
    save_picture(out, draw_sheet(rows, texts, width=1280), 88)
