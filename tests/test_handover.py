"""What a chunk starts from: kept in a file and read again, also from earlier versions."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from vst.checkpoint.fingerprint import rename_field, rename_fingerprints
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


def test_the_keys_of_files_are_those_of_earlier_versions() -> None:
    common = {"first", "index", "checksum", "cuts", "start", "written", "earlier"}
    assert set(encode_start(HANDOVER)) == common | {"easel", "ghost"}
    assert set(encode_start(WARM)) == common
    assert encode_start(None) == {}


def test_a_start_without_a_checksum_or_trail_is_read() -> None:
    state = encode_start(HANDOVER)
    del state["checksum"], state["ghost"]
    start = decode_start(state)
    assert isinstance(start, Handover)
    assert (start.read_from.checksum, start.trail) == (None, {})


def make_earlier_state(**changes: object) -> dict[str, object]:
    """A handover as earlier versions wrote it; ``changes``: what a stabilizer left."""
    return {
        "first": 1.8, "index": 18, "checksum": 12345, "cuts": CUTS, "scenes": [], "stabiliser": {},
        "easel": {"engine": {}, "edge": {}, "ground": {}}, "ghost": {}, **changes,
    }  # fmt: skip


def test_a_handover_of_an_earlier_version_without_a_stabilizer_is_read() -> None:
    start = decode_start(make_earlier_state())
    assert isinstance(start, Handover)
    assert start.start == WarmStart(18, 18, ReadPoint(18, 1.8, 12345), CUTS)
    assert start.painter == {"engine": {}, "edge": {}, "ground": {}}


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
