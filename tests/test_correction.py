"""A style space is moved by what a painter misses."""

from __future__ import annotations

import numpy as np

from vst.research.training import correction


def test_the_painter_is_given_what_it_misses() -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "centre": rng.normal(size=100).astype(np.float32),
        "basis": rng.normal(size=(100, 100)).astype(np.float32) / 10,
    }
    given = rng.normal(size=(2000, 100)).astype(np.float32)
    moved = correction.correct(arrays, given, 0.9 * given - 0.5)  # it misses a tenth and a half
    others = rng.normal(size=(20, 100)).astype(np.float32)
    found = (others - moved["centre"]) @ moved["basis"]
    wanted = others + correction.SHARE * (0.1 * others + 0.5)
    assert np.allclose(found, (wanted - arrays["centre"]) @ arrays["basis"], atol=0.1)


def test_made_embeddings_are_spread_like_those_of_styles() -> None:
    rng = np.random.default_rng(1)
    known = (rng.normal(size=(400, 100)) * np.linspace(0.5, 2, 100) + 3).astype(np.float32)
    make = correction.EmbeddingMaker(known, rng)
    made = np.stack([make() for _ in range(600)])
    assert np.allclose(made.mean(0), 3, atol=0.6)
    assert np.corrcoef(made.std(0), known.std(0))[0, 1] > 0.9


class Echo:
    """An engine and a teacher: pictures carry their embedding, of which one tenth is lost."""

    def stylize(self, frames: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        assert frames.shape[0] == len(embeddings) == correction.CONTENTS
        return 0.9 * embeddings

    def embed(self, picture: np.ndarray) -> np.ndarray:
        return picture


def test_a_reading_is_the_mean_over_the_painted_pictures() -> None:
    rng = np.random.default_rng(2)
    make = correction.EmbeddingMaker(rng.normal(size=(120, 100)).astype(np.float32), rng)
    contents = [np.zeros((8, 8, 3), np.uint8)] * 2
    row = correction.Reader(Echo(), Echo(), contents, make)()
    assert np.allclose(row["read"], 0.9 * row["given"], atol=1e-6)
