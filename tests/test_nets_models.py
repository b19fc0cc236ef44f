"""The networks as Keras models: called, trained on, saved, loaded and exported."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from vst.errors import UnknownNameError
from vst.nets.embedded import Painter, PainterPlan
from vst.nets.models import load_model, make_functional

PICTURES = np.linspace(0, 1, 2 * 32 * 48 * 3, dtype=np.float32).reshape(2, 32, 48, 3)
NUMBERS = np.linspace(-1, 1, 200, dtype=np.float32).reshape(2, 100)


@pytest.fixture(scope="module")
def painter() -> keras.Model:
    return load_model("painter")


def test_the_shipped_painter_is_a_keras_model_for_pictures_of_any_size(
    painter: keras.Model,
) -> None:
    painted = painter.predict([PICTURES, NUMBERS], verbose=0)
    assert painted.shape == PICTURES.shape and 0 <= painted.min() < painted.max() <= 1
    assert painter([PICTURES[:, :16, :20], NUMBERS]).shape == (2, 16, 20, 3)


@pytest.mark.slow
def test_a_saved_painter_is_loaded_by_keras_and_paints_the_same(
    painter: keras.Model, tmp_path: Path
) -> None:
    painter.save(tmp_path / "painter.keras")
    again = keras.saving.load_model(tmp_path / "painter.keras")
    np.testing.assert_array_equal(again([PICTURES, NUMBERS]), painter([PICTURES, NUMBERS]))


@pytest.mark.slow
def test_a_painter_is_fine_tuned_with_fit() -> None:
    model = make_functional(Painter(PainterPlan(channels=8, blocks=1, stem=4, phases=4, fine=8)))
    model.compile("adam", "mse")
    wanted = np.full_like(PICTURES, 0.9)
    losses = model.fit([PICTURES, NUMBERS], wanted, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_an_exported_painter_runs_without_keras(painter: keras.Model, tmp_path: Path) -> None:
    painter.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(
        exported.serve([PICTURES, NUMBERS]), painter([PICTURES, NUMBERS]), atol=1e-5
    )


def test_the_predictor_is_saved_and_loaded_with_its_weights(tmp_path: Path) -> None:
    predictor = load_model("predictor")
    picture = 255 * np.linspace(0, 1, 256 * 256 * 3, dtype=np.float32).reshape(1, 256, 256, 3)
    predictor.save(tmp_path / "predictor.keras")
    again = keras.saving.load_model(tmp_path / "predictor.keras")
    np.testing.assert_array_equal(again(picture), predictor(picture))


def test_an_unknown_network_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="painter"):
        load_model("paintr")
