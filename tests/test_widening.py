"""A painter with more channels paints what it painted before, until it is trained."""

from __future__ import annotations

import numpy as np

from vst.nets import weight_files
from vst.nets.embedded import Painter, PainterPlan
from vst.research.training.widening import widen

SMALL = PainterPlan(channels=8, blocks=1, stem=4, phases=4, fine=8, reach=3)
WIDE = PainterPlan(channels=16, blocks=3, stem=4, phases=8, fine=12, reach=3)


def test_a_wider_painter_paints_the_same() -> None:
    rng = np.random.default_rng(0)
    narrow, wide = Painter(SMALL), Painter(WIDE)
    weight_files.assign_arrays(wide, widen(weight_files.export_arrays(narrow), WIDE))
    frames = rng.random((2, 24, 32, 3)).astype(np.float32)
    styles = rng.normal(size=(2, 100)).astype(np.float32)
    found, wanted = (np.asarray(one(frames, styles)) for one in (wide, narrow))
    assert np.abs(found - wanted).max() < 1e-5


def test_the_sizes_of_a_painter_are_read_off_its_weights() -> None:
    assert PainterPlan.read(weight_files.export_arrays(Painter(WIDE))) == WIDE
