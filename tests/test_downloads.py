"""Downloads resume, end in time, and are kept only when they are verified."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.asset_server import DATA, Hub, archive, hub_fixture, own_cache_fixture  # noqa: F401
from vst import assets
from vst.errors import AssetError


def test_a_good_server_delivers(hub: Hub, tmp_path: Path) -> None:
    events = []
    target = tmp_path / "file"
    url = assets.fetch([hub.at("good")], target, on_progress=events.append)
    assert url == hub.at("good") and target.read_bytes() == DATA
    assert events[-1].done == events[-1].total == len(DATA)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["file"]


@pytest.mark.parametrize(("mood", "word"), [("403", "refused, 403"), ("404", "not found, 404")])
def test_a_refusal_is_named(hub: Hub, tmp_path: Path, mood: str, word: str) -> None:
    with pytest.raises(AssetError, match=word):
        assets.fetch([hub.at(mood)], tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_the_next_address_is_tried(hub: Hub, tmp_path: Path) -> None:
    assets.fetch([hub.at("403"), hub.at("404"), hub.at("good")], tmp_path / "file")
    assert [mood for mood, _ in hub.asked] == ["403", "404", "good"]


@pytest.mark.parametrize("mood", ["stall", "silent"])
def test_a_stall_ends_in_time_and_keeps_what_came(hub: Hub, tmp_path: Path, mood: str) -> None:
    began = time.monotonic()
    with pytest.raises(AssetError, match=r"stalled|no answer"):
        assets.fetch([hub.at(mood), hub.at(mood)], tmp_path / "file", patience=1.0)
    assert time.monotonic() - began < 10
    assert assets.PATIENCE < 10
    assert any(path.suffix == ".part" for path in tmp_path.iterdir()) is (mood == "stall")


@pytest.mark.parametrize("mood", ["cut", "deaf"])
def test_a_cut_connection_is_taken_up_again(hub: Hub, tmp_path: Path, mood: str) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    assets.fetch([hub.at(mood)], tmp_path / "file", digest=digest)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.asked == [(mood, None), (mood, f"bytes={len(DATA) // 2}-")]


def test_the_next_call_resumes(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="stalled"):
        assets.fetch([hub.at("stall")], tmp_path / "file", patience=0.5)
    part = next(path for path in tmp_path.iterdir() if path.suffix == ".part")
    hub.asked.clear()
    good = hub.at("good")
    digest = hashlib.sha1(good.encode()).hexdigest()[:8]
    for suffix in (".part", ".json"):  # the same address, now well
        part.with_suffix(suffix).rename(tmp_path / f"file.{digest}{suffix}")
    assets.fetch([good], tmp_path / "file")
    assert hub.asked == [("good", f"bytes={len(DATA) // 2}-")]
    assert (tmp_path / "file").read_bytes() == DATA


def test_a_wrong_hash_is_refused_and_not_kept(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="hash"):
        assets.fetch([hub.at("good")], tmp_path / "file", digest="0" * 64)
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_a_partial_file_of_another_version_is_fetched_from_the_start(
    hub: Hub, tmp_path: Path
) -> None:
    digest = hashlib.sha1(hub.at("good").encode()).hexdigest()[:8]
    (tmp_path / f"file.{digest}.part").write_bytes(b"another version's first half")
    assets.fetch([hub.at("good")], tmp_path / "file", digest=hashlib.sha256(DATA).hexdigest())
    assert (tmp_path / "file").read_bytes() == DATA


def test_no_network_is_one_clear_line_within_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_name(*args: Any, **others: Any) -> Any:
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    began = time.monotonic()
    with pytest.raises(AssetError) as caught:
        assets.obtain_model(assets.MODELS["magenta"])
    assert time.monotonic() - began < 10
    text = str(caught.value)
    assert "\n" not in text
    for word in ("tfhub.dev", "kaggle.com", "no network", "--engine embedded", "--from-folder"):
        assert word in text


def test_a_name_look_up_that_hangs_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = threading.Event()

    def slow(*args: Any, **others: Any) -> Any:
        hang.wait(20)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    with pytest.raises(AssetError, match="no answer within"):
        assets.fetch(
            ["http://model.invalid/a", "http://model.invalid/b"], tmp_path / "f", patience=1
        )
    assert time.monotonic() - began < 10
    hang.set()
