"""What objects show of themselves in a notebook."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import vst
from vst.core.html_repr import HTML_RENDERERS
from vst.engines.base import PictureEngine
from vst.errors import UsageError
from vst.notebook import display as notebook
from vst.notebook import players
from vst.notebook.mixer import Mixer
from vst.pipeline.run import Result
from vst.plotting import Look, plot_curves


def pictures(html: str) -> list[np.ndarray]:
    """The pictures that a piece of HTML carries."""
    packed = re.findall(r"data:image/(?:png|jpeg);base64,([^']+)'", html)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(p), np.uint8), 1) for p in packed]


def result(path: Path, warnings: tuple[str, ...] = ()) -> Result:
    return Result(str(path), 20, "10/1", 1.0, 0.5, 20.0, "tint", [], list(warnings))


def test_the_table_names_what_is_there() -> None:
    assert all(callable(HTML_RENDERERS[kind]) for kind in HTML_RENDERERS)


def test_a_timeline_is_its_picture() -> None:
    html = vst.Timeline.through(["a", "<b>"], 4.0)._repr_html_()
    (picture,) = pictures(html)
    assert picture.shape[1] == 900 and "2 keys, 4 s" in html
    assert len(html) < 200_000


def test_one_key_is_a_timeline_too() -> None:
    assert pictures(vst.Timeline.through(["a"], 0.0)._repr_html_())


def test_a_result_is_a_player_and_its_words_are_escaped(media: Path) -> None:
    html = result(media / "clip.mp4", ("a <b> & more",))._repr_html_()
    found = re.search(r"<video src='data:video/mp4;base64,([^']+)'", html)
    assert found and base64.b64decode(found[1]) == (media / "clip.mp4").read_bytes()
    assert "a &lt;b&gt; &amp; more" in html and "20 frames" in html


def test_a_large_result_is_a_strip(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(players, "MOST_BYTES", 100)
    html = result(media / "clip.mp4")._repr_html_()
    assert "<video" not in html and pictures(html)[0].shape[1] == players.STRIP_WIDTH


def test_a_result_whose_file_has_gone_still_shows_its_words(tmp_path: Path) -> None:
    html = result(tmp_path / "gone.mp4")._repr_html_()
    assert "<em>" in html and "20 frames" in html


def test_a_built_in_style_is_a_painted_swatch_beside_its_numbers() -> None:
    html = vst.get_style("@ink-wash")._repr_html_()
    painted, cells = pictures(html)
    assert painted.shape == (*notebook.SWATCH[::-1], 3)
    assert cells.shape[0] < cells.shape[1] and "ink-wash" in html


def test_a_style_of_another_space_shows_its_numbers_alone() -> None:
    style = vst.Style("far", "", "another-space", np.arange(7, dtype=np.float32))
    assert len(pictures(style._repr_html_())) == 1


STYLES = {
    "red": np.full((8, 8, 3), (230, 20, 20), np.uint8),
    "blue": np.full((8, 8, 3), (20, 20, 230), np.uint8),
}


@pytest.fixture
def mixer() -> Mixer:
    gray = np.full((48, 64, 3), 128, np.uint8)
    return Mixer(vst.open_engine("tint"), gray, STYLES)


def test_a_mixer_mixes(mixer: Mixer) -> None:
    red, blue = (mixer.paint({name: 2.0}).mean((0, 1)) for name in STYLES)
    both = mixer.paint({"red": 1.0, "blue": 1.0}).mean((0, 1))
    assert red[0] > both[0] > blue[0] and red[2] < both[2] < blue[2]
    assert (mixer.paint({"red": 0.0}) == 128).all()


def test_without_a_front_end_a_mixer_is_a_picture(mixer: Mixer) -> None:
    bundle = mixer._repr_mimebundle_()
    assert pictures(bundle["text/html"])[0].shape[1] == players.STRIP_WIDTH
    assert "red" in bundle["text/plain"]


def test_a_slider_repaints_the_picture(mixer: Mixer) -> None:
    widgets = pytest.importorskip("ipywidgets", reason="sliders need ipywidgets")
    box = mixer.widget()
    controls, screen = box.children
    before = screen.value
    assert [slider.description for slider in controls.children] == ["red", "blue", "strength"]
    controls.children[1].value = 1.0
    assert screen.value != before and isinstance(screen, widgets.Image)
    box.close_all()


class Whole(PictureEngine):
    """Paints whole styles, and knows no numbers."""

    name = "whole"

    def prepare(self, styles):
        pass

    def paint_style(self, frames, style):
        return frames


def test_a_chart_is_shown_as_a_png() -> None:
    chart = plot_curves({"a": [(0, 1.0), (1, 2.0)]}, Look(width=300, height=200))
    text = notebook.show(chart, "a < b")._repr_html_()
    assert "data:image/png" in text and "a &lt; b" in text


def test_an_engine_without_numbers_has_no_style_to_show() -> None:
    with pytest.raises(UsageError, match="whole"):
        notebook.as_style(Whole(), np.zeros(3, np.float32))


def test_players_carry_each_video(media: Path) -> None:
    html = players.players({"one": media / "clip.mp4", "two": media / "film.mp4"})._repr_html_()
    assert html.count("<video") == 2 and "one" in html and "two" in html
