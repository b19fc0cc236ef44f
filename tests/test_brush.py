"""Brush sizes: what is painted small is enlarged along the content's edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vst.core.types import Frame, Picture
from vst.engines.tint import TintEngine
from vst.imaging.guided_filter import enlarge_guided
from vst.imaging.resize import resize
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.samples import Landscape
from vst.schedule.timeline import Mix

CONTENT = Landscape(160, 90, grain=0.0).frame(1.0)


def paint(brush: float) -> Picture:
    engine = TintEngine()
    engine.prepare({"a": np.full((4, 4, 3), (200, 80, 40), np.uint8)})
    batch = FrameBatch([Frame(0, 0.0, CONTENT)], [CONTENT], [None])
    return FramePainter(engine, 160, 90).paint(batch, [Mix({"a": 1.0}, brush=brush)])[0]


def measure_gradient(picture: Picture) -> float:
    return float(np.abs(cv2.Laplacian(picture.astype(np.float32), cv2.CV_32F)).mean())


def test_a_painting_with_brush_1_is_what_the_engine_paints() -> None:
    engine = TintEngine()
    engine.prepare({"a": np.full((4, 4, 3), (200, 80, 40), np.uint8)})
    assert (paint(1.0) == engine.paint(CONTENT[None], [Mix({"a": 1.0})])[0]).all()


@pytest.mark.parametrize("brush", [0.25, 0.5])
def test_a_large_brush_keeps_the_edges_that_enlarging_blurs(brush: float) -> None:
    full = paint(1.0)
    small = resize(full, round(160 * brush), round(90 * brush))
    enlarged = resize(small, 160, 90)
    painted = paint(brush)
    error = np.abs(painted.astype(float) - full).mean()
    assert error < 0.6 * np.abs(enlarged.astype(float) - full).mean()
    assert measure_gradient(painted) > 1.3 * measure_gradient(enlarged)


def test_near_brush_1_the_painting_changes_little() -> None:
    difference = np.abs(paint(1.0).astype(float) - paint(0.92))
    assert difference.mean() < 4


def test_detail_that_the_guide_lacks_is_not_added() -> None:
    plain = np.full((90, 160, 3), 120, np.uint8)
    picture = np.full((22, 40, 3), (10, 200, 90), np.uint8)
    found = enlarge_guided(picture, plain)
    assert found.shape == (90, 160, 3) and found.dtype == np.uint8
    assert np.abs(found.astype(int) - np.array([10, 200, 90])).max() <= 1


def test_a_colored_half_stays_on_its_side_of_the_guide_s_edge() -> None:
    guide = np.zeros((80, 160, 3), np.uint8)
    guide[:, 83:] = 255
    picture = resize(np.where(guide > 0, (200, 40, 40), (20, 60, 220)).astype(np.uint8), 40, 20)
    found = enlarge_guided(picture, guide)
    assert np.abs(found[:, 80:82].astype(int) - (20, 60, 220)).max() < 25
    assert np.abs(found[:, 84:86].astype(int) - (200, 40, 40)).max() < 25
