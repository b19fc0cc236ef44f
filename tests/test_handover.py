"""What a chunk starts from: kept in a file and read again, also from earlier versions."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vst.api import make_job
from vst.checkpoint.fingerprint import (
    fingerprint_job,
    has_earlier_stabilizer,
    rename_field,
    rename_fingerprints,
)
from vst.checkpoint.handover import (
    Handover,
    ReadPoint,
    WarmStart,
    decode_start,
    encode_start,
)
from vst.core.state_io import load_state, save_state
from vst.core.types import Frame
from vst.errors import OutputError

CUTS = {"before": None, "changes": [0.5, 0.25]}
WARM = WarmStart(20, 18, ReadPoint(16, 1.6, 999), CUTS, [1.4, 1.5])
HANDOVER = Handover(
    WarmStart(20, 18, ReadPoint(16, 1.6, 999), CUTS),
    {"engine": {}, "edge": {}, "ground": {}},
    {"count": 1},
)


@pytest.mark.parametrize("start", [HANDOVER, WARM, None], ids=["handover", "warm", "end"])
def test_a_start_comes_back_from_a_file(tmp_path: Path, start: Handover | WarmStart | None) -> None:
    save_state(tmp_path / "s.npz", {"carried": encode_start(start), "times": [0.1]})
    assert decode_start(load_state(tmp_path / "s.npz")["carried"]) == start


def test_a_handover_adds_the_states_of_painter_and_trail_to_a_warm_start() -> None:
    common = {"first", "index", "checksum", "cuts", "start", "written", "earlier"}
    assert set(encode_start(HANDOVER)) == common | {"painter", "trail"}
    assert set(encode_start(WARM)) == common
    assert encode_start(None) == {}


def test_a_start_without_a_checksum_or_trail_is_read() -> None:
    state = encode_start(HANDOVER)
    del state["checksum"], state["trail"]
    start = decode_start(state)
    assert isinstance(start, Handover)
    assert (start.read_from.checksum, start.trail) == (None, {})


def make_earlier_state(**changes: object) -> dict[str, object]:
    """A handover as earlier versions wrote it; ``changes``: what a stabilizer left."""
    return {
        "first": 1.8, "index": 18, "checksum": 12345, "cuts": CUTS, "scenes": [], "stabiliser": {},
        "easel": {"engine": {}, "edge": {}, "ground": {}}, "ghost": {"count": 1}, **changes,
    }  # fmt: skip


def test_a_handover_of_an_earlier_version_without_a_stabilizer_is_read() -> None:
    start = decode_start(make_earlier_state())
    assert isinstance(start, Handover)
    assert start.start == WarmStart(18, 18, ReadPoint(18, 1.8, 12345), CUTS)
    assert start.painter == {"engine": {}, "edge": {}, "ground": {}}
    assert start.trail == {"count": 1}


@pytest.mark.parametrize("changes", [{"stabiliser": {"age": 3}}, {"scenes": [False]}])
def test_the_state_of_an_earlier_stabilizer_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(OutputError, match=r"earlier version.*start over") as error:
        decode_start(make_earlier_state(**changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("start", [HANDOVER, WARM], ids=["handover", "warm"])
@pytest.mark.parametrize("key", ["first", "index", "cuts"])
def test_a_damaged_start_is_refused(start: Handover | WarmStart, key: str) -> None:
    state = encode_start(start)
    del state[key]
    with pytest.raises(OutputError, match="is damaged"):
        decode_start(state)


def test_frames_are_painted_and_written_from_the_right_index() -> None:
    assert (HANDOVER.first_painted, HANDOVER.first_written) == (20, 18)
    assert (WARM.first_painted, WARM.first_written) == (20, 18)


def test_a_read_point_matches_only_the_frame_that_it_was_made_of() -> None:
    picture = np.arange(48 * 4 * 3, dtype=np.uint8).reshape(48, 4, 3)
    frame = Frame(3, 0.3, picture)
    point = ReadPoint.of(frame)
    assert point.checksum == zlib.crc32(picture[::16].tobytes())
    assert point.matches(frame)
    assert not point.matches(Frame(3, 0.4, picture))
    assert not point.matches(Frame(3, 0.3, picture + np.uint8(1)))
    assert ReadPoint(3, 0.3).matches(Frame(3, 0.3, picture + np.uint8(1)))


def test_old_spellings_of_fields_are_renamed_where_the_new_ones_are_in_use() -> None:
    known = {"stabilize", "mask_background"}
    assert [rename_field(name, known) for name in ("stabilise", "colours", "size")] == [
        "stabilize", "colours", "size",
    ]  # fmt: skip
    old = {"option stabilise": "light", "mask ground": "none", "content": "ab", "option size": 4}
    new = {"option stabilize": "light", "mask background": "none", "content": "ab",
           "option size": 4}  # fmt: skip
    assert rename_fingerprints(old, new) == new
    assert rename_fingerprints(old, old) == old


@pytest.mark.parametrize("name", ["flow", "strong", "light", None])
def test_chunks_of_an_earlier_stabilizer_are_recognized(name: str | None) -> None:
    """An earlier version named the stabilizer unless it was its default."""
    assert has_earlier_stabilizer({"option stabilise": name} if name else {"option size": 64})


@pytest.mark.parametrize(
    "chosen", [{}, {"stabilize": "off"}, {"stabilize": "gaussian"}, {"steadiness": 0.0}]
)
def test_chunks_of_the_present_stabilizers_are_not_taken_for_earlier_ones(
    tmp_path: Path, chosen: dict[str, Any]
) -> None:
    content = tmp_path / "in.mp4"
    content.write_bytes(b"content")
    job = make_job(content, "@ink-wash", tmp_path / "out.mp4", **chosen)
    assert not has_earlier_stabilizer(fingerprint_job(job))
