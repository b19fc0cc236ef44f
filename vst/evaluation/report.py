"""The report of an evaluation, as one HTML page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vst.evaluation.guide import describe_measured
from vst.evaluation.results import Evaluation
from vst.plotting.report import HtmlReport, draw_heat_map, join_side_by_side


def build_report(evaluation: Evaluation) -> HtmlReport:
    """Build the page: the table, curves over time, strips of frames, flicker maps."""
    first = evaluation.videos[0]
    page = HtmlReport(f"{Path(first.path).name}: measured against {Path(evaluation.content).name}")
    width, height = evaluation.size
    note = f"{first.frames} frames, compared at {width} × {height}"
    if evaluation.cuts:
        note += f"; scene cuts at frames {', '.join(map(str, evaluation.cuts))}"
    if evaluation.predictor:
        note += f"; style by the predictor of {evaluation.predictor}"
    if evaluation.judge:
        note += f"; judged by {', '.join(evaluation.judge)}"
    if evaluation.protocol:
        note += f"; protocol {evaluation.protocol}"
    if evaluation.verdict:
        page.heading(evaluation.verdict)
    page.heading("In all", note)
    page.table(*evaluation.rows())
    page.heading("What the numbers say", describe_measured())
    page.table(*evaluation.explain(), words=True)
    add_strips(page, evaluation)
    add_maps(page, evaluation)
    page.heading("Over time")
    for name, score in first.scores.items():
        page.heading(f"{name}: {score.better} is better", score.unit)
        series = {Path(v.path).name: v.scores[name].values for v in evaluation.videos}
        page.curves(series, evaluation.rate)
    return page


def add_strips(page: HtmlReport, evaluation: Evaluation) -> None:
    """Add frames along the video: the content, each painting, and its flicker in those frames."""
    if not evaluation.strip:
        return
    times = ", ".join(f"{frame / evaluation.rate:.2f}" for frame in evaluation.strip_frames)
    page.heading("Frames", f"At {times} seconds. Flicker: bright where the paint changed.")
    page.picture(join_side_by_side(evaluation.strip), f"{Path(evaluation.content).name}: content")
    peaks = [float(one.max()) for video in evaluation.videos for one in video.strip_maps]
    hottest = max([0.01, *peaks]) / 2
    for video in evaluation.videos:
        name = Path(video.path).name
        page.picture(join_side_by_side(video.strip), name)
        if video.strip_maps:
            maps = [draw_heat_map(one, hottest) for one in video.strip_maps]
            page.picture(join_side_by_side(maps), f"{name}: flicker, white {hottest:.2f} and above")


def add_maps(page: HtmlReport, evaluation: Evaluation) -> None:
    """Add the maps over the whole video: the flicker, and those of the other measures."""
    first = evaluation.videos[0]
    maps = {v.path: v.flicker for v in evaluation.videos if v.flicker is not None}
    if maps:
        hottest = max(float(np.percentile(found, 99.5)) for found in maps.values())
        page.heading(
            "Where it flickers",
            "Mean absolute difference of each frame and the one before, moved along the content's "
            f"flow: black 0, white {hottest:.3f} and above (of 1). One scale for all.",
        )
        for path, found in maps.items():
            page.picture(
                draw_heat_map(found, hottest), f"{Path(path).name}: mean {float(found.mean()):.4f}"
            )
    for title in first.maps:
        shown = {v.path: v.maps[title] for v in evaluation.videos if title in v.maps}
        highest = max(float(np.percentile(found, 99.5)) for found in shown.values()) or 1.0
        page.heading(title, f"Mean over the frames: black 0, white {highest:.3g} and above.")
        for path, found in shown.items():
            page.picture(draw_heat_map(found, highest), Path(path).name)
