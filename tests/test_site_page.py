"""The page of `vst export web`: it paints what Python paints, and what one takes away is whole.
Screenshots stay in `out/site`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.conftest import make_film
from tests.site_page import MISSING, SHOTS, Visitor, compute_psnr, list_builtin, serve
from vst.core.types import Picture
from vst.engines.embedded import EmbeddedEngine
from vst.plotting import save_picture
from vst.samples import draw_pattern, draw_photo
from vst.samples.film import write_content
from vst.schedule.score import parse_score
from vst.schedule.score.model import Clock
from vst.schedule.timeline import Mix, Timeline
from vst.video.sources import open_source

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
TIMES = (0.21, 0.45, 0.81)
WIDTH, HEIGHT = 384, 256
"""The content's size; its shorter side is what the page paints at first."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lake.png and large.png, pictures; lake.mp4, 3 s with sound; colors.mp4, three colors in 3 s;
    glass.png, a style.
    """
    folder = tmp_path_factory.mktemp("files")
    save_picture(folder / "lake.png", draw_photo(WIDTH, HEIGHT))
    save_picture(folder / "large.png", draw_photo(1440, 960))
    write_content(folder / "lake.mp4", width=WIDTH, height=HEIGHT, duration=3)
    make_film(folder / "colors.mp4")
    save_picture(folder / "glass.png", draw_pattern("stained-glass", 640, 400))
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    """Python's painter."""
    with EmbeddedEngine() as opened:
        yield opened


def read_timeline(web: Visitor) -> Timeline:
    """The timeline of the score that the page saves; its times are shares of the whole."""
    path = web.download("#save-score")
    return parse_score(path.read_text(encoding="utf-8")).make_timeline(Clock(0.0, 1.0, 25.0))


def paint(engine: EmbeddedEngine, site: Path, frame: Picture, mix: Mix) -> Picture:
    """Paint as `vst stylize` does, with the styles of the site."""
    known = list_builtin(site)
    engine.reset()
    engine.prepare({name: np.float32(known[name]["embedding"]) for name in mix.weights})
    return engine.paint(frame[None], [mix])[0]


def test_the_first_picture_is_painted_on_arrival_in_several_threads(web: Visitor) -> None:
    assert web.js("return crossOriginIsolated")
    assert "threads" in web.text("#backend")
    assert len(np.unique(web.painting().reshape(-1, 3), axis=0)) > 1000
    web.shot(SHOTS / "wide.png")


def test_a_picture_is_painted_as_by_python_at_three_moments(
    web: Visitor, web_site: Path, files: Path, engine: EmbeddedEngine
) -> None:
    web.take(files / "lake.png")
    timeline, frame = read_timeline(web), draw_photo(WIDTH, HEIGHT)
    likeness = [
        compute_psnr(web.move_to(time), paint(engine, web_site, frame, timeline.at(time)))
        for time in TIMES
    ]
    print("picture:", *(f"{value:.1f} dB" for value in likeness))
    assert min(likeness) >= 35


def test_a_film_is_painted_as_by_python_at_three_moments(
    web: Visitor, web_site: Path, files: Path, engine: EmbeddedEngine
) -> None:
    web.take(files / "lake.mp4")
    timeline = read_timeline(web)
    with open_source(files / "lake.mp4") as source:
        frames = [frame.picture for frame in source.frames()]
    likeness = [
        compute_psnr(
            web.move_to(time),
            paint(engine, web_site, frames[int(time * len(frames))], timeline.at(time)),
        )
        for time in TIMES
    ]
    print("film:", *(f"{value:.1f} dB" for value in likeness))
    assert min(likeness) >= 35


def test_a_weak_strength_is_painted_as_by_python(
    web: Visitor, web_site: Path, files: Path, engine: EmbeddedEngine
) -> None:
    web.take(files / "lake.png")
    web.set("#set-strength", 0.5)
    timeline, frame = read_timeline(web), draw_photo(WIDTH, HEIGHT)
    found = web.move_to(0.3)
    assert timeline.at(0.3).strength == 0.5
    assert compute_psnr(found, paint(engine, web_site, frame, timeline.at(0.3))) >= 35


def test_the_fake_camera_is_painted_again_and_again(web: Visitor) -> None:
    web.click("#camera")
    web.wait(lambda: "Camera" in web.text("#content-name"), "the camera")
    before, first = web.painted(), web.painting("filmed")
    web.wait(lambda: web.painted() > before + 5, "more frames")
    assert not np.array_equal(first, web.painting("filmed"))
    assert "frames a second" in web.text("#speed")
    web.shot(SHOTS / "camera.png")


def test_a_recording_has_the_painting_and_the_sound_and_plays(web: Visitor, files: Path) -> None:
    web.take(files / "lake.mp4")
    web.click("#record")
    web.wait(lambda: web.js("return document.getElementById('result').open"), "the recording")
    web.wait(
        lambda: web.js(
            "const v = document.getElementById('result-video'); v.muted = true; v.play();"
            "return v.videoWidth === arguments[0] && v.currentTime > 0.2", WIDTH
        ),
        "a player that plays it",
    )  # fmt: skip
    path = web.download("#result-save")
    with av.open(str(path)) as recorded:
        assert {stream.type for stream in recorded.streams} == {"video", "audio"}
        pictures = [frame.to_ndarray(format="rgb24") for frame in recorded.decode(video=0)]
    with av.open(str(path)) as recorded:
        sound = np.concatenate([one.to_ndarray().ravel() for one in recorded.decode(audio=0)])
    assert len(pictures) >= 3 and pictures[0].shape == (HEIGHT, WIDTH, 3)
    assert np.abs(sound).max() > 0.01
    web.shot(SHOTS / "recording.png")


def test_the_saved_picture_is_the_painting(web: Visitor, files: Path) -> None:
    web.take(files / "lake.png")
    web.set("#wipe", 50)
    path = web.download("#save-picture")
    np.testing.assert_array_equal(np.asarray(Image.open(path).convert("RGB")), web.painting())


def test_without_the_server_the_page_opens_and_paints(
    visitor: Visitor, web_site: Path, files: Path
) -> None:
    with serve(web_site) as address:
        visitor.arrive(address)
        assert visitor.js("return document.body.dataset.offline") == "1"
    visitor.arrive(address)
    visitor.take(files / "lake.png")
    assert "threads" in visitor.text("#backend")
    visitor.complaints()
