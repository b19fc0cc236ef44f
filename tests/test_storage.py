"""Object storage: files in a bucket of a real S3 server, which fails at random."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.object_server import ObjectServer, run_server
from vst import storage
from vst.errors import DependencyError, MediaError, MissingFileError, OutputError

pytestmark = pytest.mark.filterwarnings("ignore")  # of the packages' own


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    yield from run_server()


@pytest.fixture
def bucket(server: ObjectServer) -> Iterator[str]:
    server.store.rate, server.store.denied = 0.0, ()
    yield server.make_bucket()
    server.store.rate, server.store.denied = 0.0, ()


def test_a_file_comes_back_as_it_was_sent(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"some bytes")
    storage.upload(tmp_path / "a.mp4", f"{bucket}/films/a.mp4")
    assert storage.exists(f"{bucket}/films/a.mp4") and not storage.exists(f"{bucket}/b.mp4")
    found = storage.fetch(f"{bucket}/films/a.mp4", tmp_path / "inputs")
    assert (found.name, found.read_bytes()) == ("a.mp4", b"some bytes")
    storage.remove(f"{bucket}/films/a.mp4")
    assert not storage.exists(f"{bucket}/films/a.mp4")


def test_a_folder_comes_back_with_its_names(bucket: str, tmp_path: Path) -> None:
    for name in ("one.png", "more/two.png"):
        (tmp_path / "frames" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "frames" / name).write_text(name, encoding="utf-8")
    storage.upload(tmp_path / "frames", f"{bucket}/frames/")
    found = storage.fetch(f"{bucket}/frames/", tmp_path / "inputs")
    assert found.name == "frames"
    assert [(found / name).read_text(encoding="utf-8") for name in ("one.png", "more/two.png")] == [
        "one.png", "more/two.png",
    ]  # fmt: skip
    storage.remove(f"{bucket}/frames")
    assert not storage.exists(f"{bucket}/frames")


def test_the_same_content_is_fetched_once_and_a_changed_one_again(
    server: ObjectServer, bucket: str, tmp_path: Path
) -> None:
    for content in (b"first", b"other"):
        (tmp_path / "a.mp4").write_bytes(content)
        storage.upload(tmp_path / "a.mp4", f"{bucket}/a.mp4")
        for _ in range(2):
            assert storage.fetch(f"{bucket}/a.mp4", tmp_path / "in").read_bytes() == content
    assert server.store.requests.count(f"GET /{bucket[5:]}/a.mp4") == 2


def test_an_interrupted_download_continues(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PART_SIZE", 100)
    content = bytes(range(250)) * 2
    (tmp_path / "a.mp4").write_bytes(content)
    storage.upload(tmp_path / "a.mp4", f"{bucket}/a.mp4")
    starts: list[int] = []
    read = storage._read

    def stop_at_third(store: object, path: str, start: int, end: int) -> bytes:
        starts.append(start)
        if len(starts) == 3:
            raise KeyboardInterrupt
        return read(store, path, start, end)

    monkeypatch.setattr(storage, "_read", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        storage.download(f"{bucket}/a.mp4", tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()
    storage.download(f"{bucket}/a.mp4", tmp_path / "b.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == content
    assert starts == [0, 100, 200, 200, 300, 400]


def test_a_store_that_fails_at_random_loses_nothing(
    server: ObjectServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PART_SIZE", 50_000)
    server.store.rate = 0.3
    content = bytes(range(256)) * 1000
    for number in range(5):
        (tmp_path / "a.bin").write_bytes(content + bytes([number]))
        storage.upload(tmp_path / "a.bin", f"{bucket}/a{number}.bin")
        found = storage.fetch(f"{bucket}/a{number}.bin", tmp_path / "in")
        assert found.read_bytes() == content + bytes([number])
    assert set(server.store.faults) == {"500", "503", "cut", "half"}


def test_a_store_that_never_answers_is_named(
    server: ObjectServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "TRIES", 2)
    server.store.rate = 1.0
    with pytest.raises(MediaError, match=r"cannot be reached \(.*\), tried 2 times. Check the net"):
        storage.fetch(f"{bucket}/a.mp4", tmp_path)


def test_a_missing_bucket_and_a_missing_object_are_told_apart(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(MissingFileError, match=r"the bucket 's3://no-such' of .* does not exist"):
        storage.fetch("s3://no-such/a.mp4", tmp_path)
    with pytest.raises(MissingFileError, match=r"the bucket 's3://no-such' of .* does not exist"):
        storage.upload(tmp_path / "a.mp4", "s3://no-such/a.mp4")
    with pytest.raises(MissingFileError, match=r"/b\.mp4' does not exist. Check the address"):
        storage.fetch(f"{bucket}/b.mp4", tmp_path)


def test_missing_rights_are_named(server: ObjectServer, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    server.store.denied = ("PUT",)
    with pytest.raises(OutputError, match=r"may not be written .*AWS_ACCESS_KEY_ID"):
        storage.upload(tmp_path / "a.mp4", f"{bucket}/a.mp4")
    server.store.denied = ("GET", "HEAD")
    with pytest.raises(MediaError, match=r"may not be read \(.*credentials"):
        storage.fetch(f"{bucket}/a.mp4", tmp_path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(DependencyError, match=r"s3fs.*pip install 'vst-video\[cloud\]'"):
        storage.exists("s3://bucket/a.mp4")
    with pytest.raises(DependencyError, match="pip install fsspec gcsfs"):
        storage.exists("gs://bucket/a.mp4")
