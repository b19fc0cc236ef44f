"""The embedded networks and their weights' file format, on made-up values."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vst.engines.embedded import EmbeddedEngine
from vst.engines.embedded_runtime import reflect_indices
from vst.errors import AssetError, SpaceError
from vst.nets import weight_files
from vst.nets.embedded import (
    Painter,
    PainterPlan,
    blocks_to_channels,
    build_predictor,
    channels_to_blocks,
    normalize_instances,
)

SMALL = PainterPlan(channels=8, blocks=1, stem=4, phases=4, fine=8, reach=3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder of weights from random values."""
    folder = tmp_path_factory.mktemp("weights")
    for name, network in (("painter", Painter()), ("predictor", build_predictor())):
        weight_files.write_weights(
            folder, name, weight_files.export_arrays(network), {"trained_on": "nothing"}
        )
    return folder


def test_the_package_is_small_enough():
    parameters = Painter().count_params(), build_predictor().count_params()
    assert parameters[0] <= 600_000
    assert 2 * sum(parameters) <= 6_000_000


def test_blocks_and_back():
    picture = np.random.default_rng(0).random((2, 8, 12, 3)).astype(np.float32)
    blocks = blocks_to_channels(picture, 4)
    assert tuple(blocks.shape) == (2, 2, 3, 48)
    assert np.array_equal(np.asarray(channels_to_blocks(blocks, 4)), picture)


def test_normalised_channels_have_the_asked_mean_and_spread():
    x = np.random.default_rng(1).normal(3, 2, (2, 16, 16, 4)).astype(np.float32)
    scale, shift = np.full((2, 4), 0.5, np.float32), np.full((2, 4), -1.0, np.float32)
    y = np.asarray(normalize_instances(x, scale, shift))
    assert np.allclose(y.mean((1, 2)), -1, atol=1e-3)
    assert np.allclose(y.std((1, 2)), 0.5, atol=1e-3)


def test_painter_keeps_the_shape_and_treats_each_picture_alone():
    painter, rng = Painter(SMALL), np.random.default_rng(2)
    pictures = rng.random((2, 32, 24, 3)).astype(np.float32)
    numbers = rng.normal(0, 1, (2, 100)).astype(np.float32)
    both = np.asarray(painter(pictures, numbers))
    assert both.shape == pictures.shape and both.min() >= 0 and both.max() <= 1
    alone = np.asarray(painter(pictures[1:], numbers[1:]))
    assert np.allclose(both[1:], alone, atol=1e-5)


def test_the_style_space_is_brought_to_one_spread():
    rng = np.random.default_rng(3)
    numbers = rng.normal(0, 1, (500, 100)) * np.geomspace(0.3, 3, 100) + 5
    painter = Painter(SMALL)
    painter.set_space(numbers.astype(np.float32))
    own = np.asarray(painter.styles(numbers.astype(np.float32)))
    assert np.allclose(own.mean(0), 0, atol=0.05)
    assert own.std(0).max() / own.std(0).min() < 1.5


def test_weights_survive_the_way_through_a_file(tmp_path):
    painter = Painter(SMALL)
    weight_files.write_weights(
        tmp_path, "painter", weight_files.export_arrays(painter), {"trained_on": "nothing"}
    )
    other = Painter(SMALL)
    weight_files.assign_arrays(other, weight_files.read_weights(tmp_path, "painter"))
    for one, two in zip(painter.get_weights(), other.get_weights()):
        assert np.allclose(one, two, rtol=2e-3, atol=1e-6)


def test_weights_of_another_design_are_refused(tmp_path):
    weight_files.write_weights(tmp_path, "painter", weight_files.export_arrays(Painter(SMALL)), {})
    with pytest.raises(AssetError, match=r"another design|expected"):
        weight_files.assign_arrays(Painter(), weight_files.read_weights(tmp_path, "painter"))


def test_damaged_weights_are_refused(tmp_path):
    path = weight_files.write_weights(tmp_path, "painter", {"a": np.zeros(3)}, {})
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(AssetError, match="sha256"):
        weight_files.read_weights(tmp_path, "painter")


def test_weights_of_another_format_are_refused(tmp_path):
    weight_files.write_weights(tmp_path, "painter", {"a": np.zeros(3)}, {})
    index = json.loads((tmp_path / weight_files.INDEX_FILE).read_text(encoding="utf-8"))
    (tmp_path / weight_files.INDEX_FILE).write_text(
        json.dumps({**index, "format": 99}), encoding="utf-8"
    )
    with pytest.raises(AssetError, match="format 99"):
        weight_files.read_weights(tmp_path, "painter")


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(AssetError, match="vst train embedded"):
        weight_files.read_weights(tmp_path, "painter")


def test_reflection_of_sides_shorter_than_the_border():
    assert list(reflect_indices(3, 4, 5)) == [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]
    assert list(reflect_indices(1, 2, 2)) == [0] * 5


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (30, 17), (64, 66)])
def test_engine_paints_any_size(weights, size):
    with EmbeddedEngine(model=str(weights)) as engine:
        frames = np.random.default_rng(4).integers(0, 256, (2, *size, 3), dtype=np.uint8)
        numbers = np.stack([engine.embed(frames[0]), engine.embed(frames[1])])
        painted = engine.stylize(frames, numbers)
        assert painted.shape == frames.shape and painted.dtype == np.uint8
        # Sixteen-bit arithmetic may round differently by shape, never by neighbour.
        alone = engine.stylize(frames[1:], numbers[1:])
        assert np.array_equal(painted[1:], alone)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("level", [0, 127, 255])
def test_engine_paints_plain_frames_plain(weights, level, fast, monkeypatch):
    monkeypatch.setattr("vst.engines.tensorflow_runtime.has_fast_bfloat16", lambda: fast)
    numbers = np.random.default_rng(6).normal(0, 1, (1, 100)).astype(np.float32)
    with EmbeddedEngine(model=str(weights)) as engine:
        painted = engine.stylize(np.full((1, 90, 70, 3), level, np.uint8), numbers)
    assert np.ptp(painted, axis=(1, 2)).max() == 0


def test_engine_agrees_with_the_network(weights):
    rng = np.random.default_rng(5)
    frame = rng.integers(0, 256, (1, 48, 40, 3), dtype=np.uint8)
    numbers = rng.normal(0, 1, (1, 100)).astype(np.float32)
    painter = Painter()
    weight_files.assign_arrays(painter, weight_files.read_weights(weights, "painter"))
    expected = np.asarray(painter(frame.astype(np.float32) / 255, numbers))
    with EmbeddedEngine(model=str(weights)) as engine:
        found = engine.stylize(frame, numbers)
    assert np.abs(found - expected * 255).mean() < 2


def test_engine_refuses_numbers_of_another_space(weights):
    with EmbeddedEngine(model=str(weights)) as engine, pytest.raises(SpaceError, match="100"):
        engine.stylize(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 768), np.float32))
