"""The training of the embedded model, in seconds, on made-up pictures and a made-up teacher."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from tests.fake_teacher import FakeGraph, FakeTeacher, write_pictures
from vst.research.training import (
    examples,
    orthogonal,
    painter_losses,
    painter_student,
    picture_data,
    validation,
)
from vst.research.training.distillation import Distillation, DistillationPlan

SIDE = 64


class FakeDistillation(Distillation):
    def open_teacher(self):
        return FakeTeacher()

    def open_graphs(self):
        return FakeGraph(), None


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"))


PLAN = DistillationPlan(
    minutes=0.01,
    pairs=12,
    labels=24,
    validation=4,
    side=SIDE,
    batch=2,
    predictor_batch=3,
    every=0.1,
)


def small(pictures, out, plan=PLAN, clips=()):
    from vst.nets.embedded import PainterPlan

    tiny = PainterPlan(channels=8, blocks=1, stem=4, phases=4, fine=8, reach=3)
    return FakeDistillation(pictures, pictures, out, plan, tiny, clips)


def test_kept_pictures_are_never_trained_on(pictures):
    names = {
        part: {
            p.name for p in (pictures / "content").iterdir() if picture_data.assign_part(p) == part
        }
        for part in ("kept", "validation", "training")
    }
    assert sum(len(found) for found in names.values()) == len(
        list((pictures / "content").iterdir())
    )
    assert len(picture_data.PicturePool.read(pictures, "training").photographs) == len(
        names["training"]
    )


@pytest.mark.parametrize("shape", [(40, 90, 3), (300, 20, 3), (16, 16, 3)])
def test_crops_are_squares_of_the_asked_side(shape):
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, shape, dtype=np.uint8)
    assert picture_data.crop_randomly(picture, rng, SIDE).shape == (SIDE, SIDE, 3)
    for _ in range(10):
        assert picture_data.augment_style(picture, picture, rng).shape == (
            picture_data.SIDE,
            picture_data.SIDE,
            3,
        )
        assert picture_data.draw_plain_content(rng, SIDE).shape == (SIDE, SIDE, 3)


def test_flat_crops_are_drawn_anew_however_close():
    picture = np.full((96, 128, 3), 90, np.uint8)
    picture[24:72, 32:96] = np.random.default_rng(6).integers(0, 256, (48, 64, 3))
    pool = picture_data.PicturePool([picture], [picture])
    maker = examples.PairMaker(pool, FakeTeacher(), np.random.default_rng(7), SIDE)
    spreads = [maker.draw_content().std((0, 1)).max() for _ in range(200)]
    assert min(spreads) > 1.5  # the grain of gradients; flat would be 0


def test_numbers_are_drawn_from_the_pools_and_mixed():
    rng = np.random.default_rng(2)
    drawer = picture_data.EmbeddingSampler(
        np.ones((5, picture_data.DIM)), np.zeros((5, picture_data.DIM))
    )
    drawn = np.array([drawer.draw(rng, np.full(picture_data.DIM, 0.5)) for _ in range(200)])
    assert drawn.shape == (200, picture_data.DIM) and drawn.dtype == np.float32
    assert drawn.mean() == pytest.approx(0.7, abs=0.1)
    varied = np.full((3, picture_data.DIM), -1.0)
    drawer = picture_data.EmbeddingSampler(
        np.ones((5, picture_data.DIM)), np.ones((5, picture_data.DIM)), varied=varied
    )
    assert {round(float(drawer.one(rng)[0])) for _ in range(50)} == {-1, 1}


def test_a_store_goes_on_where_it_was(tmp_path):
    shapes = {"value": ((2,), "f4")}
    made = []

    def make():
        if len(made) == 150:
            raise KeyboardInterrupt
        made.append(1)
        return {"value": np.full(2, len(made))}

    with pytest.raises(KeyboardInterrupt):
        examples.ExampleStore(tmp_path, 250, shapes).fill(make, "test", lambda p: None)
    again = examples.ExampleStore(tmp_path, 250, shapes)
    assert again.filled == 100
    again.fill(lambda: {"value": np.zeros(2)}, "test", lambda p: None)
    assert again.filled == 250 and again.arrays["value"][99, 0] == 100


def test_losses_vanish_for_equal_pictures_and_see_differences():
    rng = np.random.default_rng(3)
    one = rng.random((2, 32, 32, 3)).astype(np.float32)
    other = rng.random((2, 32, 32, 3)).astype(np.float32)
    errors = (
        painter_losses.pixel_error,
        painter_losses.edge_error,
        painter_losses.palette_error,
        painter_losses.energy_error,
        painter_losses.weave_error,
        painter_losses.structure_error,
    )
    for error in errors:
        assert float(error(one, one)) == pytest.approx(0, abs=1e-6)
        assert float(error(one, other)) > 0


def test_an_error_in_decibels_falls_by_the_same_for_each_halving():
    smooth = np.full((1, 32, 32, 3), 0.5, np.float32)
    far, nearer, near = (
        float(painter_losses.decibel_error(smooth + off, smooth)) for off in (0.4, 0.2, 0.1)
    )
    assert far - nearer == pytest.approx(2 * np.log(2), abs=0.03)
    assert nearer - near == pytest.approx(2 * np.log(2), abs=0.06)


def test_structure_is_judged_as_by_the_measure():
    rng = np.random.default_rng(5)
    one = rng.random((64, 48, 3)).astype(np.float32)
    other = (0.6 * one + 0.4 * rng.random((64, 48, 3))).astype(np.float32)
    found = 1 - float(painter_losses.structure_error(one[None], other[None]))
    assert found == pytest.approx(validation.measure_ssim(one, other), abs=0.01)


def test_a_grid_of_four_pixels_is_a_weave_and_one_of_five_is_not():
    smooth = np.full((1, 64, 64, 3), 0.5, np.float32)
    four, five = smooth.copy(), smooth.copy()
    four[:, ::4] += 0.1
    five[:, ::5] += 0.1
    assert float(painter_losses.weave_error(four, smooth)) == pytest.approx(0.1 * 3 / 8, abs=1e-3)
    assert float(painter_losses.weave_error(five, smooth)) < 0.01


def test_measures_know_a_blurred_picture():
    rng = np.random.default_rng(4)
    picture = rng.random((64, 64, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(picture, (0, 0), 2)
    assert validation.measure_gradient_energy(blurred) < 0.2 * validation.measure_gradient_energy(
        picture
    )
    assert validation.measure_ssim(picture, picture) == pytest.approx(1, abs=1e-4)
    assert validation.measure_ssim(picture, blurred) < 0.7


def test_hints_are_found_by_structure():
    class Graph:
        operators = (
            ("CONV_2D", [0, 90, 91], 1, {}),
            ("CONV_2D", [1, 92, 93], 2, {}),
            ("MUL", [2, 94], 3, {}),
            ("SUB", [5, 4], 6, {}),
            ("ADD", [3, 6], 7, {}),
            ("ADD", [1, 7], 8, {}),
            ("CONV_2D", [8, 95, 96], 9, {}),
            ("ADD", [8, 9], 10, {}),
            ("RESIZE_NEAREST_NEIGHBOR", [10], 11, {}),
            ("ADD", [10, 11], 12, {}),
        )

    assert painter_student.find_hint_layers(Graph()) == [1, 8, 10]


def moving_clip(folder):
    """Eight frames of a moving texture, as a file."""
    rng = np.random.default_rng(7)
    wide = cv2.resize(rng.integers(0, 256, (12, 20, 3), dtype=np.uint8), (160, 96))
    path = folder / "moving.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (140, 96))
    for k in range(8):
        writer.write(np.ascontiguousarray(wide[:, 2 * k : 2 * k + 140]))
    writer.release()
    return path


def test_an_orthogonal_step_is_alike_in_all_directions():
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(6, 40)) * np.logspace(0, -2, 6)[:, None]
    values = np.linalg.svd(np.array(orthogonal.orthogonalize(matrix.astype(np.float32))))[1]
    assert 0.6 < values.min() and values.max() < 1.3


@pytest.mark.slow
def test_the_optimizer_learns_a_kernel_and_a_bias():
    import keras

    layer = keras.layers.Conv2D(4, 3, padding="same")
    model = keras.Sequential([keras.Input((8, 8, 3)), layer])
    pictures = np.random.default_rng(9).random((16, 8, 8, 3)).astype(np.float32)
    wanted = np.concatenate([pictures, pictures.mean(3, keepdims=True) + 1], 3)
    sides = (3, 5)
    assert [orthogonal.is_kernel(np.zeros((n, n, 2, 4)), sides) for n in (1, 3, 5)] == [0, 1, 1]
    model.compile(orthogonal.Orthogonal(0.02, kernel_rate=1, sides=sides), "mse")
    before = model.evaluate(pictures, wanted, verbose=0)
    model.fit(pictures, wanted, epochs=60, verbose=0)
    assert model.evaluate(pictures, wanted, verbose=0) < 0.05 * before


def test_slow_variables_learn_at_a_share_of_the_rate():
    import keras

    variables = [keras.Variable(np.ones((2, 3)), name=name) for name in ("stem", "stem_scale")]
    optimizer = orthogonal.Orthogonal(0.1, slow=("_scale",), slow_rate=0.3)
    optimizer.build(variables)
    optimizer.apply([np.ones((2, 3), np.float32)] * 2)
    fast, slow = (1 - np.asarray(variable) for variable in variables)
    assert fast.min() > 0.05
    assert np.allclose(slow, 0.3 * fast, rtol=1e-3)


def test_a_batch_is_varied_anew_each_time():
    rng = np.random.default_rng(10)
    pictures = [rng.integers(0, 256, (8, 8, 3), dtype=np.uint8) for _ in range(5)]
    one, two = picture_data.augment_batch(pictures, rng), picture_data.augment_batch(pictures, rng)
    assert one.shape == (5, 8, 8, 3) and one.dtype == np.uint8 and (one != two).any()


@pytest.mark.slow
def test_training_makes_weights_figures_and_measures(pictures, tmp_path):
    from vst.nets import weight_files
    from vst.nets.embedded import build_predictor

    events = []
    measures = small(pictures, tmp_path, clips=(moving_clip(tmp_path),)).run(events.append)
    assert {"predictor", "painter-base", "painter"} <= set(measures)
    assert 0 < measures["painter"]["psnr"] < 60
    for name in ("curves.png", "grid.png", "measures.json", "curves.json"):
        assert (tmp_path / name).is_file()
    assert (
        json.loads((tmp_path / "measures.json").read_text(encoding="utf-8"))["painter"]
        == measures["painter"]
    )
    weight_files.assign_arrays(
        build_predictor(), weight_files.read_weights(tmp_path / "weights", "predictor")
    )
    assert {event.stage for event in events} >= {"training pairs", "predictor", "painter"}


@pytest.mark.slow
def test_a_stopped_training_goes_on(pictures, tmp_path):
    first = small(pictures, tmp_path)
    first.prepare(lambda p: None)

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.train_predictor(stop)
    done = json.loads((tmp_path / "checkpoint/predictor/state.json").read_text(encoding="utf-8"))[
        "steps"
    ]
    second = small(pictures, tmp_path)
    second.prepare(lambda p: None)
    second.train_predictor(lambda p: None)
    assert done > 0 and second.curves["predictor"][-1]["steps"] >= done


def test_too_few_pictures_are_named(tmp_path):
    from vst.errors import MissingFileError

    with pytest.raises(MissingFileError, match="content"):
        small(tmp_path, tmp_path / "out").prepare(lambda p: None)


def test_the_command_needs_a_folder(pictures):
    from vst.cli.train import command

    arguments = ["embedded", "--teacher", str(pictures), "--pictures", str(pictures)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2 and "--out" in result.output
