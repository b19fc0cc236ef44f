"""Files: what a reader finds while one is written, and their hashes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from vst.core.closable import Closable
from vst.core.files import atomic_write, hash_file


def test_a_reader_finds_the_earlier_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("earlier", encoding="utf-8")
    with atomic_write(path, sync=True) as draft:
        draft.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "earlier"
        assert draft.parent == tmp_path and draft.suffix == ".txt" and draft.name[0] == "."
    assert path.read_text(encoding="utf-8") == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["numbers.txt"]


def test_a_failed_write_leaves_the_earlier_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("earlier", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as draft:
        draft.write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["numbers.txt"]


@pytest.mark.parametrize("links", [True, False])
def test_a_name_taken_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("this file system has no hard links")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "style.json"
    with atomic_write(path, overwrite=False) as draft:
        draft.write_text("first", encoding="utf-8")
    with pytest.raises(FileExistsError), atomic_write(path, overwrite=False) as draft:
        draft.write_text("second", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["style.json"]


def test_a_very_long_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 240}.txt"
    with atomic_write(path) as draft:
        draft.write_text("long", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "long"


def test_a_hash_is_of_the_whole_content(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000  # more than one block
    path = tmp_path / "data"
    path.write_bytes(data)
    assert hash_file(path) == hashlib.sha256(data).hexdigest()
    assert hash_file(path, "blake2b") == hashlib.blake2b(data, digest_size=16).hexdigest()


def test_leaving_a_with_block_closes_even_after_an_error() -> None:
    class Model(Closable):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    with Model() as model:
        assert isinstance(model, Model) and model.closed == 0
    assert model.closed == 1
    other = Model()
    with pytest.raises(ZeroDivisionError), other:
        raise ZeroDivisionError
    assert other.closed == 1
