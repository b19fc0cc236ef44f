"""Engine ``fast``: trained networks as styles, and files that are none."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.random_networks import network_bytes, write_network
from vst.core.style_spaces import NETWORK_SPACE
from vst.core.types import Picture
from vst.engines.fast import FastEngine
from vst.errors import AssetError, EngineError, MissingFileError, SpaceError, UsageError
from vst.job import Job
from vst.nets.feedforward import load_network
from vst.schedule.timeline import Mix
from vst.styles.resolve import check_space, resolve_styles


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks, one of each kind of upsampling: a.keras and b.keras."""
    folder = tmp_path_factory.mktemp("networks")
    write_network(folder / "a.keras", 1)
    write_network(folder / "b.keras", 2, upsampling="transposed")
    return folder


def picture(height: int, width: int) -> Picture:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("size", [(40, 64), (33, 50)])
def test_it_paints_what_the_network_paints(
    networks: Path, name: str, size: tuple[int, int]
) -> None:
    engine = FastEngine()
    engine.prepare({"s": np.fromfile(networks / f"{name}.keras", np.uint8)})
    frame = picture(*size)
    painted = engine.paint(frame[None], [Mix({"s": 1.0})])[0]
    network = load_network(networks / f"{name}.keras")
    expected = 255 * np.asarray(network(frame[None].astype(np.float32) / 255))[0]
    # In half precision, where the processor computes with it.
    assert np.abs(painted - expected).mean() < 2


def test_two_networks_cross_fade(networks: Path) -> None:
    engine = FastEngine()
    engine.prepare({name: network_bytes(seed) for name, seed in (("a", 1), ("b", 2))})
    frame = picture(24, 24)[None]
    a, b = (engine.paint(frame, [Mix({name: 1.0})])[0].astype(float) for name in "ab")
    mixed = engine.paint(frame, [Mix({"a": 0.75, "b": 0.25})])[0]
    assert np.abs(mixed - (0.75 * a + 0.25 * b)).max() <= 1


def test_a_style_that_was_not_prepared_is_named() -> None:
    engine = FastEngine()
    engine.prepare({})
    with pytest.raises(EngineError, match="'c'"):
        engine.paint(picture(16, 16)[None], [Mix({"c": 1.0})])


def test_a_picture_is_no_style_of_this_engine() -> None:
    with pytest.raises(UsageError, match="not a trained network"):
        FastEngine().prepare({"a": picture(16, 16)})


def test_a_network_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingFileError, match=r"none\.keras"):
        FastEngine(model="none.keras")


def test_a_network_is_a_look_and_other_engines_say_so(networks: Path) -> None:
    (look,) = resolve_styles([str(networks / "a.keras")], keyframes=5, picker="middle")
    assert (look.name, look.space) == ("a", NETWORK_SPACE)
    with pytest.raises(UsageError, match="trained network"):
        _ = look.picture
    with pytest.raises(SpaceError, match="--engine fast"):
        check_space([look], "embedded", "magenta-tflite-100")
    built_in = resolve_styles(["@ink-wash"], keyframes=5, picker="middle")
    with pytest.raises(SpaceError, match="vst train fast"):
        check_space(built_in, "fast", NETWORK_SPACE)


def test_its_model_stands_for_the_style(networks: Path) -> None:
    a, b = str(networks / "a.keras"), str(networks / "b.keras")
    assert Job("c.mp4", (), "o.mp4", engine="fast", model=a).styles == (a,)
    assert Job("c.mp4", (a,), "o.mp4", engine="fast", model=a).styles == (a,)
    with pytest.raises(UsageError, match="all of them as styles"):
        Job("c.mp4", (b,), "o.mp4", engine="fast", model=a)
    with pytest.raises(UsageError, match="no style was given"):
        Job("c.mp4", (), "o.mp4", engine="fast")
    with pytest.raises(UsageError, match="no style was given"):
        Job("c.mp4", (), "o.mp4", engine="embedded", model=a)


# Files from anywhere


def changed(path: Path, out: Path, change: Any) -> Path:
    """A copy of a network's file whose description went through ``change``."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "config.json":
                described = json.loads(content)
                change(described)
                content = json.dumps(described).encode()
            new.writestr(part.filename, content)
    return out


CHANGES: dict[str, Any] = {
    "another class": lambda d: d.update(class_name="Lambda", registered_name=None),
    "another name in the register": lambda d: d.update(registered_name="vst>Painter"),
    "another module": lambda d: d.update(module="os"),
    "a huge plan": lambda d: d["config"]["plan"].update(width=10**6),
    "a plan of something else": lambda d: d["config"]["plan"].update(
        width={"class_name": "Lambda"}
    ),
    "more than a plan": lambda d: d["config"].update(dtype={"class_name": "Lambda"}),
    "no plan": lambda d: d["config"].pop("plan"),
    "no description": lambda d: d.clear(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_file_that_describes_something_else_is_refused(
    networks: Path, tmp_path: Path, change: Any
) -> None:
    with pytest.raises(AssetError, match="not a network that"):
        load_network(changed(networks / "a.keras", tmp_path / "x.keras", change))


def test_weights_that_do_not_fit_are_refused(networks: Path, tmp_path: Path) -> None:
    wider = changed(
        networks / "a.keras", tmp_path / "x.keras", lambda d: d["config"]["plan"].update(width=3)
    )
    with pytest.raises(AssetError, match="cannot be read"):
        load_network(wider)


def test_a_model_with_a_function_in_it_is_refused(tmp_path: Path) -> None:
    import keras

    touched = tmp_path / "touched"
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Lambda(lambda x: x)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "lambda.keras")
    with pytest.raises(AssetError, match="not a network that"):
        load_network(tmp_path / "lambda.keras")
    assert not touched.exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04\x95pickle"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.keras").write_bytes(content)
    with pytest.raises(AssetError, match="not a network that"):
        load_network(tmp_path / "x.keras")


# From the command line


def test_a_video_is_painted_without_a_style(
    run: Any, media: Path, networks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    model = networks / "a.keras"
    words = ["stylize", media / "clip.mp4", "--engine", "fast", "-o", out, "--json"]
    done = run(*words, "--model", model)
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["frames"] == 20 and report["engine"] == "fast"
    assert [key["name"] for key in report["keyframes"]] == ["a"]


def test_two_networks_are_played_one_after_the_other(
    run: Any, media: Path, networks: Path, tmp_path: Path
) -> None:
    styles = ["-s", networks / "a.keras", "-s", networks / "b.keras"]
    done = run(
        "stylize", media / "clip.mp4", *styles, "--engine", "fast", "-o", f"{tmp_path / 'frames'}/",
        "--stabilise", "off", "--ease", "linear",
    )  # fmt: skip
    assert done.code == 0, done.err
    shown = [cv2.imread(str(path)) for path in sorted((tmp_path / "frames").glob("*.png"))]
    ends = [shown[0].astype(float), shown[-1].astype(float)]
    middle = shown[len(shown) // 2].astype(float)
    assert min(np.abs(middle - end).mean() for end in ends) > 1


def test_a_preview_shows_networks(run: Any, media: Path, networks: Path, tmp_path: Path) -> None:
    done = run(
        "preview", media / "clip.mp4", "--engine", "fast", "--model", networks / "a.keras",
        "-o", tmp_path / "sheet.png",
    )  # fmt: skip
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "fast", "--model", "none.keras"], "none.keras"),
        (["--engine", "fast", "-s", "red.png"], "not a trained network"),
        (["--engine", "fast", "-s", "@ink-wash"], "vst train fast"),
        (["-s", "a.keras"], "--engine fast"),
        (["--engine", "fast", "--model", "red.png"], "is not a model"),
    ],
)
def test_wrong_models_and_styles_give_a_one_line_error(
    run: Any, media: Path, networks: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    places = {"a.keras": networks / "a.keras", "red.png": media / "red.png"}
    named = [places.get(word, word) for word in words]
    done = run("stylize", media / "clip.mp4", *named, "-o", tmp_path / "out.mp4")
    assert done.code in (1, 2) and message in done.err and len(done.err.splitlines()) == 1
    assert not (tmp_path / "out.mp4").exists()
