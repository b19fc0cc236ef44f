"""An address of a cluster where nothing answers is refused at once."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import CommandResult, make_clip
from vst.plotting import save_picture


def test_an_address_where_nothing_answers_ends_with_one_sentence_before_ray_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., CommandResult]
) -> None:
    """Ray itself tries for minutes, and then ends the program without a word."""
    ray = SimpleNamespace(is_initialized=lambda: False, init=lambda **_: pytest.fail("Ray started"))
    monkeypatch.setitem(sys.modules, "ray", ray)
    make_clip(tmp_path / "in.mp4", frames=10)
    save_picture(tmp_path / "red.png", np.full((40, 60, 3), (230, 20, 20), np.uint8))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"  # closed again: nothing answers there
    words = ("stylize", tmp_path / "in.mp4", "-s", tmp_path / "red.png", "-o", tmp_path / "o.mkv")
    done = run(*words, "--engine", "tint", "--cluster", address, "--progress", "none")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"cluster '{address}' cannot be reached" in done.err
    assert "Give 'local', or the address that 'ray start --head' printed" in done.err
    assert {one.name for one in tmp_path.iterdir()} == {"in.mp4", "red.png"}
