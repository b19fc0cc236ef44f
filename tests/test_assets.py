"""Models are installed complete, repaired when damaged, and found by every form of their handle."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tarfile
import threading
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.asset_server import DATA, Hub, archive, hub_fixture, own_cache_fixture  # noqa: F401
from vst import assets
from vst.assets import cache, catalog
from vst.errors import AssetError, DependencyError, MissingFileError


def test_a_handle_fills_the_place_where_tensorflow_hub_looks(
    hub: Hub, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow_hub", raising=False)
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
    with pytest.raises(AssetError, match=r"not a complete .tar.gz.*--engine embedded") as caught:
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
    assert assets.expand_handle(text) == assets.HUB_HANDLE


@pytest.mark.parametrize("text", ["model", "./a/b/2", "folder/model", "../m/n/o/1", "a.tflite,b"])
def test_paths_are_no_handles(text: str) -> None:
    assert not assets.is_handle(text)


def test_other_kaggle_handles_lead_to_its_download() -> None:
    urls = catalog.list_archive_urls(assets.expand_handle("you/painter/tensorFlow2/small/1"))
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
        assets.install_from_folder(small_pair, stick)
    (stick / "two.tflite").write_bytes(DATA[:-1])
    with pytest.raises(AssetError, match=r"1,023,999 bytes, not 1,024,000"):
        assets.install_from_folder(small_pair, stick)
    assert not assets.find_model_folder(small_pair).folder.exists()
    (stick / "two.tflite").write_bytes(DATA)
    folder = assets.install_from_folder(small_pair, stick)
    assert assets.find_model_folder(small_pair, thorough=True).is_complete and folder.is_dir()


def test_a_hub_archive_carried_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tuple(replace(f, size=None, sha256=None) for f in assets.MODELS["magenta"].files)
    model = replace(assets.MODELS["magenta"], files=files)
    (tmp_path / "arbitrary-image-stylization.tar.gz").write_bytes(archive())
    folder = assets.install_from_folder(model, tmp_path)
    assert folder.name == hashlib.sha1(assets.HUB_HANDLE.encode()).hexdigest()
    assert assets.find_model_folder(model).is_complete
    shutil.rmtree(folder)
    unpacked = tmp_path / "flat"  # as a browser leaves single files
    unpacked.mkdir()
    for file in files:
        (unpacked / Path(file.path).name).write_bytes(b"x")
    assert (assets.install_from_folder(model, unpacked) / "variables" / "variables.index").exists()
    with pytest.raises(AssetError, match=r"not the known file|bytes, not"):
        assets.install_from_folder(assets.MODELS["magenta"], unpacked)


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
        assets.obtain_model(gone)
    assets.obtain_model(small_pair)
    assert len(hub.asked) == 3  # the first file once, the second twice


@pytest.mark.parametrize("answer", ["/some/folder", OSError("no bucket"), None])
def test_other_handles_are_left_to_tensorflow_hub(
    monkeypatch: pytest.MonkeyPatch, own_cache: Path, answer: Any
) -> None:
    assert assets.is_handle("gs://bucket/model") and not assets.is_web_handle("gs://bucket/model")
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
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(AssetError, match="cannot be written"):
        assets.obtain_handle(hub.at("good"))


def test_only_models_in_the_cache_are_discarded(tmp_path: Path, own_cache: Path) -> None:
    (own_cache / "mine").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    assert cache.discard_model(own_cache / "mine") and not (own_cache / "mine").exists()
    assert not cache.discard_model(tmp_path / "theirs") and (tmp_path / "theirs").exists()


def test_the_default_cache_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    assert assets.get_cache_folder().parts[-2:] == ("vst", "models")


def test_what_kagglehub_has_fetched_is_used(
    hub: Hub, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    handle = "google/some-model/tensorFlow2/tiny/1"
    folder = tmp_path / "kaggle" / "models" / handle
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    assert assets.obtain_handle(handle) == folder
    assert hub.asked == []


def test_a_known_model_of_kagglehub_counts_only_when_its_files_are_the_known_ones(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    name = catalog.KAGGLE_HANDLE.removeprefix("https://www.kaggle.com/models/")
    folder = tmp_path / "kaggle" / "models" / name
    model = assets.MODELS["magenta"]
    for file in model.files:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / file.path).open("wb") as written:
            written.truncate(file.size)
    assert assets.find_model_folder(model).folder == folder
    assert assets.find_model_folder(model, thorough=True).folder != folder  # zeros, not the model
    (folder / model.files[1].path).write_bytes(b"another file")
    assert assets.find_model_folder(model).folder != folder
