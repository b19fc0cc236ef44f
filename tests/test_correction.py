"""A style space is moved by what a painter misses."""

from __future__ import annotations

import numpy as np

from vst.research.training import correction
from vst.research.training.picture_data import EmbeddingSampler


def test_the_painter_is_given_what_it_misses() -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "centre": rng.normal(size=100).astype(np.float32),
        "basis": rng.normal(size=(100, 100)).astype(np.float32) / 10,
    }
    given = rng.normal(size=(20_000, 100)).astype(np.float32)
    moved = correction.correct(arrays, given, 0.7 * given - 0.5)  # it misses 0.3 of it and 0.5
    others = rng.normal(size=(20, 100)).astype(np.float32)
    wanted = (others - arrays["centre"]) @ arrays["basis"]
    wanted += correction.SHARE * (0.3 * others + 0.5) @ arrays["basis"]
    found = (others - moved["centre"]) @ moved["basis"]
    assert np.abs(found - wanted).max() < 0.1
    assert np.abs((others - arrays["centre"]) @ arrays["basis"] - wanted).max() > 0.5


class Echo:
    """An engine and a teacher: pictures carry nine tenths of the embedding they are painted in."""

    def stylize(self, frames: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        assert frames.shape == (correction.CONTENTS, 256, 256, 3)
        return 0.9 * embeddings

    def embed(self, picture: np.ndarray) -> np.ndarray:
        return picture


def test_a_reading_is_what_the_teacher_reads_in_painted_pictures() -> None:
    rng = np.random.default_rng(2)
    known = rng.normal(size=(12, 100)).astype(np.float32)
    photographs = [np.zeros((40, 60, 3), np.uint8)] * 2
    sampler = EmbeddingSampler(known, known)
    row = correction.Reader(Echo(), Echo(), photographs, sampler, rng)()
    assert np.allclose(row["read"], 0.9 * row["given"], atol=1e-6)
    assert row["given"].any()
