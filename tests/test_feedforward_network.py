"""The feed-forward network: any size, its layers, its file, and its plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vst.errors import UsageError
from vst.nets.feedforward import FeedForward, load_network, save_network
from vst.nets.feedforward_plan import FeedForwardPlan

THIN = FeedForwardPlan(width=2, blocks=1, reach=3)


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("size", [(16, 16), (37, 50), (40, 64)])
def test_any_size_is_painted(upsampling: str, size: tuple[int, int]) -> None:
    network = FeedForward(replace(THIN, upsampling=upsampling, reach=9))
    pictures = np.random.default_rng(0).random((2, *size, 3)).astype(np.float32)
    painted = np.asarray(network(pictures))
    assert painted.shape == pictures.shape and 0 <= painted.min() <= painted.max() <= 1


def test_the_reports_network_has_its_layers() -> None:
    table = FeedForward().table
    shapes = {name: tuple(value.shape) for name, value in table.items() if len(value.shape) == 4}
    assert shapes["first"] == (9, 9, 3, 32) and shapes["last"] == (9, 9, 32, 3)
    assert shapes["half"] == (3, 3, 32, 64) and shapes["quarter"] == (3, 3, 64, 128)
    blocks = [name for name in shapes if name.startswith("block")]
    assert len(blocks) == 10 and {shapes[name] for name in blocks} == {(3, 3, 128, 128)}


def test_a_network_comes_back_from_its_file(tmp_path: Path) -> None:
    network = FeedForward(THIN)
    save_network(tmp_path / "a.keras", network, {"style": "x__y", "class_name": "z"})
    back = load_network(tmp_path / "a.keras")
    assert back.plan == THIN and back.about == {"style": "x__y", "class_name": "z"}
    picture = np.random.default_rng(0).random((1, 20, 24, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(back(picture)), np.asarray(network(picture)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.keras"]


def test_sizes_of_a_network_out_of_range_are_named() -> None:
    for wrong in ({"width": 0}, {"reach": 4}, {"upsampling": "nearest"}, {"blocks": "5"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            FeedForwardPlan(**wrong)
