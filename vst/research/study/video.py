"""Compares every method on the same clip: time, steadiness, and likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vst.core.registry import make_unknown_error
from vst.core.types import Picture
from vst.errors import MissingFileError
from vst.evaluation.comparison import STRIP, THUMB
from vst.imaging.resize import resize
from vst.plotting.report import join_side_by_side
from vst.research.study import reports
from vst.research.study.base import Case, Study, select_cases
from vst.research.study.content import (
    Subject,
    collect_pictures,
    replace_drawn_styles,
    resolve_subject_styles,
    write_clip,
)
from vst.research.study.networks import Network, Training, build_trained_case
from vst.research.study.options import refuse
from vst.research.study.painting import build_film_case
from vst.video.sources import open_source

ALONE = {"init": "content", "temporal_weight": 0.0, "long_term_weight": 0.0}
"""Options of ``gatys`` with which every frame is painted by itself."""
NETWORKS = {
    "fast": Network("feed-forward", "fast", {"noise_weight": 0.0}),
    "noise": Network("feed-forward, noise loss", "fast", {}),
    "temporal": Network("feed-forward, flow losses", "temporal", {}),
}
"""Name -> the network of a row."""
STEADY, RAW = "steady", "off"


@dataclass(frozen=True)
class VideoMethods:
    """The methods of the rows.

    ``magenta``: its model, or None. ``networks``: name in `NETWORKS` -> a network's file; the
    others are trained. ``gatys``: options of every optimized row.
    """

    training: Training = field(default_factory=Training)
    networks: Mapping[str, str] = field(default_factory=dict)
    magenta: str | None = None
    gatys: Mapping[str, Any] = field(default_factory=dict)


def plan_video(
    subject: Subject, folder: Path, ways: VideoMethods, only: Sequence[str] = ()
) -> Study:
    """Plan the first seconds of a video by every method, each with and without a stabilizer where
    it helps.
    """
    refuse(ways.gatys, ("engine", "model", "stabilize", "previous_style", *ALONE))
    subject = replace_drawn_styles(subject, folder)
    clip = write_clip(subject, folder)
    cases = [
        *build_optimized_cases(subject, clip, ways),
        *build_network_cases(subject, clip, folder, ways),
    ]
    cases += build_model_cases(subject, clip, ways)
    content, rate = draw_strip(clip)
    return Study(
        name="video",
        title=f"Methods for painting a video: {subject.names()}",
        cases=select_cases(cases, only),
        about=[
            f"{subject.seconds:g} s from {subject.start:g} s on, at {subject.size} pixels.",
            "All methods got the same clip and painted at its size.",
            f"Style distance by the predictor of {subject.predictor}.",
            "The predictor's own model was trained with it, which favors it.",
            "E and √E reward blur, and a method that changes nothing.",
            "Read them with the style distance and the content SSIM.",
            f"Networks: {ways.training.describe()}.",
        ],
        shown={"The content": content, **collect_pictures(resolve_subject_styles(subject))},
        reported=reports.VIDEO,
        source=reports.VIDEO_SOURCE,
        rate=rate,
    )


def draw_strip(clip: Path) -> tuple[Picture, float]:
    """Draw frames of the clip in a row; returns them with the clip's frame rate."""
    with open_source(clip) as source:
        info = source.info
        at = {round((i + 0.5) * info.frames / STRIP) for i in range(STRIP)}
        frames = [
            resize(frame.picture, round(info.width * THUMB / info.height), THUMB)
            for frame in source.frames()
            if frame.index in at
        ]
    return join_side_by_side(frames), float(info.rate)


def build_optimized_cases(subject: Subject, clip: Path, ways: VideoMethods) -> list[Case]:
    """Build the rows of engine ``gatys``."""
    rows: list[tuple[str, dict[str, Any], str]] = [
        ("frame by frame", ALONE, RAW),
        ("frame by frame", ALONE, STEADY),
        ("last painting as style (dropped by the report)", {**ALONE, "previous_style": 0.5}, RAW),
        ("warped start, temporal loss", {}, RAW),
        ("warped start, temporal loss", {}, STEADY),
    ]
    return [
        build_film_case(
            name_case(f"optimized, {name}", stabilize),
            subject,
            clip,
            {"engine": "gatys", **ways.gatys, **own, "stabilize": stabilize},
        )
        for name, own, stabilize in rows
    ]


def build_network_cases(
    subject: Subject, clip: Path, folder: Path, ways: VideoMethods
) -> list[Case]:
    """Build the rows of engine ``fast``, with networks that are given or trained."""
    cases = []
    for name, network in NETWORKS.items():
        training = replace(
            ways.training,
            kind=network.kind,
            given=ways.networks.get(name),
            options={**ways.training.options, **network.options},
        )
        for stabilize in (RAW, STEADY):
            label, painting = name_case(network.label, stabilize), {"stabilize": stabilize}
            cases.append(build_trained_case(label, subject, clip, folder, training, painting))
    return cases


def build_model_cases(subject: Subject, clip: Path, ways: VideoMethods) -> list[Case]:
    """Build the rows of engines that paint any style: segmented, Magenta's, and embedded."""
    rows: list[tuple[str, dict[str, Any]]] = [
        ("embedded, segmented", {"engine": "embedded", "mask": "auto", "stabilize": RAW}),
        ("embedded, segmented", {"engine": "embedded", "mask": "auto", "stabilize": STEADY}),
    ]
    if ways.magenta is not None:
        own = {"engine": "magenta", "model": ways.magenta}
        rows += [("Magenta", {**own, "stabilize": kind}) for kind in (RAW, STEADY)]
    rows += [
        ("embedded", {"engine": "embedded", "stabilize": kind})
        for kind in (RAW, STEADY, "gaussian")
    ]
    return [
        build_film_case(name_case(name, options["stabilize"]), subject, clip, options)
        for name, options in rows
    ]


def name_case(name: str, stabilize: str) -> str:
    """Name a row."""
    return name if stabilize == RAW else f"{name}, stabilized ({stabilize})"


def parse_networks(texts: Sequence[str]) -> dict[str, str]:
    """Parse ``NAME=FILE`` for each, by the names in `NETWORKS`."""
    found = {}
    for text in texts:
        name, sign, file = text.partition("=")
        if name not in NETWORKS:
            raise make_unknown_error("network", name, NETWORKS)
        if not sign or not Path(file).is_file():
            raise MissingFileError(f"network {text!r}: {file!r} is not a file. Give {name}=FILE")
        found[name] = file
    return found
