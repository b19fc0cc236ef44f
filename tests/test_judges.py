"""Judges: VGG16 and AlexNet from files of arrays, LPIPS, and what `vst evaluate` makes of them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.judge_files import write_judge
from vst import assets
from vst.engines.gatys import GatysEngine
from vst.engines.gatys_options import GatysOptions
from vst.errors import AssetError, MissingFileError, UsageError
from vst.evaluation.judging import JUDGED_METRICS, PROTOCOL
from vst.evaluation.measure import EvaluationOptions, evaluate
from vst.metrics.judged import EVERY
from vst.nets import array_networks, judges
from vst.nets.backbones import open_backbone
from vst.schedule.timeline import Mix

COUNT = 14
REAL = Path(os.environ.get("VST_SHARED", "../shared")) / "judge"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_judge(tmp_path_factory.mktemp("judge"))


@pytest.fixture(scope="module")
def judge(folder: Path) -> judges.Judge:
    return judges.open_judge(folder)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A pan over noise, its negative, and a negative whose brightness alternates."""
    place = tmp_path_factory.mktemp("clips")
    noise = np.random.default_rng(0).integers(0, 256, (96, 200, 3)).astype(np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    contents = [np.ascontiguousarray(wide[:, 2 * i : 2 * i + 128]) for i in range(COUNT)]
    steady = [(255 - content) // 2 + 20 for content in contents]
    films = {
        "content": contents,
        "steady": steady,
        "flickering": [picture + 51 * (i % 2) for i, picture in enumerate(steady)],
    }
    found = {}
    for name, pictures in films.items():
        (place / name).mkdir()
        for index, picture in enumerate(pictures):
            cv2.imwrite(str(place / name / f"{index:04d}.png"), picture.astype(np.uint8))
        found[name] = str(place / name)
    found["style"] = str(place / "style.png")
    cv2.imwrite(found["style"], steady[0].astype(np.uint8))
    return found


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, border: int) -> np.ndarray:
    """A convolution of (H,W,C) with ReLU, by its definition."""
    x = np.pad(x, ((border, border), (border, border), (0, 0)))
    side = kernel.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), (0, 1))
    return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel) + bias, 0)


def test_vgg16_of_arrays_computes_its_first_layers(folder: Path) -> None:
    picture = np.random.default_rng(1).random((40, 32, 3)).astype(np.float32)
    backbone = open_backbone("vgg16", folder)
    found = backbone(picture[None], ("block1_conv2", "block5_conv3"))
    layers = array_networks.read_convolutions(folder / "vgg16.npz", "VGG16", 2)
    wanted = (picture - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    for kernel, bias in layers:
        wanted = convolve(wanted, kernel, bias, 1)
    np.testing.assert_allclose(found["block1_conv2"][0], wanted, atol=1e-4)
    assert found["block5_conv3"].shape == (1, 2, 2, 8)


def test_gatys_paints_with_a_vgg16_of_arrays(folder: Path) -> None:
    rng = np.random.default_rng(3)
    content, style = rng.integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    options = GatysOptions(backbone="vgg16", steps=4, content_layers=("block4_conv2",))
    with GatysEngine(model=str(folder), options=options) as engine:
        engine.prepare({"style": style})
        painted = engine.paint(content[None], [Mix({"style": 1.0})])
        assert engine.last is not None and engine.last.cost < engine.last.first
    assert (painted[0] != content).any()


def test_alexnet_halves_between_its_first_layers(judge: judges.Judge) -> None:
    assert judge.alexnet is not None
    shapes = [found.shape[1:] for found in judge.alexnet(np.zeros((1, 128, 128, 3), np.float32))]
    assert shapes == [(31, 31, 4), (15, 15, 6), (7, 7, 8), (7, 7, 8), (7, 7, 8)]


def test_lpips_is_zero_for_equal_pictures_and_grows_with_the_difference(
    judge: judges.Judge,
) -> None:
    picture = np.random.default_rng(2).integers(60, 190, (48, 80, 3)).astype(np.uint8)
    assert judge.lpips is not None and judge.lpips.name == "alexnet"
    assert judge.lpips(picture, picture) == 0
    near, far = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (0.5, 3))
    assert 0 < judge.lpips(picture, near) < judge.lpips(picture, far)


def test_without_alexnet_vgg16_measures_lpips(folder: Path) -> None:
    lone = judges.open_judge(folder / "vgg16.npz")
    assert lone.alexnet is None
    assert lone.lpips is not None and lone.lpips.name == "vgg16"


def test_a_place_without_weights_is_refused_with_a_remedy(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"Give a file or a folder"):
        judges.open_judge(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match=r"has no vgg16\*\.npz"):
        judges.open_judge(tmp_path)
    (tmp_path / "vgg16.npz").write_bytes(b"no archive")
    with pytest.raises(AssetError, match="cannot be read as arrays"):
        judges.open_judge(tmp_path)
    wrong = tmp_path / "vgg16-wrong.npz"
    wrong.write_bytes((folder / "alexnet.npz").read_bytes())
    with pytest.raises(AssetError, match="no array 'VGG16_0/Conv_0' of a VGG16"):
        judges.open_judge(wrong)


def test_an_installed_vgg16_is_found(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    assert judges.find_judge() is None
    known = assets.KnownModel(
        "vgg16", "", "Keras weights", "", "", (assets.KnownFile("vgg16.npz"),), engine="gatys"
    )
    monkeypatch.setitem(assets.MODELS, "vgg16", known)
    assets.install_from_folder(known, folder)
    place = judges.find_judge()
    assert place is not None and (place / "vgg16.npz").is_file()
    assert open_backbone("vgg16").network.get_layer("block1_conv1").filters == 4


def test_a_weights_file_with_another_md5_is_refused(tmp_path: Path) -> None:
    model = assets.get_known_model("vgg16")
    path = tmp_path / model.files[0].path
    with path.open("wb") as file:
        file.truncate(model.size)
    with pytest.raises(AssetError, match="hash differs"):
        assets.install_from_folder(model, tmp_path)


def test_the_judge_s_measures_tell_flicker_and_style(
    judge: judges.Judge, clips: dict[str, str]
) -> None:
    found = evaluate(
        clips["steady"],
        clips["content"],
        EvaluationOptions(
            against=[clips["flickering"]],
            styles=[clips["style"]],
            measures=JUDGED_METRICS,
            judge=judge,
        ),
    )
    steady, flickering = (video.scores for video in found.videos)
    assert steady["lpips"].total < flickering["lpips"].total
    known = [i for i, value in enumerate(steady["lpips"].values) if math.isfinite(value)]
    assert known == [1, 1 + EVERY, 1 + 2 * EVERY]
    assert math.isfinite(steady["lpips-10"].values[10])
    for name in ("vgg-style", "alexnet-style"):
        assert steady[name].values[0] < 0.05  # the first frame is the style itself
        assert steady[name].total < flickering[name].total
    options = EvaluationOptions(measures=["content-lpips", "vgg-content"], judge=judge)
    found = evaluate(clips["content"], clips["content"], options)
    assert found.as_dict()["videos"][0]["total"] == {"content-lpips": 0, "vgg-content": 0}


def test_a_style_without_a_picture_leaves_the_style_distance_out(
    judge: judges.Judge, clips: dict[str, str]
) -> None:
    options = EvaluationOptions(styles=["@ink-wash"], judge=judge, protocol=True)
    found = evaluate(clips["steady"], clips["content"], options)
    assert "style 'ink-wash' has no picture" in found.warnings[0]
    assert "vgg-style" not in found.videos[0].scores
    assert "vgg-content" in found.videos[0].scores
    with pytest.raises(UsageError, match="lack the styles' pictures"):
        evaluate(
            clips["steady"],
            clips["content"],
            EvaluationOptions(measures=["vgg-style"], judge=judge),
        )
    with pytest.raises(UsageError, match="needs a judge"):
        evaluate(clips["steady"], clips["content"], EvaluationOptions(measures=["lpips"]))


Run = Callable[..., Any]


def test_the_protocol_fixes_size_frames_and_measures(
    run: Run, folder: Path, clips: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vst.evaluation.measure.PROTOCOL", PROTOCOL.__class__(side=64, frames=12))
    words = ("evaluate", clips["steady"], "--content", clips["content"], "--judge", folder)
    done = run(*words, "--style", clips["style"], "--protocol", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["protocol"] == "vst-1" and min(found["size"]) == 64
    assert found["judge"] == ["alexnet.npz", "vgg16.npz"]
    assert found["videos"][0]["frames"] == 12
    assert set(found["videos"][0]["total"]) == set(PROTOCOL.measures)
    assert run(*words, "--protocol", "--size", "32").code == 2


def test_without_a_judge_one_line_says_so(
    run: Run, clips: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    words = ("evaluate", clips["steady"], "--content", clips["content"], "--progress", "none")
    done = run(*words, "--protocol")
    assert done.out.count("no judge is here. `vst models pull vgg16`") == 1
    assert "vgg-content" not in done.out


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/judge")
def test_the_real_judge_measures_what_the_lab_measured() -> None:
    """A checkerboard and noise, as ../shared/lab/judge.py prints them."""
    judge = judges.open_judge(REAL)
    noise = np.random.default_rng(0).random((128, 128, 3), np.float32)
    board = np.kron(np.eye(16, dtype=np.float32), np.ones((8, 8), np.float32))
    pictures = [
        np.rint(values * 255).astype(np.uint8) for values in (noise, np.stack([board] * 3, -1))
    ]
    assert judge.lpips is not None and judge.vgg is not None
    assert judge.lpips(*pictures) == pytest.approx(LAB_LPIPS, rel=0.01)
    grams = [judges.measure_style(judge.vgg, one, 4) for one in reversed(pictures)]
    assert judges.compare_styles(*grams) == pytest.approx(LAB_STYLE, rel=0.01)


LAB_LPIPS, LAB_STYLE = 1.3323, 14.282
