"""Styles and settings on the page of `vst export web`: pictures, a style film, scores and links."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import make_film
from tests.site_page import MISSING, Visitor, list_builtin
from vst.engines.embedded import EmbeddedEngine
from vst.plotting import save_picture
from vst.samples import draw_pattern
from vst.schedule.score import parse_score
from vst.schedule.score.model import Clock

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
SCORE = """\
ease: sine
hold: 0.2
keys:
  - {at: 0, style: "@zebra"}
  - {at: 50%, style: {"@ink-wash": 0.5, "@indigo-waves": 0.5}, strength: 0.6}
  - {at: 100%, style: none}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """glass.png and ink.png, styles; colors.mp4, one color in each of three seconds."""
    folder = tmp_path_factory.mktemp("styles")
    save_picture(folder / "glass.png", draw_pattern("stained-glass", 640, 400))
    save_picture(folder / "ink.png", draw_pattern("ink-wash", 300, 500))
    make_film(folder / "colors.mp4")
    return folder


def saved_score(web: Visitor) -> str:
    """The text of the score that the page saves."""
    return web.download("#save-score").read_text(encoding="utf-8")


def read_style(web: Visitor, name: str) -> np.ndarray:
    """The embedding of a style, from the link that the page makes."""
    code = """
    const [name] = arguments, hash = new URL(location.href).hash.split("=")[1];
    const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")),
      (letter) => letter.charCodeAt(0));
    const { styles } = JSON.parse(new TextDecoder().decode(bytes(hash)));
    return [...new Float32Array(bytes(styles.find((one) => one.name === name).numbers).buffer)];
    """
    return np.float32(web.js(code, name))


def test_a_picture_of_ones_own_has_the_embedding_that_python_gives_it(
    web: Visitor, files: Path
) -> None:
    web.click("#clear")
    web.upload("#style-file", files / "glass.png", files / "ink.png")
    web.wait_for(".key", 2)
    web.click("#share")
    web.wait(lambda: "#setting" in web.js("return location.href"), "the link")
    with EmbeddedEngine() as engine:
        for name in ("glass", "ink"):
            picture = cv2.imread(str(files / f"{name}.png"))[..., ::-1]
            wanted, found = engine.embed(np.ascontiguousarray(picture)), read_style(web, name)
            cosine = wanted @ found / np.linalg.norm(wanted) / np.linalg.norm(found)
            print(f"{name}: cosine {cosine:.4f}")
            assert cosine > 0.99


def test_a_style_film_gives_a_key_from_the_middle_of_each_segment(
    web: Visitor, files: Path
) -> None:
    web.click("#clear")
    web.set("#keyframes", 3)
    web.upload("#style-file", files / "colors.mp4")
    web.wait_for(".key", 3)
    score = parse_score(saved_score(web))
    assert {style.path for style in score.styles.values()} == {"colors.mp4"}
    assert [style.at for style in score.styles.values()] == pytest.approx([0.5, 1.5, 2.5], abs=0.01)


def test_a_saved_score_has_the_mixes_of_the_score_that_was_opened(
    web: Visitor, tmp_path: Path
) -> None:
    (tmp_path / "given.yaml").write_text(SCORE, encoding="utf-8")
    web.upload("#score-file", tmp_path / "given.yaml")
    web.wait(lambda: "open" in web.text("#keep-said"), "the score")
    assert web.js("return document.querySelectorAll('.key')[2].title").startswith("as filmed")
    clock = Clock(0.0, 8.0, 25.0)
    given, saved = (parse_score(text).make_timeline(clock) for text in (SCORE, saved_score(web)))
    for time in np.linspace(0, 8, 17):
        one, other = given.at(float(time)), saved.at(float(time))
        assert dict(one.weights) == pytest.approx(dict(other.weights), abs=1e-6)
        assert (one.strength, one.blend) == (pytest.approx(other.strength, abs=1e-6), other.blend)


def test_a_score_with_files_of_its_own_waits_for_them(
    web: Visitor, files: Path, tmp_path: Path
) -> None:
    text = (
        "styles:\n  mine: pictures/glass.png\n  clip: {path: colors.mp4, at: 2.5}\n"
        "keys:\n  - {at: 0, style: mine}\n  - {at: 100%, style: clip}\n"
    )
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    web.upload("#score-file", tmp_path / "own.yaml")
    web.wait(lambda: "needs glass.png, colors.mp4" in web.text("#keep-said"), "what is missing")
    web.upload("#style-file", files / "glass.png", files / "colors.mp4")
    web.wait(lambda: "open" in web.text("#keep-said"), "the score")
    score = parse_score(saved_score(web))
    assert [dict(key.weights) for key in score.keys] == [{"mine": 1.0}, {"clip": 1.0}]
    assert score.styles["clip"].at == 2.5


def test_a_wrong_score_is_refused_with_its_line(web: Visitor, tmp_path: Path) -> None:
    before = web.count(".key")
    (tmp_path / "wrong.yaml").write_text(
        "keys:\n  - {at: 0, style: none}\nspeed: 2\n", encoding="utf-8"
    )
    web.upload("#score-file", tmp_path / "wrong.yaml")
    web.wait(lambda: "Line 3" in web.text("#notice"), "the mistake")
    assert web.count(".key") == before


def test_a_link_opens_the_setting_with_its_own_styles(
    web: Visitor, web_site: Path, files: Path
) -> None:
    web.click("#clear")
    web.upload("#style-file", files / "glass.png")
    web.wait_for(".key")
    web.click('[data-style="@zebra"]')
    web.set("#set-strength", 0.8)
    web.click("#share")
    web.wait(lambda: "#setting" in web.js("return location.href"), "the link")
    link, score, painting = web.js("return location.href"), saved_score(web), web.move_to(0.25)
    web.arrive(link)
    assert saved_score(web) == score
    np.testing.assert_array_equal(web.move_to(0.25), painting)
    assert "@zebra" in list_builtin(web_site)


def test_a_damaged_link_is_explained(web: Visitor, web_address: str) -> None:
    web.arrive(f"{web_address}#setting=eyJ")
    assert "link" in web.text("#notice") and "cannot be read" in web.text("#notice")
    assert web.count(".key") == 3, "the page begins as always"


def test_keys_are_added_moved_and_removed_with_the_keyboard(web: Visitor) -> None:
    web.js("document.querySelector('.key').focus()")
    web.press("ArrowRight")
    web.js("document.querySelectorAll('.key')[1].focus()")
    web.press("Delete")
    score = parse_score(saved_score(web))
    assert [key.at.value for key in score.keys] == pytest.approx([1.0, 66.6667], abs=0.001)
