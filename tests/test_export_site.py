"""The static site: the built page with its models and styles, whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import CommandResult
from vst.core.style_spaces import TFLITE_SPACE
from vst.errors import MissingFileError, UsageError
from vst.export import site as sites
from vst.export.site import export_site, find_page, list_kept_files
from vst.styles.library import load_builtin_styles

pytest.importorskip("onnx")

Run = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `make browser` leaves it, with models of a developer in it."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("index.html", "assets/page.js", "runtime/one.wasm.gz", "models/painter.onnx"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"content of {name}", encoding="utf-8")
    (folder / "sw.js").write_text(
        'const NAME = "VERSION"; const FILES = ["FILES"];', encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def site(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A written site."""
    return export_site(tmp_path_factory.mktemp("out") / "site", page=page).folder


@pytest.mark.slow
def test_the_site_has_the_page_and_its_own_models(site: Path) -> None:
    names = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert names == {
        "index.html",
        "sw.js",
        "assets/page.js",
        "runtime/one.wasm.gz",
        "models/sample.jpg",
        *(f"icon-{side}.png" for side in (180, 192, 512)),
        *(f"models/{name}.onnx" for name in ("painter", "predictor")),
        *(f"models/{name}.json" for name in ("models", "styles")),
    }
    assert (site / "index.html").read_text(encoding="utf-8") == "content of index.html"
    assert (site / "models" / "painter.onnx").stat().st_size > 500_000
    assert not list(site.parent.glob(".*")), "no draft is left"


@pytest.mark.slow
def test_the_list_of_models_names_size_and_hash_of_each(site: Path) -> None:
    models = json.loads((site / "models" / "models.json").read_text(encoding="utf-8"))
    assert (models["version"], models["space"]) == (1, TFLITE_SPACE)
    for kind in ("painter", "predictor"):
        data = (site / "models" / models[kind]["file"]).read_bytes()
        assert models[kind]["bytes"] == len(data)
        assert models[kind]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.slow
def test_the_worker_keeps_all_but_the_runtimes_under_a_version_of_their_content(site: Path) -> None:
    text = (site / "sw.js").read_text(encoding="utf-8")
    kept = json.loads(text[text.index("[") : text.index("]") + 1])
    assert set(kept) == {
        "./",
        "index.html",
        "assets/page.js",
        "models/painter.onnx",
        "models/predictor.onnx",
        "models/models.json",
        "models/styles.json",
        "models/sample.jpg",
        *(f"icon-{side}.png" for side in (180, 192, 512)),
    }
    first = re.search(r'NAME = "([0-9a-f]{12})"', text)
    assert first is not None


def test_the_worker_has_another_version_when_a_file_has_changed(page: Path, tmp_path: Path) -> None:
    texts = []
    for content in ("one", "two", "one"):
        site = shutil.copytree(page, tmp_path / f"site-{len(texts)}")
        (site / "assets" / "page.js").write_text(content, encoding="utf-8")
        list_kept_files(site)
        texts.append((site / "sw.js").read_text(encoding="utf-8"))
    assert texts[0] == texts[2] != texts[1]


@pytest.mark.slow
def test_each_built_in_style_has_its_embedding_and_a_small_picture(site: Path) -> None:
    listed = json.loads((site / "models" / "styles.json").read_text(encoding="utf-8"))
    known = load_builtin_styles()
    assert [style["name"] for style in listed["styles"]] == list(known)
    for style in listed["styles"]:
        wanted = known[style["name"]].embedding
        np.testing.assert_array_equal(np.float32(style["embedding"]), wanted)
        kind, _, data = style["picture"].partition(",")
        assert kind == "data:image/jpeg;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (96, 144, 3) and len(data) < 14_000


@pytest.mark.slow
def test_the_models_leave_room_for_the_runtime_in_twelve_megabytes(site: Path) -> None:
    assert sum(path.stat().st_size for path in (site / "models").iterdir()) < 3e6


def test_a_page_that_is_not_built_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "BUILT", tmp_path / "dist")
    with pytest.raises(MissingFileError, match=r"not built: no index\.html is in .*make browser"):
        find_page()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "index.html").touch()
    assert find_page() == tmp_path / "dist"


def test_files_that_are_there_are_kept(run: Run, page: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    done = run("export", "web", tmp_path, "--site", page)
    assert done.code == 2 and "has files already" in done.err
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"


def test_the_site_is_not_written_into_the_page_itself(page: Path) -> None:
    with pytest.raises(UsageError, match="Give another folder"):
        export_site(page / "site", page=page)


@pytest.mark.fault("the disk is full")
def test_a_full_disk_leaves_nothing(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sites, "write_models", fail)
    done = run("export", "web", tmp_path / "site", "--site", page)
    assert done.code == 1
    assert "cannot write" in done.err and "No space left" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_command_writes_over_an_earlier_site(run: Run, page: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("an earlier page", encoding="utf-8")
    done = run("export", "web", tmp_path, "--site", page, "--overwrite", "--json")
    found = json.loads(done.out)
    assert found["bytes"] == sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert all(file["likeness"] >= 45 for file in found["models"])
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "content of index.html"
