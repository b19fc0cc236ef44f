"""The loop: every frame once and in order, scenes apart, strength 0 is the content itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vst.core.types import Frame, Picture, Pictures, Progress
from vst.engines.tint import TintEngine
from vst.errors import Cancelled, EngineError, OutputError
from vst.imaging.compositing import compute_painting_share, fade_to_content
from vst.imaging.resize import resize
from vst.imaging.trail import GhostTrail
from vst.masks import EDGES
from vst.pipeline.frames import MaskedFrame
from vst.pipeline.loop import AHEAD, BEHIND, STABILIZED, group_frames, run_loop
from vst.pipeline.painter import FrameBatch, FramePainter
from vst.pipeline.parts import PipelineParts
from vst.schedule.timeline import Key, Mix, Timeline
from vst.stabilizers.base import Stabilizer
from vst.stabilizers.off import Off
from vst.video.sinks.base import Sink, SinkReport, SinkSpec

SIZE = (24, 32, 3)


def scene(level: int, count: int, first: int = 0) -> list[Frame]:
    """Frames of one color, each with its number in the corner pixel."""
    frames = []
    for index in range(first, first + count):
        picture = np.full(SIZE, level, np.uint8)
        picture[0, 0] = index
        frames.append(Frame(index, index / 10, picture))
    return frames


def without_mask(frames: Iterable[Frame]) -> Iterator[MaskedFrame]:
    """Frames without a mask."""
    return ((frame, None) for frame in frames)


class MemorySink(Sink):
    """Keeps written frames in memory."""

    def __init__(self) -> None:
        super().__init__(SinkSpec(Path("none"), SIZE[1], SIZE[0], Fraction(10)))
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def finish(self) -> SinkReport:
        return SinkReport(self.spec.path, len(self.frames), self.spec.rate, len(self.frames) / 10)

    def abort(self) -> None:
        self.frames.clear()


class OneLate(Stabilizer):
    """Returns each frame one step later, and counts resets."""

    lookahead = 1

    def __init__(self) -> None:
        self.held: list[Picture] = []
        self.resets = 0

    def step(self, content: Picture, painted: Picture) -> list[Picture]:
        out, self.held = self.held, [painted]
        return out

    def flush(self) -> list[Picture]:
        out, self.held = self.held, []
        return out

    def reset(self) -> None:
        assert not self.held, "flush comes before reset"
        self.resets += 1


def make_parts(
    strength: float = 1.0, stabilizer: Stabilizer | None = None
) -> tuple[PipelineParts, MemorySink]:
    engine = TintEngine()
    engine.prepare(
        {
            "red": np.full((4, 4, 3), (255, 0, 0), np.uint8),
            "blue": np.full((4, 4, 3), (0, 0, 255), np.uint8),
        }
    )
    sink = MemorySink()
    timeline = Timeline.through(["red", "blue"], 1.0, strength=strength)
    painter = FramePainter(engine, SIZE[1], SIZE[0])
    return PipelineParts(painter, timeline, stabilizer or Off(), sink), sink


def test_every_frame_comes_out_once_and_in_order() -> None:
    parts, sink = make_parts(stabilizer=OneLate())
    passed = run_loop(parts, without_mask(scene(90, 11)), 11, lambda _: None)
    assert passed.frames == 11
    assert [frame.index for frame in sink.frames] == list(range(11))


def test_the_mix_is_that_of_the_frame_s_time_behind_a_late_stabilizer() -> None:
    on_time, kept = make_parts()
    run_loop(on_time, without_mask(scene(90, 11)), 11, lambda _: None)
    late, kept_late = make_parts(stabilizer=OneLate())
    run_loop(late, without_mask(scene(90, 11)), 11, lambda _: None)
    for a, b in zip(kept.frames, kept_late.frames):
        assert (a.picture == b.picture).all()


def test_the_stabilizer_gets_each_frame_s_mix_before_its_step() -> None:
    class Listening(Off):
        def __init__(self) -> None:
            self.heard: list[float] = []
            self.steps = 0

        def set_mix(self, mix: Mix) -> None:
            assert len(self.heard) == self.steps
            self.heard.append(mix.weights.get("blue", 0.0))

        def step(self, content: Picture, painted: Picture) -> list[Picture]:
            self.steps += 1
            return super().step(content, painted)

    stabilizer = Listening()
    parts, _ = make_parts(stabilizer=stabilizer)
    run_loop(parts, without_mask(scene(90, 11)), 11, lambda _: None)
    assert stabilizer.heard == [
        parts.mix_at(index / 10).weights.get("blue", 0) for index in range(11)
    ]
    assert stabilizer.steps == 11


def test_a_transition_runs_from_the_first_style_to_the_last() -> None:
    parts, sink = make_parts()
    run_loop(parts, without_mask(scene(0, 11)), 11, lambda _: None)
    red, blue = sink.frames[0].picture[5, 5], sink.frames[-1].picture[5, 5]
    assert red.tolist() == [127, 0, 0]
    assert blue.tolist() == [0, 0, 127]


def test_strength_0_is_the_content_itself() -> None:
    parts, sink = make_parts(strength=0.0)
    frames = scene(90, 5)
    run_loop(parts, without_mask(frames), 5, lambda _: None)
    assert all((a.picture == b.picture).all() for a, b in zip(frames, sink.frames))


def test_strength_has_no_jump_where_the_cross_fade_begins() -> None:
    def level(strength: float) -> float:
        parts, sink = make_parts(strength=strength)
        run_loop(parts, without_mask(scene(90, 1)), 1, lambda _: None)
        return float(sink.frames[0].picture.mean())

    levels = [level(s) for s in np.linspace(0, 1, 41)]
    assert np.abs(np.diff(levels)).max() < 3


def test_a_cut_flushes_and_resets_stabilizer_and_content_style() -> None:
    stabilizer = OneLate()
    parts, sink = make_parts(strength=0.5, stabilizer=stabilizer)
    run_loop(parts, without_mask(scene(10, 6) + scene(240, 6, first=6)), 12, lambda _: None)
    assert stabilizer.resets == 3  # the start, the first scene, the cut
    assert [frame.index for frame in sink.frames] == list(range(12))
    # At half strength the painting leans on the scene's own style: bright after the cut, not the
    # dark one's.
    assert sink.frames[6].picture.mean() > 150


def test_a_batch_never_holds_two_scenes() -> None:
    frames = scene(10, 5) + scene(240, 4, first=5)
    groups = [
        (batch.new_scene, [frame.index for frame in batch.frames])
        for batch in group_frames(without_mask(frames), 3, *SIZE[1::-1])
    ]
    assert groups == [(True, [0, 1, 2]), (False, [3, 4]), (True, [5, 6, 7]), (False, [8])]


def test_progress_ends_at_the_number_of_frames() -> None:
    events: list[Progress] = []
    parts, _ = make_parts()
    run_loop(parts, without_mask(scene(90, 7)), 7, events.append)
    assert events[-1].done == events[-1].total == 7


class Breaks(TintEngine):
    """Fails in a way of choice at frame 3."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.seen = way, 0

    def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
        self.seen += 1
        if self.seen <= 3:
            return super().stylize(frames, embeddings)
        if self.way == "raises":
            raise ValueError("the brush broke\nin two")
        if self.way == "size":
            return frames[:, :-1]
        return frames.astype(np.float32) * np.float32("nan")


@pytest.mark.parametrize(
    ("way", "said"), [("raises", "the brush broke"), ("size", "shape"), ("nan", "float32")]
)
def test_an_engine_that_fails_is_named_with_the_frame(way: str, said: str) -> None:
    parts, _ = make_parts()
    engine = Breaks(way)
    engine.prepare({"red": np.zeros((2, 2, 3), np.uint8), "blue": np.zeros((2, 2, 3), np.uint8)})
    broken = PipelineParts(
        FramePainter(engine, *SIZE[1::-1]), parts.timeline, parts.stabilizer, parts.sink
    )
    with pytest.raises(EngineError, match=f"engine 'tint' failed at frame 3.*{said}"):
        run_loop(broken, without_mask(scene(90, 7)), 7, lambda _: None)


def test_only_a_few_frames_are_read_ahead_of_the_writing() -> None:
    read: list[int] = []
    apart: list[int] = []

    def counted() -> Iterator[Frame]:
        for frame in scene(90, 60):
            read.append(frame.index)
            yield frame

    class Watching(MemorySink):
        def write(self, frame: Frame) -> None:
            time.sleep(0.002)
            apart.append(read[-1] - frame.index)

    parts, _ = make_parts()
    watched = PipelineParts(parts.painter, parts.timeline, parts.stabilizer, Watching())
    run_loop(watched, without_mask(counted()), 60, lambda _: None)
    # Queued to be painted, to be stabilized (a batch more) and to be written, one in each stage,
    # one that shows that no cut comes.
    assert max(apart) <= AHEAD + STABILIZED + 1 + BEHIND + 6


def test_a_sink_that_fails_ends_the_run_with_its_error() -> None:
    class Full(MemorySink):
        def write(self, frame: Frame) -> None:
            raise OutputError("no space left")

    parts, _ = make_parts()
    broken = PipelineParts(parts.painter, parts.timeline, parts.stabilizer, Full())
    threads = threading.active_count()
    with pytest.raises(OutputError, match="no space left"):
        run_loop(broken, without_mask(scene(90, 60)), 60, lambda _: None)
    assert threading.active_count() == threads


def test_an_error_of_on_progress_stops_the_run_and_its_threads() -> None:
    def stop(progress: Progress) -> None:
        raise Cancelled("stopped")

    parts, _ = make_parts()
    threads = threading.active_count()
    with pytest.raises(Cancelled):
        run_loop(parts, without_mask(scene(90, 60)), 60, stop)
    assert threading.active_count() == threads


def test_finish_brings_the_painting_to_the_content_s_size_and_fades() -> None:
    content, painting = np.full((40, 60, 3), 100, np.uint8), np.full((20, 30, 3), 200, np.uint8)
    assert fade_to_content(content, painting, 1.0).shape == content.shape
    assert fade_to_content(content, painting, 0.25).mean() == 125
    assert fade_to_content(content, painting, 0.0) is content


@pytest.mark.parametrize(("painted", "share"), [(0, 0), (0.15, 0.5), (0.3, 1), (1, 1)])
def test_below_the_engine_s_limit_the_share_falls_in_proportion(
    painted: float, share: float
) -> None:
    assert compute_painting_share(painted, 0.3) == pytest.approx(share)


def test_a_picture_of_the_right_size_is_not_copied() -> None:
    picture = np.zeros(SIZE, np.uint8)
    assert resize(picture, SIZE[1], SIZE[0]) is picture


def test_pixels_blend_cross_fades_two_paintings(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TintEngine()
    engine.prepare({"a": np.full((2, 2, 3), 200, np.uint8), "b": np.full((2, 2, 3), 40, np.uint8)})
    called: list[Sequence[int]] = []
    stylize = engine.stylize
    monkeypatch.setattr(engine, "stylize", lambda f, e: called.append(f.shape) or stylize(f, e))
    out = engine.paint(np.zeros((1, *SIZE), np.uint8), [Mix({"a": 0.25, "b": 0.75}, "pixels")])
    assert called == [(2, *SIZE)]
    assert out.mean() == pytest.approx(0.25 * 100 + 0.75 * 20, abs=1)


def test_a_larger_brush_is_painted_at_a_smaller_size() -> None:
    sizes: list[tuple[int, ...]] = []

    class Watched(TintEngine):
        def stylize(self, frames: Pictures, embeddings: np.ndarray) -> Pictures:
            sizes.append(frames.shape[1:3])
            return super().stylize(frames, embeddings)

    engine = Watched()
    engine.prepare({"a": np.zeros((2, 2, 3), np.uint8)})
    frame = scene(90, 1)[0]
    painter = FramePainter(engine, SIZE[1], SIZE[0])
    for brush in (0.5, 1.0, 2.0):
        batch = FrameBatch([frame], [frame.picture], [None])
        (painting,) = painter.paint(batch, [Mix({"a": 1.0}, brush=brush)])
        assert painting.shape == SIZE
    assert sizes == [(12, 16), (24, 32), (48, 64)]


def test_only_the_foreground_is_painted_where_there_is_a_mask() -> None:
    parts, sink = make_parts()
    painter = FramePainter(parts.painter.engine, SIZE[1], SIZE[0], EDGES["inpainted"]())
    alpha = np.zeros(SIZE[:2], np.uint8)
    alpha[8:16, 8:24] = 255
    frames = scene(90, 4)
    masked = PipelineParts(painter, parts.timeline, Off(), sink)
    run_loop(masked, ((frame, alpha) for frame in frames), 4, lambda _: None)
    for before, after in zip(frames, sink.frames):
        far = [*range(3), *range(21, 24)]  # a few pixels round the foreground belong to its edge
        assert (after.picture[far] == before.picture[far]).all()
        assert np.abs(after.picture[12, 16].astype(int) - before.picture[12, 16]).max() > 20


def test_the_content_s_colors_can_be_kept() -> None:
    parts, sink = make_parts()
    green = [Frame(0, 0.0, np.full(SIZE, (40, 160, 60), np.uint8))]
    kept = Timeline((Key(0.0, {"red": 1.0}, colors="content"),))
    run_loop(
        PipelineParts(parts.painter, kept, Off(), sink), without_mask(green), 1, lambda _: None
    )
    assert sink.frames[0].picture[5, 5].argmax() == 1


def test_a_trail_ends_at_a_cut() -> None:
    parts, sink = make_parts()
    frames = scene(250, 3) + scene(10, 4, first=3)
    ghostly = PipelineParts(parts.painter, parts.timeline, Off(), sink, trail=GhostTrail(1.0))
    plain, kept = make_parts()
    run_loop(ghostly, without_mask(frames), 7, lambda _: None)
    run_loop(plain, without_mask(frames), 7, lambda _: None)
    assert (sink.frames[3].picture == kept.frames[3].picture).all()  # the cut
    assert (sink.frames[6].picture != kept.frames[6].picture).any()
