"""Rating videos blind: the ranking, the votes' file, the server and its page."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clips import write_clip
from tests.conftest import CommandResult
from vst.errors import MediaError, MissingFileError, OutputError, UsageError
from vst.research.study.ranking import Preference, compute_win_chance, rank
from vst.research.study.rating import Rating, read_group
from vst.research.study.standings import plot_standings, write_page
from vst.research.study.votes import Votes, compute_standings

Run = Callable[..., CommandResult]


def votes_of(first: str, second: str, won: int, lost: int) -> list[Preference]:
    return [Preference(first, second, 1.0)] * won + [Preference(first, second, 0.0)] * lost


def test_two_videos_are_as_far_apart_as_their_odds() -> None:
    """30 to 10: the odds are 3, and the log odds' deviation is √(1/30 + 1/10)."""
    best, other = rank(["a", "b"], votes_of("a", "b", 30, 10), spread=1e4)
    assert best.name == "a" and best.votes == other.votes == 40 and best.won == 30
    assert best.strength - other.strength == pytest.approx(math.log(3), abs=1e-5)
    reach = (best.high - best.low) + (other.high - other.low)
    assert reach / 2 == pytest.approx(1.959964 * math.sqrt(1 / 30 + 1 / 10), rel=1e-4)


def test_three_videos_get_the_strengths_that_solve_the_equations() -> None:
    """At the most likely strengths, as many votes are expected as were given."""
    votes = votes_of("a", "b", 7, 3) + votes_of("b", "c", 6, 4) + votes_of("a", "c", 9, 1)
    places = {place.name: place for place in rank(["a", "b", "c"], votes, spread=1e4)}
    strengths = {name: place.strength for name, place in places.items()}
    expected = 10 * compute_win_chance(strengths["a"] - strengths["b"])
    expected = expected + 10 * compute_win_chance(strengths["a"] - strengths["c"])
    assert float(expected) == pytest.approx(16, abs=1e-5)
    assert sum(strengths.values()) == pytest.approx(0, abs=1e-9)


def test_no_votes_leave_all_open() -> None:
    places = rank(["a", "b", "c", "d"], [])
    assert {(place.from_place, place.to_place) for place in places} == {(1, 4)}
    assert all(place.best == pytest.approx(0.25, abs=0.03) for place in places)


def test_a_video_that_always_won_is_not_infinitely_good() -> None:
    best, worst = rank(["a", "b"], votes_of("a", "b", 12, 0))
    assert 1 < best.strength < 5 and best.low > 0 and worst.high < 0
    assert (best.from_place, best.to_place, worst.from_place) == (1, 1, 2)


def test_no_difference_is_half_a_vote_each() -> None:
    first, second = rank(["a", "b"], [Preference("a", "b", 0.5)] * 10)
    assert first.strength == pytest.approx(second.strength, abs=1e-9) and first.won == 5


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """200 made-up user studies with known strengths: 95 % of the intervals hold them."""
    rng = np.random.default_rng(5)
    truth = np.array([1.0, 0.4, 0.0, -0.5, -0.9])
    names = [str(index) for index in range(5)]
    held = 0
    for _ in range(200):
        pairs = rng.integers(0, 5, (150, 2))
        votes = [
            Preference(
                names[a], names[b], float(rng.random() < compute_win_chance(truth[a] - truth[b]))
            )
            for a, b in pairs[pairs[:, 0] != pairs[:, 1]]
        ]
        for place in rank(names, votes, draws=10):
            held += place.low <= truth[int(place.name)] <= place.high
    assert 0.93 <= held / 1000 <= 0.975


def test_a_ranking_needs_known_names() -> None:
    with pytest.raises(UsageError, match="not among"):
        rank(["a"], votes_of("a", "b", 1, 0))
    with pytest.raises(UsageError, match="once"):
        rank(["a", "a"], [])


def test_votes_are_on_the_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rate.json"
    with Votes(path) as votes:
        votes.add("look", "a", "b", "left")
        assert json.loads(path.read_text(encoding="utf-8"))["votes"][0]["choice"] == "left"
        with pytest.raises(OutputError, match="another run"):
            Votes(path)
    with Votes(path) as again:
        again.add("smooth", "b", "a", "same")
        assert [vote.question for vote in again.all()] == ["look", "smooth"]
    assert [one.name for one in tmp_path.iterdir()] == ["rate.json"]


def test_a_full_disk_loses_no_earlier_vote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Votes(tmp_path / "rate.json") as votes:
        votes.add("look", "a", "b", "left")

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("vst.core.files.os.fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            votes.add("look", "a", "b", "right")
        assert len(votes) == 1
    with Votes(tmp_path / "rate.json") as again:
        assert [vote.choice for vote in again.all()] == ["left"]


@pytest.mark.parametrize("text", ["{", "[]", '{"votes": [{"question": "look"}]}', '{"votes": 3}'])
def test_a_damaged_file_of_votes_raises_an_error_and_is_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rate.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MediaError, match="Move it away"):
        Votes(path)
    assert path.read_text(encoding="utf-8") == text
    path.unlink()
    Votes(path).close()  # nothing holds it


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos of two seconds, of other sizes, that browsers play."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("plain", "steady", "raw"):
        write_clip(folder / f"{name}.mp4", 50)
    (folder / "notes.txt").write_text("no video", encoding="utf-8")
    return folder


@pytest.fixture
def rating(films: Path, tmp_path: Path) -> Iterator[Rating]:
    with Votes(tmp_path / "rate.json") as votes:
        yield Rating([read_group(films)], votes, random.Random(3))


def test_every_pair_is_asked_evenly_on_both_sides(rating: Rating) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for _ in range(120):
        pair = rating.next_pair()
        seen[pair.left, pair.right] += 1
        assert rating.answer(pair.token, {"look": "left", "smooth": "same"})
    both = Counter(frozenset(sides) for sides in seen.elements())
    assert set(both.values()) == {40}
    assert min(seen.values()) >= 10 and len(seen) == 6
    assert set(rating.standings()) == {"look", "smooth"}


def test_an_answer_counts_once_and_only_when_whole(rating: Rating) -> None:
    pair = rating.next_pair()
    with pytest.raises(UsageError, match="smooth"):
        rating.answer(pair.token, {"look": "left"})
    with pytest.raises(UsageError, match="look"):
        rating.answer(pair.token, {"look": "up", "smooth": "same"})
    assert rating.answer(pair.token, {"look": "left", "smooth": "right"})
    assert not rating.answer(pair.token, {"look": "left", "smooth": "right"})
    assert len(rating.votes) == 2
    assert rating.file(pair.token, "left") is None


def test_pairs_show_one_content(films: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("plain", "painted"):
        shutil.copy(films / "plain.mp4", other / f"{name}.mp4")
    with Votes(tmp_path / "rate.json") as votes:
        rating = Rating([read_group(films), read_group(other)], votes)
        assert rating.names == ["painted", "plain", "raw", "steady"]
        for _ in range(60):
            pair = rating.next_pair()
            assert len({path.parent for path in pair.files.values()}) == 1


def test_a_studys_list_names_no_file_outside(films: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(films / "plain.mp4", tmp_path / f"{name}.mp4")
    rows = [{"name": "first", "video": "a.mp4"}, {"name": "none", "video": ""}]
    (tmp_path / "video.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    assert list(read_group(tmp_path)) == ["first"]
    for wrong in (str(films / "raw.mp4"), "../x.mp4", "video.json"):
        (tmp_path / "video.json").write_text(
            json.dumps({"rows": [{"name": "x", "video": wrong}]}), encoding="utf-8"
        )
        with pytest.raises(UsageError, match="not a video within"):
            read_group(tmp_path)
    with pytest.raises(MissingFileError, match="not a folder"):
        read_group(films / "raw.mp4")


def test_a_ranking_is_left_as_a_page(tmp_path: Path, rating: Rating) -> None:
    rating.votes.add("look", "raw", "steady", "right")
    found = compute_standings(["raw", "steady", "<b>"], rating.votes.all())
    text = write_page(tmp_path, found, 1).read_text(encoding="utf-8")
    assert "&lt;b&gt;" in text and "<b>" not in text
    assert text.count("<svg") == 2 and "http" not in text
    assert len(plot_standings(found["look"]).axes[0].get_yticklabels()) == 3


def test_the_verb_ranks(run: Run, films: Path, tmp_path: Path) -> None:
    with Votes(tmp_path / "rate.json") as votes:
        for _ in range(6):
            votes.add("look", "steady", "raw", "left")
            votes.add("smooth", "steady", "gone", "left")  # no longer there: it does not count
    done = run("study", "rate", films, "--out", tmp_path, "--ranking")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[2].split()[:3] == ["steady", "6", lines[2].split()[2]]
    found = json.loads(run("study", "rate", films, "--out", tmp_path, "--ranking", "--json").out)
    assert found["votes"] == 12 and found["ranking"]["look"][0]["name"] == "steady"
    assert found["ranking"]["smooth"][0]["votes"] == 0


def test_the_verb_says_what_is_wrong(run: Run, films: Path, tmp_path: Path) -> None:
    for words in ((tmp_path,), (films / "raw.mp4",), (films, "--port", "70000"), ()):
        done = run("study", "rate", *words, "--no-open")
        assert done.code in (1, 2)
        assert len(done.err.strip().splitlines()) == 1
