"""A long video painted in chunks has the frames of one painted in one go; the folder of chunks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips
from tests.chunk_helpers import (
    CHUNK_SECONDS,
    films,
    is_same,
    make_chunk_job,
    paint_whole,
    read_pictures,
)
from vst.api import make_job
from vst.checkpoint.planner import ChunkRule
from vst.checkpoint.store import Chunk, ChunkFolder, get_chunk_folder, read_manifest
from vst.core.files import atomic_write, hash_file
from vst.core.locks import Lock
from vst.core.state_io import load_state, save_state
from vst.errors import OutputError, UsageError
from vst.pipeline.run import run
from vst.stabilizers import STABILIZERS
from vst.video.sources import open_source

__all__ = ["films", "paint_whole"]
pytestmark = pytest.mark.usefixtures("no_thread_is_left")
ANY_RULE = ChunkRule(1, 1)


def paint_chunks(
    films: Path, output: Path, seconds: float = CHUNK_SECONDS, **options: Any
) -> list[np.ndarray]:
    run(make_chunk_job(films, output, **options), chunk_seconds=seconds)
    return read_pictures(output)


WAYS: list[dict[str, Any]] = [
    *({"stabilize": name} for name in STABILIZERS),
    {"strength": 0.5, "ghost": 0.6, "stabilize": "gaussian"},
    {"fps": 7},
    {"speed": 0.5, "end": 5},
    {"start": 2.05},
    {"steadiness": 1.0},
    {"mask": "auto:0.2,0.2,0.5,0.5"},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_chunks_hold_the_same_frames_as_the_whole(
    films: Path, tmp_path: Path, paint_whole: Any, way: dict[str, Any]
) -> None:
    whole = paint_whole(**way)
    output = tmp_path / "parts.mkv"
    assert is_same(paint_chunks(films, output, **way, keep_chunks=True), whole)
    manifest = read_manifest(output)
    assert manifest is not None
    kept: list[Chunk] = manifest["chunks"]
    assert len(kept) >= 4
    # Every second chunk is lost, and painted again from what the one before it left.
    untouched = [get_chunk_folder(output) / chunk.track for chunk in kept[::2]]
    tracks = [path.read_bytes() for path in untouched]
    for chunk in kept[1::2]:
        (get_chunk_folder(output) / chunk.track).unlink()
    assert is_same(paint_chunks(films, output, **way, keep_chunks=True, overwrite=True), whole)
    assert [path.read_bytes() for path in untouched] == tracks
    assert {path.name for path in tmp_path.iterdir()} == {
        "parts.mkv", "parts.mkv.vst",
    }  # fmt: skip


@pytest.mark.slow
def test_the_embedded_model_paints_the_same_in_chunks(
    films: Path, tmp_path: Path, paint_whole: Any
) -> None:
    way = {"engine": "embedded", "stabilize": "steady", "end": 6}
    whole = paint_whole(**way)
    output = tmp_path / "parts.mkv"
    assert is_same(paint_chunks(films, output, **way, keep_chunks=True), whole)
    (get_chunk_folder(output) / "chunk-00001.mkv").unlink()
    assert is_same(paint_chunks(films, output, **way, overwrite=True), whole)


def test_chunks_end_at_scene_cuts(films: Path, tmp_path: Path) -> None:
    paint_chunks(films, tmp_path / "out.mkv", keep_chunks=True, stabilize="off")
    manifest = read_manifest(tmp_path / "out.mkv")
    assert manifest is not None
    assert [chunk.frames for chunk in manifest["chunks"]] == [20, 17, 20, 20, 20, 3]


@pytest.mark.parametrize("ending", [".mp4", ".webm", ".mov"])
def test_joining_keeps_times_and_sound(films: Path, tmp_path: Path, ending: str) -> None:
    changes: dict[str, Any] = {"codec": None, "end": 5}
    paint_chunks(films, tmp_path / f"whole{ending}", 10.0, **changes)
    paint_chunks(films, tmp_path / f"parts{ending}", 1.5, **changes)
    times = []
    for name in ("whole", "parts"):
        with open_source(tmp_path / f"{name}{ending}") as source:
            times.append([frame.time for frame in source.frames()])
            assert (source.info.rate, source.info.variable) == (10, False)
    assert times[0] == times[1]
    sounds = [clips.read_sound_packets(tmp_path / f"{name}{ending}") for name in ("whole", "parts")]
    assert len(sounds[0]) == len(sounds[1]) > 0
    assert not get_chunk_folder(tmp_path / f"parts{ending}").exists()


def test_a_short_job_has_no_folder(films: Path, tmp_path: Path) -> None:
    paint_chunks(films, tmp_path / "short.mkv", 10.0, end=3, keep_chunks=True)
    assert [path.name for path in tmp_path.iterdir()] == ["short.mkv"]


def test_a_variable_rate_is_kept(tmp_path: Path) -> None:
    from fractions import Fraction

    even = clips.write_clip(tmp_path / "even.mp4", 60, 25, False, "-bf", "0", "-g", "10")
    ticks = [index * 40 + (index % 7) * 5 for index in range(60)]
    content = clips.write_with_ticks(tmp_path / "content.mkv", even, ticks, Fraction(1, 1000))
    style = clips.write_clip(tmp_path / "style.mp4", 5)
    job = make_job(content, style, tmp_path / "out.mkv", engine="tint", strength=0)
    run(job, chunk_seconds=0.5)
    with open_source(content) as source, open_source(tmp_path / "out.mkv") as output:
        pairs = list(zip(source.frames(), output.frames(), strict=True))
        assert output.info.variable
    assert max(abs(one.time - two.time) for one, two in pairs) < 0.0011
    assert [clips.read_number(two.picture) for _, two in pairs] == list(range(60))


def test_states_are_plain_and_come_back(tmp_path: Path) -> None:
    state = {
        "held": [np.arange(6, dtype=np.uint8).reshape(1, 2, 3), np.zeros(2, np.float64)],
        "waiting": 2,
        "none": None,
        "nested": {"age": np.copy(3), "flag": True, "empty": {}, "list": []},
    }
    save_state(tmp_path / "s.npz", state)
    back = load_state(tmp_path / "s.npz")
    assert [(part.dtype, part.tolist()) for part in back["held"]] == [
        (part.dtype, part.tolist())
        for part in state["held"]  # type: ignore[attr-defined]
    ]
    assert back["nested"].pop("age").tolist() == 3
    assert back["nested"] == {"flag": True, "empty": {}, "list": []}
    assert (back["waiting"], back["none"]) == (2, None)


def test_a_state_with_code_in_it_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", text=np.array([{"a": 1}], object))
    with pytest.raises(OutputError, match="cannot be read"):
        load_state(tmp_path / "s.npz")
    (tmp_path / "t.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(OutputError, match="cannot be read"):
        load_state(tmp_path / "t.npz")


def test_a_lock_is_held_once_and_a_stale_one_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("1\n", encoding="utf-8")  # a process that runs, and has not locked it
    lock = Lock(path, "out.mp4")
    with pytest.raises(OutputError, match=r"out\.mp4 is being written by another run"):
        Lock(path, "out.mp4")
    lock.release()
    lock.release()
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"format": 99}', '{"format": 1, "chunks": [{"track": 1}]}']
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    get_chunk_folder(tmp_path / "o.mp4").mkdir()
    (get_chunk_folder(tmp_path / "o.mp4") / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match="start over") as error:
        ChunkFolder(tmp_path / "o.mp4", {}, ANY_RULE)
    assert "\n" not in str(error.value)
    assert [path.name for path in get_chunk_folder(tmp_path / "o.mp4").iterdir()] == [
        "manifest.json"
    ]


def test_the_draft_of_a_manifest_that_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    folder = get_chunk_folder(tmp_path / "o.mp4")
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt), atomic_write(folder / "manifest.json") as draft:
        left = draft
        raise KeyboardInterrupt
    left.write_text("{", encoding="utf-8")
    ChunkFolder(tmp_path / "o.mp4", {}, ANY_RULE).close(keep=False)
    assert not folder.exists()


def test_a_folder_of_someone_else_s_is_left_alone(tmp_path: Path) -> None:
    get_chunk_folder(tmp_path / "o.mp4").mkdir()
    (get_chunk_folder(tmp_path / "o.mp4") / "thesis.txt").write_text(
        "years of work", encoding="utf-8"
    )
    with pytest.raises(OutputError, match=r"thesis\.txt"):
        ChunkFolder(tmp_path / "o.mp4", {}, ANY_RULE)
    (tmp_path / "elsewhere").mkdir()
    get_chunk_folder(tmp_path / "p.mp4").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="not a folder of vst"):
        ChunkFolder(tmp_path / "p.mp4", {}, ANY_RULE)
    assert (get_chunk_folder(tmp_path / "o.mp4") / "thesis.txt").read_text(
        encoding="utf-8"
    ) == "years of work"


def test_names_in_a_manifest_lead_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    folder = get_chunk_folder(tmp_path / "o.mp4")
    folder.mkdir()
    chunk = {
        "track": "../secret", "state": "../secret", "frames": 1, "first": 0.0,
        "track_sum": hash_file(tmp_path / "secret", "blake2b"),
        "state_sum": hash_file(tmp_path / "secret", "blake2b"), "last": True,
    }  # fmt: skip
    about = {"option stabilize": "off"}
    plain = {
        "format": 1, "job": {}, "folder": "", "about": about, "chunks": [chunk], "published": None
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(plain), encoding="utf-8")
    opened = ChunkFolder(tmp_path / "o.mp4", about, ANY_RULE)
    assert opened.missing == 0
    opened.close(keep=True)
    assert not folder.exists()
    assert (tmp_path / "secret").exists()


def test_another_job_is_refused_with_what_changed(films: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    paint_chunks(films, output, keep_chunks=True)
    before = sorted(path.name for path in get_chunk_folder(output).iterdir())
    for changes, said in (
        ({"size": 64}, r"another size \(48, now 64\)"),
        ({"strength": 0.5}, r"another strength \(not given, now 0.5\)"),
        ({"stabilize": "gaussian"}, "another stabilize"),
    ):
        with pytest.raises(UsageError, match=said) as error:
            paint_chunks(films, output, overwrite=True, **changes)
        assert "start over" in str(error.value)
    assert sorted(path.name for path in get_chunk_folder(output).iterdir()) == before
    paint_chunks(films, output, overwrite=True, threads=1)  # changes no frame
    assert not get_chunk_folder(output).exists()
