"""The verdict where the unstabilized painting is not known: strong styles keep the content's edges,
faults of a film do not pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from vst.core.types import Picture
from vst.evaluation.measure import evaluate
from vst.pipeline.parts import open_engine
from vst.plotting import save_picture
from vst.samples.figure import FigureClip
from vst.styles.library import get_style

STYLES = ("stained-glass", "bold-ink", "zebra", "soft-watercolour", "comic-dots")
"""Strong styles, and the softest."""
MEASURES = ["warp", "content-structure", "detail"]
COUNT = 24


@pytest.fixture(scope="module")
def contents() -> list[Picture]:
    clip = FigureClip(320, 180, COUNT, pan=2.5)
    return [clip.layers(index).picture for index in range(COUNT)]


@pytest.fixture(scope="module", params=STYLES)
def painted(request: pytest.FixtureRequest, contents: list[Picture]) -> list[Picture]:
    embedding = get_style(request.param).embedding[None]
    with open_engine("embedded") as engine:
        return [engine.stylize(picture[None], embedding)[0] for picture in contents]


def judge(folder: Path, contents: Sequence[Picture], painted: Sequence[Picture]) -> str:
    """Return the verdict on a film without a word on flicker: nothing here is stabilized."""
    paths = []
    for name, pictures in (("content", contents), ("film", painted)):
        (folder / name).mkdir()
        for index, picture in enumerate(pictures):
            save_picture(folder / name / f"{index:03}.png", picture)
        paths.append(str(folder / name))
    return evaluate(paths[1], paths[0], measures=MEASURES).verdict.partition("; flickers")[0]


@pytest.mark.slow
def test_a_fresh_painting_in_a_strong_style_keeps_the_content_s_edges(
    tmp_path: Path, contents: list[Picture], painted: list[Picture]
) -> None:
    verdict = judge(tmp_path, contents, painted)
    assert "edges" not in verdict.replace("keeps the content's edges", "")
    assert "blurred" not in verdict


@pytest.mark.slow
def test_a_film_that_stays_at_one_frame_loses_them_from_there_on(
    tmp_path: Path, contents: list[Picture], painted: list[Picture]
) -> None:
    stuck = [painted[min(index, 8)] for index in range(COUNT)]
    assert "loses the content's edges (" in judge(tmp_path, contents, stuck)


@pytest.mark.slow
def test_the_painting_of_another_film_loses_them(
    tmp_path: Path, contents: list[Picture], painted: list[Picture]
) -> None:
    other = [np.ascontiguousarray(picture[::-1, ::-1]) for picture in painted]
    assert "loses the content's edges (worst" in judge(tmp_path, contents, other)


@pytest.mark.slow
def test_a_blurred_painting_is_called_blurred(
    tmp_path: Path, contents: list[Picture], painted: list[Picture]
) -> None:
    soft = [cv2.GaussianBlur(picture, (0, 0), 3) for picture in painted]
    assert "is blurred" in judge(tmp_path, contents, soft)
