"""The networks that judge: their layers by name, what their first layer sees, their weights."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import applications

from vst.errors import AssetError, MissingFileError, UnknownNameError, UsageError
from vst.nets.backbones import BACKBONES, RANDOM, Backbone, choose_phases, open_backbone

RNG = np.random.default_rng(2)
PICTURE = RNG.random((1, 40, 52, 3)).astype(np.float32)
BIG = ("resnet50", "xception", "efficientnetb7")
NAMES = [pytest.param(n, marks=pytest.mark.slow) if n in BIG else n for n in BACKBONES]


@pytest.fixture(scope="module")
def vgg() -> Backbone:
    return open_backbone("vgg19", RANDOM)


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_of_the_table_are_there_for_any_size(name: str) -> None:
    backbone = open_backbone(name, RANDOM)
    names = (*backbone.content_layers, *backbone.style_layers)
    for picture in (PICTURE, PICTURE[:, :1, :3], np.concatenate([PICTURE] * 2)):
        found = backbone(picture, names)
        assert set(found) == set(names)
        for features in found.values():
            assert features.shape[0] == len(picture) and len(features.shape) == 4
            assert np.isfinite(features).all()


def test_vgg19_has_the_layers_of_the_papers(vgg: Backbone) -> None:
    assert vgg.content_layers == ("block4_conv2",)
    assert vgg.style_layers == tuple(f"block{block}_conv1" for block in range(1, 6))
    found = vgg(PICTURE, ("block5_conv2", *vgg.style_layers))
    assert found["block1_conv1"].shape == (1, 40, 52, 64)
    assert found["block5_conv2"].shape == (1, 2, 3, 512)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("vgg19", applications.vgg19),
        ("vgg16", applications.vgg16),
        pytest.param("resnet50", applications.resnet50, marks=pytest.mark.slow),
        pytest.param("xception", applications.xception, marks=pytest.mark.slow),
        pytest.param("efficientnetb7", applications.efficientnet, marks=pytest.mark.slow),
    ],
)
def test_pictures_are_prepared_as_keras_prepares_them(name: str, module) -> None:  # type: ignore[no-untyped-def]
    large = np.tile(PICTURE, (1, 2, 2, 1))
    expected = module.preprocess_input((large * 255).copy())
    np.testing.assert_allclose(open_backbone(name, RANDOM).preprocess(large), expected, atol=1e-3)


def test_the_error_for_an_unknown_layer_suggests_the_nearest(vgg: Backbone) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'block4_conv2'"):
        vgg(PICTURE, ("block4_conv22",))
    with pytest.raises(UsageError, match="no layers"):
        vgg(PICTURE, ())


def test_weights_come_from_a_file(tmp_path: Path, vgg: Backbone) -> None:
    path = tmp_path / "vgg19.weights.h5"
    vgg.network.save_weights(path)
    again = open_backbone("vgg19", path)
    layer = ("block3_conv1",)
    np.testing.assert_array_equal(again(PICTURE, layer)[layer[0]], vgg(PICTURE, layer)[layer[0]])
    with pytest.raises(AssetError, match="do not fit backbone 'vgg16'"):
        open_backbone("vgg16", path)


def test_an_unknown_backbone_and_a_missing_weight_file_are_named() -> None:
    with pytest.raises(UnknownNameError, match="vgg19"):
        open_backbone("vgg18")
    with pytest.raises(MissingFileError, match="nowhere"):
        open_backbone("vgg19", "nowhere.h5")


def test_without_a_network_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise Exception("URL fetch failure: None -- Name or service not known")

    monkeypatch.setattr(applications, "VGG19", unreachable)
    with pytest.raises(AssetError, match=r"as the model.*backbone .embedded.") as caught:
        open_backbone("vgg19")
    assert "\n" not in str(caught.value)


def test_the_embedded_backbone_sees_what_the_predictor_sees() -> None:
    from vst.core.data_folder import WEIGHTS
    from vst.nets import weight_files
    from vst.nets.embedded import build_predictor

    predictor = build_predictor()
    weight_files.assign_arrays(predictor, weight_files.read_weights(WEIGHTS, "predictor"))
    inside = keras.Model(predictor.input, predictor.get_layer("stage2").output)
    square = RNG.random((1, 256, 256, 3)).astype(np.float32)
    found = open_backbone("embedded")(square, ("stage2",))["stage2"]
    np.testing.assert_allclose(found, inside(square * 255), rtol=1e-3, atol=1e-3)


def test_phases_take_each_row_and_column_of_a_patch_once() -> None:
    assert choose_phases(1) == ((0, 0),)
    for places in zip(*choose_phases(4)):
        assert sorted(places) == [0, 1, 2, 3]


def test_a_phase_shifts_the_patches() -> None:
    backbone = open_backbone("embedded", RANDOM)
    picture = np.tile(PICTURE, (1, 2, 2, 1))
    layer = ("patches",)
    plain = np.asarray(backbone(picture, layer)["patches"])
    moved = np.asarray(backbone(picture, layer, (0, 0))["patches"])
    # It begins one patch above and left: that patch is the mirrored border.
    np.testing.assert_allclose(moved[:, 1:, 1:], plain, atol=1e-4)
    other = np.asarray(backbone(picture, layer, (1, 2))["patches"])
    assert other.shape == moved.shape and np.abs(other - moved).max() > 0.01
