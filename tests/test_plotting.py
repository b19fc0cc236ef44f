"""Sheets, grids, swatches and charts: sizes, places, and the files that they are written to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from vst.errors import OutputError, UsageError
from vst.plotting import (
    Look,
    Scales,
    crop_to_fill,
    draw_curves,
    draw_demo_sheet,
    draw_grid,
    draw_sheet,
    draw_swatches,
    fonts,
    measure_text,
    plot_curves,
    save_picture,
    write_text,
)
from vst.plotting.basics import LIGHT, shorten
from vst.plotting.charts import format_svg
from vst.plotting.scores import format_number, round_step
from vst.plotting.sheets import format_label_time

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def plain(color: tuple[int, int, int], height: int = 40, width: int = 60) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


def middle_of(picture: np.ndarray, color: tuple[int, int, int]) -> tuple[float, float]:
    """The middle (x, y) of all that has ``color``."""
    y, x = np.nonzero((picture == np.array(color)).all(-1))
    assert len(x), f"nothing is {color}"
    return float(x.mean()), float(y.mean())


@pytest.mark.parametrize("name", ["ä 画 é.png", "picture.jpg", "PICTURE.JPEG"])
def test_a_picture_is_written_and_read_again(tmp_path: Path, name: str) -> None:
    path = save_picture(tmp_path / name, plain(RED))
    back = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert np.abs(back[20, 30, ::-1].astype(int) - RED).max() <= 3


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.png or \.jpg"):
        save_picture(tmp_path / "picture.webp", plain(RED))


def test_saving_a_picture_in_a_missing_folder_raises_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_picture(tmp_path / "no" / "picture.png", plain(RED))


def test_saving_an_array_that_is_not_uint8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="uint8"):
        save_picture(tmp_path / "picture.png", np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]


def test_nothing_is_left_beside_a_written_picture(tmp_path: Path) -> None:
    save_picture(tmp_path / "picture.png", plain(RED))
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_text_takes_the_room_it_says() -> None:
    canvas = plain(LIGHT.background, 60, 300)
    write_text(canvas, "Blue swirls", (20, 10), 20, (0, 0, 0))
    _, x = np.nonzero((canvas != np.array(LIGHT.background)).any(-1))
    assert x.min() >= 20
    assert x.max() <= 20 + measure_text("Blue swirls", 20)[0] + 2


@pytest.mark.parametrize("place", [(-50, 5), (95, 55), (50, -80)])
def test_text_over_the_edge_is_cut_off(place: tuple[int, int]) -> None:
    canvas = plain(LIGHT.background, 60, 100)
    write_text(canvas, "over the edge", place, 20, (0, 0, 0))
    assert canvas.shape == (60, 100, 3)


def test_long_text_is_shortened_to_its_room() -> None:
    short = shorten("a very long name of a style", 16, 90)
    assert short.endswith("...")
    assert measure_text(short, 16)[0] <= 90


def test_characters_that_no_font_has_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FILES", ())
    monkeypatch.setattr(fonts, "_ask_fontconfig", lambda sign: "")
    fonts.find_font.cache_clear()
    try:
        assert fonts.replace_missing("Flüsse → 画") == "Flusse -> ?"
    finally:
        fonts.find_font.cache_clear()


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("Latin with accents", "Flüsse é ñ Łódź"),
        ("Cyrillic", "Звёздная ночь"),
        ("CJK", "星月夜"),
    ],
)
def test_labels_of_other_scripts_are_not_drawn_as_question_marks(script: str, text: str) -> None:
    if not all(fonts.has_font(sign) for sign in text):
        pytest.skip(f"this system has no font with {script}")
    assert fonts.replace_missing(text) == text
    drawn, marks = np.full((2, 60, 400, 3), 255, np.uint8)
    write_text(drawn, text, (10, 10), 24, (0, 0, 0))
    write_text(marks, "?" * len(text), (10, 10), 24, (0, 0, 0))
    assert (drawn != 255).any() and (drawn != marks).any()


def test_plain_text_is_drawn_with_pillow_s_own_font() -> None:
    assert set(map(fonts.find_font, "Blue swirls, 12.5 s (a_b-c)")) == {""}


def test_a_sheet_keeps_rows_in_order() -> None:
    made = draw_sheet([[plain(RED), plain(GREEN)], [plain(BLUE, 90, 30)]], [["a", "b"], ["c"]])
    (red_x, red_y), (green_x, green_y) = middle_of(made, RED), middle_of(made, GREEN)
    assert red_x < green_x
    assert red_y == pytest.approx(green_y, abs=1)
    assert middle_of(made, BLUE)[1] > red_y


@pytest.mark.parametrize("width", [400, 1280])
def test_a_sheet_is_as_wide_as_asked(width: int) -> None:
    rows = [[plain(RED, 30, 90)] * 5, [plain(BLUE, 90, 30)]]
    assert draw_sheet(rows, title="Title", captions=["one", "two"], width=width).shape[1] == width


def test_a_sheet_keeps_the_shape_of_its_pictures() -> None:
    made = draw_sheet([[plain(RED, 50, 100)]], tallest=100)
    y, x = np.nonzero((made == np.array(RED)).all(-1))
    assert (np.ptp(x) + 1) / (np.ptp(y) + 1) == pytest.approx(2, rel=0.03)


def test_a_sheet_without_pictures_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one in every row"):
        draw_sheet([])


def test_a_grid_puts_each_pair_in_its_place() -> None:
    made = draw_grid(
        [[plain(RED), plain(GREEN)], [plain(BLUE), plain(RED)]], ["a", "b"], ["x", "y"]
    )
    green, blue = middle_of(made, GREEN), middle_of(made, BLUE)
    assert green[0] > blue[0]
    assert green[1] < blue[1]


def test_a_grid_shows_contents_at_the_left_and_styles_on_top() -> None:
    made = draw_grid([[plain(RED)]], ["a"], ["x"], corner=[plain(GREEN)], heads=[plain(BLUE)])
    red, green, blue = (middle_of(made, color) for color in (RED, GREEN, BLUE))
    assert green[0] < red[0]
    assert blue[1] < red[1]


def test_a_grid_with_a_picture_missing_is_refused() -> None:
    with pytest.raises(UsageError, match="one picture for each pair"):
        draw_grid([[plain(RED)]], ["a"], ["x", "y"])


def test_swatches_go_on_in_the_next_row() -> None:
    made = draw_swatches({"a": plain(RED), "b": plain(GREEN), "c": plain(BLUE)}, columns=2)
    red, blue = middle_of(made, RED), middle_of(made, BLUE)
    assert blue[0] == pytest.approx(red[0], abs=1)
    assert blue[1] > red[1]


def test_the_demo_sheet_has_keyframes_above_and_paintings_below() -> None:
    made = draw_demo_sheet([(1.0, plain(RED))], [(0.0, plain(GREEN))] * 3, [plain(BLUE)] * 3)
    heights = [middle_of(made, color)[1] for color in (RED, GREEN, BLUE)]
    assert heights == sorted(heights)


def test_the_demo_sheet_needs_a_painting_for_each_frame() -> None:
    with pytest.raises(UsageError, match="one painting for each frame"):
        draw_demo_sheet([(1.0, plain(RED))], [(0.0, plain(GREEN))], [])


@pytest.mark.parametrize(("height", "width"), [(10, 80), (80, 10), (40, 60)])
def test_covering_fills_the_cell(height: int, width: int) -> None:
    assert crop_to_fill(plain(RED, height, width), 50, 40).shape == (40, 50, 3)


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.5, "1.50 s"), (62.5, "1:02.5"), (119.97, "2:00.0")]
)
def test_times_are_written_shortly(seconds: float, text: str) -> None:
    assert format_label_time(seconds) == text


@pytest.mark.parametrize("dark", [False, True])
def test_a_chart_has_the_size_asked_for(dark: bool) -> None:
    made = draw_curves({"loss": [(0, 1), (1, 0.5)]}, Look("Loss", 400, 300, dark))
    assert made.shape == (300, 400, 3)


def test_a_rising_line_rises() -> None:
    made = draw_curves({"a": [(0, 0), (10, 5)]}, Look(width=400, height=300))
    blue = made[..., 2].astype(int) - made[..., 0] > 60
    blue[:60] = False  # the legend
    rows = [np.flatnonzero(blue[:, x]).mean() for x in (100, 200, 300)]
    assert rows[0] > rows[1] > rows[2]


@pytest.mark.parametrize(
    "points",
    [[], [(1, 1)], [(0, 3), (1, 3)], [(0, 1), (1, float("nan")), (2, 1)], [(0, -5), (1, 5)]],
    ids=["none", "one", "flat", "gap", "below zero"],
)
@pytest.mark.parametrize("log", [False, True])
def test_a_chart_is_drawn_of_any_points(points: list[tuple[float, float]], log: bool) -> None:
    made = draw_curves({"a": points}, Look(width=300, height=200), Scales(log=log))
    assert made.shape == (200, 300, 3)


def test_a_chart_that_is_too_small_is_refused() -> None:
    with pytest.raises(UsageError, match="too small"):
        draw_curves({"a": [(0, 1)]}, Look(width=100))


def test_a_chart_in_a_page_is_text_without_links_or_style_sheets() -> None:
    series, look, scales = {"<b> $x$": [(0, 1), (1, 2)]}, Look("a < b"), Scales("frame")
    text, again = [format_svg(plot_curves(series, look, scales)) for _ in range(2)]
    assert text.startswith("<svg") and text == again
    assert "&lt;b&gt; $x$" in text and "a &lt; b" in text and ">frame<" in text
    for forbidden in ("http", "<style", "<b>", "<metadata"):
        assert forbidden not in text


def test_a_chart_lifts_the_line_where_a_value_is_missing() -> None:
    points = [(0, 1.0), (1, 2.0), (2, float("nan")), (3, 3.0), (4, 1.0)]
    whole = format_svg(plot_curves({"a": [point for point in points if point[1] == point[1]]}))
    pieces = format_svg(plot_curves({"a": points}))

    def count_starts(text: str) -> int:
        lines = re.findall(r'<path d="([^"]*)" [^>]*style="fill: none; stroke: #1f63b0', text)
        return max(line.count("M") for line in lines)

    assert (count_starts(whole), count_starts(pieces)) == (1, 2)


def test_a_notebook_shows_a_figure_as_png() -> None:
    figure = plot_curves({"a": [(0, 1), (1, 2)]}, Look(width=300, height=200))
    decoded = cv2.imdecode(np.frombuffer(figure._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (200, 300, 3)


def test_importing_the_charts_does_not_import_matplotlib() -> None:
    code = "import sys, vst.plotting, vst.plotting.maps; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("rough", "step"), [(0.07, 0.1), (1.0, 1.0), (1.1, 2.0), (2.3, 2.5), (80, 100)]
)
def test_ticks_are_round_numbers(rough: float, step: float) -> None:
    assert round_step(rough) == pytest.approx(step)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.05, "0.05"), (1500, "1500"), (20_000, "20k"), (3e6, "3M"), (-0.25, "-0.25")],
)
def test_ticks_are_written_shortly(value: float, text: str) -> None:
    assert format_number(value) == text
