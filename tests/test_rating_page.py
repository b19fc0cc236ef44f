"""The page of `vst study rate`: what it shows and keeps, and what its server refuses."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clips import write_clip
from vst.research.study.rating import Rating, read_group
from vst.research.study.votes import Votes

pytest.importorskip("gradio")
from starlette.testclient import TestClient

from vst.errors import UsageError
from vst.web.rating import build_rating_server, serve_rating

# Gradio leaves an event loop open for each server that it creates.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def free_event_loops() -> Iterator[None]:
    """Free Gradio's event loops here, lest they raise warnings in other tests."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.set_event_loop(None)
        gc.collect()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos alike, with telling names."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("plain", "steady", "raw"):
        write_clip(folder / f"{name}.mp4", 10)
    return folder


@pytest.fixture
def rating(films: Path, tmp_path: Path) -> Iterator[Rating]:
    with Votes(tmp_path / "rate.json") as votes:
        yield Rating([read_group(films)], votes, random.Random(3))


@pytest.fixture
def page(rating: Rating) -> TestClient:
    return TestClient(build_rating_server(rating), base_url="http://127.0.0.1:8000")


def open_pair(page: TestClient) -> str:
    return str(page.post("/call/pair", json={}).json()["token"])


def test_the_page_does_not_reveal_what_it_shows(page: TestClient, films: Path) -> None:
    first = page.get("/")
    assert first.status_code == 200 and "<video" in first.text
    pair = page.post("/call/pair", json={})
    video = page.get(f"/media/{pair.json()['token']}/left")
    assert video.content == (films / "raw.mp4").read_bytes()  # all three are alike
    assert video.headers["content-type"] == "video/mp4"
    assert video.headers["cache-control"] == "no-store"
    for text in (first.text, pair.text, str(video.headers)):
        assert not any(name in text for name in ("raw", "steady", "plain.mp4"))


def test_parts_of_a_video_are_sent_as_phones_request_them(page: TestClient, films: Path) -> None:
    whole = (films / "raw.mp4").read_bytes()
    part = page.get(f"/media/{open_pair(page)}/right", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"


def test_a_vote_reaches_the_file_once(page: TestClient, rating: Rating) -> None:
    vote = {"token": open_pair(page), "answers": {"look": "left", "smooth": "same"}}
    assert page.post("/call/vote", json=vote).json() == {"votes": 2}
    again = page.post("/call/vote", json=vote)
    assert (again.status_code, again.json()) == (410, {"error": "this pair is closed"})
    kept = json.loads(rating.votes.path.read_text(encoding="utf-8"))["votes"]
    assert [one["choice"] for one in kept] == ["left", "same"]
    ranking = page.post("/call/ranking", json={}).json()["ranking"]
    assert len(ranking["look"]) == 3 and sum(place["votes"] for place in ranking["look"]) == 2


def test_the_videos_of_a_closed_pair_are_not_served(page: TestClient) -> None:
    token = open_pair(page)
    page.post("/call/vote", json={"token": token, "answers": {"look": "left", "smooth": "same"}})
    assert page.get(f"/media/{token}/left").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/index.html", "/../rate.json", "/media/x/left", "/media/raw/left", "/media/%2e%2e/left",
     "/call/start", "/config", "/gradio_api/info", "/gradio_api/upload"],
)  # fmt: skip
def test_nothing_else_is_served(page: TestClient, path: str) -> None:
    assert page.get(path).status_code in (404, 405)


def test_a_side_that_is_not_one_is_refused(page: TestClient) -> None:
    token = open_pair(page)
    for side in ("middle", "left/..", "../../rate.json"):
        assert page.get(f"/media/{token}/{side}").status_code == 404


def test_other_pages_and_other_names_cannot_vote(page: TestClient, rating: Rating) -> None:
    vote = {"token": open_pair(page), "answers": {"look": "left", "smooth": "left"}}
    for headers in (
        {"host": "evil.example"},
        {"host": "evil.example:8000"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ):
        assert page.post("/call/vote", json=vote, headers=headers).status_code == 403
    plain = page.post(
        "/call/vote", content=json.dumps(vote), headers={"content-type": "text/plain"}
    )
    assert plain.status_code == 415 and len(rating.votes) == 0
    own = {"origin": "http://127.0.0.1:8000"}
    assert page.post("/call/vote", json=vote, headers=own).status_code == 200


def test_wrong_votes_are_refused(page: TestClient, rating: Rating) -> None:
    token = open_pair(page)
    for sent in ({}, {"token": 3, "answers": {}}, {"token": token, "answers": 3},
                 {"token": token, "answers": {"look": "left"}}):  # fmt: skip
        assert page.post("/call/vote", json=sent).status_code == 400, sent
    for body in (b"{", b"[]", b"\xff", b"NaN"):
        headers = {"content-type": "application/json"}
        assert page.post("/call/vote", content=body, headers=headers).status_code == 400, body
    assert len(rating.votes) == 0


def test_it_listens_to_this_machine_alone(rating: Rating, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def refuse(self: Any, **given: Any) -> Any:
        opened.append(given)
        raise OSError

    monkeypatch.setattr("gradio.Server.launch", refuse)
    with pytest.raises(UsageError, match="cannot be listened on"), serve_rating(rating, 8123):
        pass
    assert (opened[0]["server_name"], opened[0]["server_port"]) == ("127.0.0.1", 8123)
