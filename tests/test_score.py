"""Scores: writing and reading give an equal score; errors are one line with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import CommandResult
from vst.core.types import VideoInfo
from vst.errors import MissingFileError, OutputError, UsageError, VSTError
from vst.plotting import Look
from vst.plotting.scores import plot_score
from vst.schedule.score import (
    Clock,
    Score,
    ScoreKey,
    ScoreTime,
    StyleSource,
    format_score,
    parse_score,
    read_score,
    sketch_timeline,
    write_score,
)
from vst.schedule.timeline import Curve, Key, Timeline
from vst.styles.from_score import check_score_files, resolve_score_styles

Run = Callable[..., CommandResult]
INFO = VideoInfo(Path("clip.mp4"), 64, 48, Fraction(25), 251, 10.04)
"""A content of 251 frames: the last one is shown at 10 s."""

GOOD = """\
blend: spline
hold: 0.2
loop: true
styles:
  ink: @ink-wash
  sea: "@indigo-waves"
  film: {path: film.mp4, at: 0:04.5}
keys:
  - {at: cut 2, style: film, colors: content}
  - at: 0
    style: none
  - at: 25%
    style: {ink: 1, sea: 3}
    ease: cubic-bezier(0.3, 0, 0.2, 1)
    hold: 0.5
  - {at: 0:05.5, style: @red-chalk}
  - {at: 200f, style: sea}
background:
  - {at: 0, style: none}
  - {at: 50%, style: sea}
strength: {0: 0.2, 50%: 1}
brush: 2
"""


def test_a_score_gives_a_timeline_with_its_keys_and_curves() -> None:
    score = parse_score(GOOD)
    line = score.timeline(INFO, cuts=[1.0, 4.0])
    assert [key.time for key in line.keys] == [0, 2.5, 4.0, 5.5, 8.0, 10.0]
    assert line.keys[1].weights == {"ink": 1, "sea": 3}
    assert line.at(2.5).weights == {"ink": 0.25, "sea": 0.75}
    assert line.at(2.5).strength == pytest.approx(0.6)
    assert line.at(4.0).colors == "content"
    assert line.at(0.0).brush == 2
    assert line.at(0.0).weights == line.at(10.0).weights == {"none": 1.0}
    background = line.at(5.0).background
    assert background is not None and background.weights == {"sea": 1.0}
    assert line.names == ["ink", "sea", "film", "@red-chalk"]


def test_the_keys_of_earlier_versions_are_accepted() -> None:
    earlier = GOOD.replace("colors:", "colours:").replace("background:", "ground:")
    assert earlier != GOOD and parse_score(earlier) == parse_score(GOOD)
    with pytest.raises(UsageError, match="line 1: colours: colors is also given"):
        parse_score("{colors: style, colours: style, keys: [{at: 0, style: none}]}")


def test_percentages_are_of_the_painted_part() -> None:
    score = parse_score("keys: [{at: 0%, style: none}, {at: 50%, style: @ink-wash}]")
    line = score.timeline(INFO, start=2.0, end=6.0)
    assert [key.time for key in line.keys] == pytest.approx([2.0, 3.98])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12.5", ScoreTime(12.5)),
        ("3 s", ScoreTime(3)),
        ("1:02.5", ScoreTime(62.5)),
        ("1:00:00", ScoreTime(3600)),
        ("120f", ScoreTime(120, "f")),
        ("50%", ScoreTime(50, "%")),
        ("33.3 %", ScoreTime(33.3, "%")),
        ("cut 3", ScoreTime(3, "cut")),
        ("beat 8", ScoreTime(8, "beat")),
    ],
)
def test_a_time_is_parsed_and_written_again(text: str, moment: ScoreTime) -> None:
    assert ScoreTime.parse(text) == moment
    assert ScoreTime.parse(str(moment)) == moment


SHARES = st.floats(0.01, 9, allow_subnormal=False)
NAMES = ["ink", "sea", "none", "@ink-wash", "a film: 2", "très-bleu", "- odd", "12"]
MOMENTS = st.one_of(
    st.builds(ScoreTime, st.floats(0, 1e4)),
    st.builds(ScoreTime, st.floats(0, 100), st.just("%")),
    st.builds(ScoreTime, st.integers(0, 9999).map(float), st.just("f")),
    st.builds(ScoreTime, st.integers(1, 99).map(float), st.sampled_from(["cut", "beat"])),
)
KEYS = st.builds(
    ScoreKey,
    at=MOMENTS,
    weights=st.dictionaries(st.sampled_from(NAMES), SHARES, min_size=1, max_size=4),
    strength=st.none() | st.floats(0, 1),
    ease=st.none() | st.sampled_from(["sine", "cubic-bezier(0.3,0,0.2,1)", "table(0,0.4,1)"]),
    hold=st.none() | st.floats(0, 1),
    brush=st.none() | st.floats(0.25, 4),
    colors=st.none() | st.sampled_from(["style", "content", "blend"]),
)
SCORES = st.builds(
    Score,
    keys=st.lists(KEYS, min_size=1, max_size=6).map(tuple),
    background=st.lists(KEYS, max_size=2).map(tuple),
    styles=st.just(
        {
            name: StyleSource('some where/it\'s "here".mp4', 1.5 if name == "sea" else None)
            for name in NAMES
            if name != "none" and not name.startswith("@")
        }
    ),
    content=st.none() | st.sampled_from(["clip.mp4", "C:\\films\\a b.mp4", "ü\n.mp4"]),
    ease=st.sampled_from(["smooth", "cubic-bezier(0.3,0,0.2,1)"]),
    blend=st.sampled_from(["embedding", "slerp", "spline", "pixels"]),
    hold=st.floats(0, 1),
    loop=st.booleans(),
    pace=st.sampled_from(["eased", "uniform"]),
    align=st.sampled_from(["off", "cuts", "beats"]),
    colors=st.sampled_from(["style", "content", "blend"]),
)


@given(SCORES)
def test_a_score_written_and_read_is_equal(score: Score) -> None:
    assert parse_score(format_score(score)) == score


@given(st.lists(st.tuples(MOMENTS, st.floats(0.25, 1)), min_size=1, max_size=5))
def test_curves_written_and_read_are_equal(points: list[tuple[ScoreTime, float]]) -> None:
    points = list({str(moment): (moment, value) for moment, value in points}.values())
    keys = (ScoreKey(ScoreTime(0), {"none": 1.0}),)
    score = Score(keys, strength=tuple(points), brush=tuple(points))
    assert parse_score(format_score(score)) == score


@given(order=st.permutations(range(5)), count=st.integers(1, 5))
def test_the_timeline_does_not_depend_on_the_order_of_the_keys(
    order: list[int], count: int
) -> None:
    rows = [f"  - {{at: {2 * index}, style: @ink-wash, strength: 0.{index}}}" for index in range(5)]
    kept = [rows[index] for index in order if index < count]
    sorted_score = parse_score("keys:\n" + "\n".join(rows[:count]))
    shuffled = parse_score("keys:\n" + "\n".join(kept))
    assert shuffled.timeline(INFO) == sorted_score.timeline(INFO)


def test_a_timeline_s_score_gives_an_equal_timeline() -> None:
    keys = (
        Key(0.0, {"ink": 1.0}, strength=0.5, hold=0.25),
        Key(5.0, {"ink": 1.0, "sea": 2.0}, brush=2.0, ease="expo", colors="blend"),
        Key(10.0, {"none": 1.0}),
    )
    background = Timeline((Key(1.0, {"sea": 1.0}),), ease="sine", blend="spline", hold=0.1)
    line = Timeline(keys, "sine", "spline", 0.1, brush=None, background=background)
    clock = Clock(0.0, 10.0, 25.0)
    for score in (Score.from_timeline(line), Score.from_timeline(line, clock=clock)):
        again = parse_score(format_score(score).replace("keys:", "styles: {ink: a, sea: b}\nkeys:"))
        assert again.timeline(INFO) == line
    curved = Timeline((Key(0.0, {"ink": 1.0}),), strength=Curve(((0.0, 0.1), (4.0, 1.0))))
    assert Score.from_timeline(curved, {"ink": "@ink-wash"}).timeline(INFO) == curved


WRONG = [
    # text, line, key or word, remedy
    ("", 1, "score", "vst score init"),
    ("keys:\n  - {at: 0, style: none", 2, "bracket", "Close it"),
    ("keys:\n\t- {at: 0, style: none}", 2, "tab", "Indent"),
    ("keys: style: none", 1, "colons", "quote"),
    ("- 1\n- 2", 1, "score", "key: value"),
    ("styles: {}\n", 1, "keys", "Write `keys:`"),
    ("keys: []", 1, "keys", "- {at: 0, style: NAME}"),
    ("keys: none", 1, "keys", "- {at: 0, style: NAME}"),
    ("keyes:\n  - {at: 0, style: none}", 1, "keyes", "did you mean 'keys'"),
    ("keys:\n  - {at: 0, style: none}\ncolor: style", 3, "color", "did you mean 'colors'"),
    ("keys:\n  - {time: 0, style: none}", 2, "time", "did you mean 'at'"),
    ("keys:\n  - {at: 0, style: none, strenght: 1}", 2, "strenght", "did you mean 'strength'"),
    ("keys:\n  - {style: none}", 2, "at", "at: 50%"),
    ("keys:\n  - at: 0\n    ease: sine", 2, "style", "style: NAME"),
    ("keys:\n  - {at: soon, style: none}", 2, "at", "12.5"),
    ("keys:\n  - {at: -1, style: none}", 2, "at", "12.5"),
    ("keys:\n  - {at: 120%, style: none}", 2, "at", "100%"),
    ("keys:\n  - {at: cut 0, style: none}", 2, "at", "counted from 1"),
    ("keys:\n  - {at: 1:75, style: none}", 2, "at", "less than 60"),
    ("keys:\n  - {at: 0, style: inc}\nstyles: {ink: a.png}", 2, "style", "did you mean 'ink'"),
    ("keys:\n  - {at: 0, style: waves}", 2, "style", "`styles:`"),
    ("keys:\n  - {at: 0, style: {none: 0}}", 2, "style", "above 0"),
    ("keys:\n  - {at: 0, style: {none: much}}", 2, "none", "Write a number"),
    ("keys:\n  - {at: 0, style: {none: -1}}", 2, "none", "0 or more"),
    ("keys:\n  - {at: 0, style: none, strength: 2}", 2, "strength", "from 0 to 1"),
    ("keys:\n  - {at: 0, style: none, strength: nan}", 2, "strength", "from 0 to 1"),
    ("keys:\n  - {at: 0, style: none, hold: 40%}", 2, "hold", "from 0 to 1"),
    ("keys:\n  - {at: 0, style: none, brush: 9}", 2, "brush", "from 0.25 to 4"),
    ("keys:\n  - {at: 0, style: none, ease: smoth}", 2, "ease", "did you mean 'smooth'"),
    (
        "keys:\n  - {at: 0, style: none, ease: 'cubic-bezier(2,0,1,1)'}", 2, "ease",
        "between 0 and 1",
    ),
    ("keys:\n  - {at: 0, style: none, ease: 'cubic-bezier(1,0)'}", 2, "ease", "four numbers"),
    ("keys:\n  - {at: 0, style: none, colors: contents}", 2, "colors", "did you mean 'content'"),
    ("keys:\n  - {at: 0, at: 1, style: none}", 2, "at", "Remove one of them"),
    ("blend: splines\nkeys: [{at: 0, style: none}]", 1, "blend", "did you mean 'spline'"),
    ("pace: even\nkeys: [{at: 0, style: none}]", 1, "pace", "uniform"),
    ("align: cut\nkeys: [{at: 0, style: none}]", 1, "align", "did you mean 'cuts'"),
    ("loop: maybe\nkeys: [{at: 0, style: none}]", 1, "loop", "true or false"),
    ("strength: []\nkeys: [{at: 0, style: none}]", 1, "strength", "{0%: 0.2, 50%: 1}"),
    ("strength: {0: 7}\nkeys: [{at: 0, style: none}]", 1, "strength", "from 0 to 1"),
    ("brush: 1\nkeys:\n  - {at: 0, style: none, brush: 1}", 3, "brush", "Remove one"),
    ("styles: {none: a.png}\nkeys: [{at: 0, style: none}]", 1, "none", "Choose another"),
    ("styles: {a: {at: 1}}\nkeys: [{at: 0, style: a}]", 1, "path", "film.mp4"),
    ("styles: {a: {path: f.mp4, at: 5%}}\nkeys: [{at: 0, style: a}]", 1, "at", "seconds"),
    ("styles: [a.png]\nkeys: [{at: 0, style: none}]", 1, "styles", "NAME: path"),
    ("a: &x [1]\nkeys: *x", 2, "alias", "Write the value out"),
    ("keys: !!python/object/apply:os.system [ls]", 1, "tag", "plain value"),
    ("keys: " + "[" * 400 + "]" * 400, 1, "levels", "four"),
    ("keys: [{? [a] : 1}]", 1, "key", "a word"),
    ("a: 1\nkeys: 'x", 2, "quotation mark", "Close it"),
    ("\x00", 1, "text", "UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "key", "remedy"), WRONG, ids=[str(i) for i in range(len(WRONG))]
)
def test_the_error_of_a_wrong_score_is_one_line_with_line_key_and_remedy(
    tmp_path: Path, text: str, line: int, key: str, remedy: str
) -> None:
    path = tmp_path / "score.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        read_score(path)
    message = str(error.value)
    assert f"line {line}:" in message
    assert key in message and remedy in message
    assert "\n" not in message
    assert "yaml." not in message.replace("score.yaml", "")


@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda b: b.decode("latin-1")))
def test_any_text_gives_a_score_or_a_usage_error_of_one_line(text: str) -> None:
    try:
        parse_score(text)
    except UsageError as error:
        assert "\n" not in str(error)


def test_missing_binary_large_and_unwritable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "score.yaml"
    with pytest.raises(MissingFileError, match="vst score init"):
        read_score(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="line 1: this is not text in UTF-8"):
        read_score(path)
    path.write_bytes(b"#" * 1_100_000)
    with pytest.raises(UsageError, match=r"1,000,000 bytes"):
        read_score(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_score(tmp_path)
    with pytest.raises(OutputError, match="cannot write"):
        write_score(parse_score(GOOD), tmp_path / "nowhere" / "score.yaml")


def test_the_error_of_a_missing_cut_names_its_line() -> None:
    score = parse_score("keys:\n  - {at: 0, style: none}\n  - {at: cut 3, style: none}", "s.yaml")
    assert score.needs_cuts and not score.needs_beats
    with pytest.raises(UsageError, match=r"s.yaml, line 3: at: .*'cut 3': the content has 1 cut"):
        score.timeline(INFO, cuts=[1.0])
    with pytest.raises(UsageError, match="needs the cuts of a content"):
        score.timeline(INFO)


def test_style_paths_are_relative_to_the_score_s_folder(media: Path, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes((media / "red.png").read_bytes())
    path = tmp_path / "score.yaml"
    film = (media / "film.mp4").as_posix()
    path.write_text(
        f"styles: {{warm: red.png, later: {{path: '{film}', at: 2.5}}, off: gone.png}}\n"
        "keys: [{at: 0, style: warm}, {at: 1, style: later}, {at: 2, style: @ink-wash}]",
        encoding="utf-8",
    )
    styles = resolve_score_styles(read_score(path))
    assert [style.name for style in styles] == ["warm", "later", "@ink-wash"]
    assert [int(style.picture.mean((0, 1)).argmax()) for style in styles[:2]] == [0, 2]
    with pytest.raises(MissingFileError, match=r"styles: off: 'gone.png' does not exist"):
        check_score_files(read_score(path))
    path.write_text("keys: [{at: 0, style: @ink-wasch}]", encoding="utf-8")
    with pytest.raises(VSTError, match="ink-wash"):
        check_score_files(read_score(path))


def test_a_plot_shows_its_pictures() -> None:
    line, seconds = sketch_timeline(parse_score(GOOD))
    red = np.full((40, 40, 3), (250, 0, 0), np.uint8)
    plain = plot_score(line, {}, seconds)
    drawn = plot_score(line, {"film": red, "none": red}, seconds, look=Look("score.yaml", 1000))
    assert plain.dtype == np.uint8 and plain.shape[1] == 1000
    assert (drawn == (250, 0, 0)).all(2).sum() > 2000 > (plain == (250, 0, 0)).all(2).sum()
    with pytest.raises(UsageError, match="at least 320"):
        plot_score(line, {}, 1.0, look=Look(width=100))
    with pytest.raises(UsageError, match="is not positive"):
        plot_score(line, {}, 0.0)


def test_a_plot_of_60_keys_keeps_its_width() -> None:
    keys = [Key(float(index), {"none": 1.0}) for index in range(60)]
    assert plot_score(Timeline(tuple(keys)), {}, 60.0, look=Look(width=400)).shape[1] == 400


def test_score_init_check_and_plot(run: Run, media: Path, tmp_path: Path) -> None:
    path, picture = tmp_path / "score.yaml", tmp_path / "score.png"
    words = (media / "clip.mp4", "-s", media / "film.mp4", "-s", "@ink-wash", "--keyframes", 2)
    done = run("score", "init", *words, "-o", path, "--hold", 0.4, "--ease", "sine", "--loop")
    assert done.code == 0, done.err
    score = read_score(path)
    assert list(score.styles) == ["film-1", "film-2", "ink-wash"]
    assert str(score.keys[0].at) == "0%"
    assert (score.hold, score.ease, score.loop, len(score.keys)) == (0.4, "sine", True, 4)
    done = run("score", "check", path)
    assert (done.code, done.err) == (0, "")
    assert "fine" in done.out
    path.write_text(
        path.read_text(encoding="utf-8").replace("at: 100%", "at: 0:09"), encoding="utf-8"
    )
    done = run("score", "check", path)
    assert done.code == 2 and "leaves no time to come back" in done.err
    path.write_text(path.read_text(encoding="utf-8").replace("loop: true", ""), encoding="utf-8")
    done = run("score", "check", path)
    assert done.code == 0 and "the key at 0:09.000 is never reached" in done.err
    assert run("score", "plot", path, "-o", picture).code == 0
    assert picture.stat().st_size > 1000
    assert run("score", "init", *words, "-o", path).code == 2
    path.write_text("keys:\n  - {at: 0, style: none, easy: sine}", encoding="utf-8")
    done = run("score", "check", path)
    assert done.code == 2
    assert "line 2: easy: unknown key 'easy'; did you mean 'ease'?" in done.err
    assert done.err.count("\n") == 1


def test_score_check_reports_a_missing_content(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "score.yaml"
    path.write_text("content: gone.mp4\nkeys:\n  - {at: 0, style: none}", encoding="utf-8")
    done = run("score", "check", path)
    assert done.code == 2
    assert "content: 'gone.mp4' is not there" in done.err
