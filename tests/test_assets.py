"""The models' cache: a server on the loopback stands for the hub, in every mood it can have."""

from __future__ import annotations

import hashlib
import io
import shutil
import socket
import sys
import tarfile
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vst import assets
from vst.assets import cache, known
from vst.errors import AssetError, DependencyError, MissingFileError

DATA = bytes(range(256)) * 4000  # 1 MB


@dataclass
class Hub:
    """A server whose every path delivers ``body`` in the mood of the path's first part."""

    body: bytes = DATA
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""
    cuts: int = 1
    release: threading.Event = field(default_factory=threading.Event)

    def at(self, mood: str) -> str:
        return f"{self.url}/{mood}/model/1"


def make_handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            mood = self.path.split("/")[1]
            span = self.headers.get("Range")
            hub.asked.append((mood, span))
            if mood in ("403", "404"):
                self.send_error(int(mood))
                return
            if mood == "silent":
                hub.release.wait(20)
                return
            start = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
            if mood == "deaf":
                start = 0  # a server that cannot resume
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(hub.body) - start))
            self.send_header("ETag", '"one"')
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(hub.body) - 1}/*")
            self.end_headers()
            stop = len(hub.body)
            if mood == "stall" or (mood in ("cut", "deaf") and hub.cuts > 0):
                hub.cuts -= 1
                stop = start + (stop - start) // 2
            self.wfile.write(hub.body[start:stop])
            if mood == "stall":
                self.wfile.flush()
                hub.release.wait(20)

    return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(hub))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield hub
    hub.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def archive(**extra: bytes) -> bytes:
    """A small SavedModel, to look at, as the hub sends it."""
    files = {"./saved_model.pb": b"graph", "./variables/variables.index": b"index"}
    files |= {"./variables/variables.data-00000-of-00001": DATA[:5000], **extra}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


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
    assert time.monotonic() - began < 2.5
    assert assets.PATIENCE < 10
    assert any(path.suffix == ".part" for path in tmp_path.iterdir()) is (mood == "stall")


@pytest.mark.parametrize("mood", ["cut", "deaf"])
def test_a_cut_connection_is_taken_up_again(hub: Hub, tmp_path: Path, mood: str) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    assets.fetch([hub.at(mood)], tmp_path / "file", sha256=digest)
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
    with pytest.raises(AssetError, match="sha256"):
        assets.fetch([hub.at("good")], tmp_path / "file", sha256="0" * 64)
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_a_partial_file_of_another_version_is_fetched_from_the_start(
    hub: Hub, tmp_path: Path
) -> None:
    digest = hashlib.sha1(hub.at("good").encode()).hexdigest()[:8]
    (tmp_path / f"file.{digest}.part").write_bytes(b"another version's first half")
    assets.fetch([hub.at("good")], tmp_path / "file", sha256=hashlib.sha256(DATA).hexdigest())
    assert (tmp_path / "file").read_bytes() == DATA


def test_no_network_is_one_clear_line_within_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_name(*args: Any, **others: Any) -> Any:
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    began = time.monotonic()
    with pytest.raises(AssetError) as caught:
        assets.obtain(assets.MODELS["magenta"])
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
    assert time.monotonic() - began < 2
    hang.set()


def test_a_handle_fills_the_place_where_tensorflow_hub_looks(hub: Hub, own_cache: Path) -> None:
    hub.body = archive()
    handle = hub.at("good")
    folder = assets.obtain_handle(handle)
    assert folder == own_cache / hashlib.sha1(handle.encode()).hexdigest()
    assert (folder / "variables" / "variables.data-00000-of-00001").read_bytes() == DATA[:5000]
    assert assets.obtain_handle(handle + "/") == folder
    assert len(hub.asked) == 1
    assert "tensorflow_hub" not in sys.modules


@pytest.mark.parametrize("harm", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
@pytest.mark.parametrize("cut", [True, False])
def test_a_broken_cache_is_replaced(hub: Hub, harm: str, cut: bool) -> None:
    hub.body = archive()
    folder = assets.obtain_handle(hub.at("good"))
    if cut:
        (folder / harm).write_bytes((folder / harm).read_bytes()[:2])
    else:
        (folder / harm).unlink()
    assert assets.obtain_handle(hub.at("good")) == folder
    assert len(hub.asked) == 2
    assert (folder / "saved_model.pb").read_bytes() == b"graph"
    leftovers = [path.name for path in folder.parent.iterdir() if path.name.endswith(".tmp")]
    assert leftovers == []


def test_an_empty_folder_of_a_purged_cache_is_replaced(hub: Hub, own_cache: Path) -> None:
    hub.body = archive()
    handle = hub.at("good")
    (own_cache / hashlib.sha1(handle.encode()).hexdigest()).mkdir(parents=True)
    assert (assets.obtain_handle(handle) / "saved_model.pb").exists()


@pytest.mark.parametrize(
    "body", [b"<html>log in first</html>", archive()[:-20]], ids=["a page", "half an archive"]
)
def test_what_is_no_whole_archive_is_refused(hub: Hub, own_cache: Path, body: bytes) -> None:
    hub.body = body
    with pytest.raises(AssetError, match=r"not a whole .tar.gz.*--engine embedded") as caught:
        assets.obtain_handle(hub.at("good"))
    assert "\n" not in str(caught.value)
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []


def test_an_archive_cannot_write_outside_its_folder(hub: Hub, own_cache: Path) -> None:
    hub.body = archive(**{"../../escaped": b"x", "/tmp/escaped-by-vst": b"x"})
    assets.obtain_handle(hub.at("good"))
    assert not list(own_cache.parent.rglob("escaped*"))
    assert not Path("/tmp/escaped-by-vst").exists()


@pytest.mark.parametrize(
    "text",
    [
        "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2",
        "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2/",
        "google/magenta/arbitrary-image-stylization-v1-256/2",
        "google/arbitrary-image-stylization-v1/tensorFlow1/256/2",
        "https://kaggle.com/models/google/arbitrary-image-stylization-v1/TensorFlow1/256/2",
        "https://kaggle.com/models/google/arbitrary-image-stylization-v1/{}/2".format(
            "frameworks/TensorFlow1/variations/256/versions"
        ),
    ],
)
def test_every_form_of_the_default_handle_is_the_same_model(text: str) -> None:
    assert assets.is_handle(text)
    assert assets.full_handle(text) == assets.HUB_HANDLE


@pytest.mark.parametrize("text", ["model", "./a/b/2", "folder/model", "../m/n/o/1", "a.tflite,b"])
def test_paths_are_no_handles(text: str) -> None:
    assert not assets.is_handle(text)


def test_other_kaggle_handles_lead_to_its_download() -> None:
    urls = known.archives_of(assets.full_handle("you/painter/tensorFlow2/small/1"))
    assert urls[0].endswith("/api/v1/models/you/painter/tensorFlow2/small/1/download")


@pytest.fixture
def small_pair(monkeypatch: pytest.MonkeyPatch, hub: Hub) -> assets.KnownModel:
    """A known model of two files, each with its hash, in the place of the real one."""
    files = tuple(
        assets.KnownFile(name, len(DATA), hashlib.sha256(DATA).hexdigest(), hub.at("good") + name)
        for name in ("one.tflite", "two.tflite")
    )
    model = replace(assets.MODELS["magenta-lite"], files=files)
    monkeypatch.setitem(assets.MODELS, "magenta-lite", model)
    return model


def test_pull_and_check_on_the_command_line(small_pair: Any, hub: Hub, own_cache: Path) -> None:
    from vst.cli.models import command

    done = CliRunner().invoke(command, ["pull", "magenta-lite"])
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in (own_cache / "magenta-lite").iterdir()) == [
        "one.tflite",
        "two.tflite",
    ]
    assert "here" in CliRunner().invoke(command, ["list"]).output
    assert CliRunner().invoke(command, ["check"]).exit_code == 0
    spoilt = bytearray(DATA)
    spoilt[5] ^= 1
    (own_cache / "magenta-lite" / "two.tflite").write_bytes(spoilt)  # the size is the same
    done = CliRunner().invoke(command, ["check"])
    assert isinstance(done.exception, AssetError)
    assert "two.tflite has changed" in str(done.exception)
    assert CliRunner().invoke(command, ["pull", "magenta-lite"]).exit_code == 0
    assert CliRunner().invoke(command, ["check"]).exit_code == 0
    assert len(hub.asked) == 4


def test_files_carried_by_hand(small_pair: assets.KnownModel, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "one.tflite").write_bytes(DATA)
    with pytest.raises(MissingFileError, match=r"lacks two.tflite"):
        assets.from_folder(small_pair, stick)
    (stick / "two.tflite").write_bytes(DATA[:-1])
    with pytest.raises(AssetError, match=r"1,023,999 bytes, not 1,024,000"):
        assets.from_folder(small_pair, stick)
    assert not assets.place_of(small_pair).folder.exists()
    (stick / "two.tflite").write_bytes(DATA)
    folder = assets.from_folder(small_pair, stick)
    assert assets.place_of(small_pair, thorough=True).whole and folder.is_dir()


def test_a_hub_archive_carried_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tuple(replace(f, size=None, sha256=None) for f in assets.MODELS["magenta"].files)
    model = replace(assets.MODELS["magenta"], files=files)
    (tmp_path / "arbitrary-image-stylization.tar.gz").write_bytes(archive())
    folder = assets.from_folder(model, tmp_path)
    assert folder.name == hashlib.sha1(assets.HUB_HANDLE.encode()).hexdigest()
    assert assets.place_of(model).whole
    shutil.rmtree(folder)
    unpacked = tmp_path / "flat"  # as a browser leaves single files
    unpacked.mkdir()
    for file in files:
        (unpacked / Path(file.path).name).write_bytes(b"x")
    assert (assets.from_folder(model, unpacked) / "variables" / "variables.index").exists()
    with pytest.raises(AssetError, match=r"not the known file|bytes, not"):
        assets.from_folder(assets.MODELS["magenta"], unpacked)


def test_an_archive_with_a_folder_around_it(hub: Hub) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name in ("model/saved_model.pb", "model/assets/words.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            tar.addfile(entry, io.BytesIO(b"data"))
    hub.body = stream.getvalue()
    assert (assets.obtain_handle(hub.at("good")) / "saved_model.pb").read_bytes() == b"data"


def test_what_came_before_the_network_went_is_kept(
    small_pair: assets.KnownModel, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = small_pair.files
    gone = replace(small_pair, files=(one, replace(two, url=hub.at("404"))))
    with pytest.raises(AssetError, match="not found, 404"):
        assets.obtain(gone)
    assets.obtain(small_pair)
    assert len(hub.asked) == 3  # the first file once, the second twice


@pytest.mark.parametrize("answer", ["/some/folder", OSError("no bucket"), None])
def test_other_handles_are_left_to_tensorflow_hub(
    monkeypatch: pytest.MonkeyPatch, own_cache: Path, answer: Any
) -> None:
    assert assets.is_handle("gs://bucket/model") and not assets.speaks_web("gs://bucket/model")
    hang = threading.Event()

    def resolve(handle: str) -> str:
        if answer is None:
            hang.wait(20)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    stand_in = types.ModuleType("tensorflow_hub")
    stand_in.resolve = resolve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorflow_hub", stand_in)
    if isinstance(answer, str):
        assert assets.resolve_with_hub("gs://bucket/model") == Path(answer)
        return
    with pytest.raises(AssetError, match=r"no bucket|no answer") as caught:
        assets.resolve_with_hub("gs://bucket/model", patience=0.3)
    assert "--engine embedded" in str(caught.value)
    hang.set()


def test_a_tensorflow_hub_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(DependencyError, match=r"setuptools<82"):
        assets.resolve_with_hub("gs://bucket/model")


def test_an_unwritable_cache_is_named(hub: Hub, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(AssetError, match="cannot write"):
        assets.obtain_handle(hub.at("good"))


def test_only_models_in_the_cache_are_discarded(tmp_path: Path, own_cache: Path) -> None:
    (own_cache / "mine").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    assert cache.discard(own_cache / "mine") and not (own_cache / "mine").exists()
    assert not cache.discard(tmp_path / "theirs") and (tmp_path / "theirs").exists()


def test_the_default_cache_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    assert assets.cache_folder().parts[-2:] == ("vst", "models")
