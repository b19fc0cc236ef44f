"""From a job to its schedule: its styles resolved and embedded, and the timeline over its content.

A style's way: argument -> `ResolvedStyle` -> picture or embedding (`prepare_engine`) -> timeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vst.core.quality import QUALITIES
from vst.core.timecode import format_time
from vst.core.types import Embedding, Picture
from vst.engines.base import EmbeddingEngine, Engine
from vst.errors import UsageError
from vst.imaging.color import prepare_style
from vst.imaging.compositing import compute_painting_share, fade_to_content
from vst.imaging.resize import resize
from vst.job import DEFAULT_STEADINESS, Job, compute_painted_seconds, compute_painting_size
from vst.pipeline.checks import check_score_styles
from vst.pipeline.painted_keys import parse_painted
from vst.pipeline.parts import read_job_regions
from vst.pipeline.region_tracks import (
    RegionTrack,
    get_job_outside_regions,
    resolve_region_tracks,
)
from vst.schedule.alignment import align_to, find_cut_times
from vst.schedule.ordering import order_styles
from vst.schedule.pacing import equalize_pace
from vst.schedule.score import Score, read_score
from vst.schedule.score.model import ScoreKey, ScoreTime, StyleSource
from vst.schedule.timeline import NONE, Mix, Timeline
from vst.styles.from_score import list_used_styles, resolve_score_styles
from vst.styles.resolve import ResolvedStyle, StyleReading, check_space, resolve_styles
from vst.video.beats import find_beats_in_file
from vst.video.sources.base import Source

PACE_SIZE = 160
"""Short side, in pixels, of the still on which the speed of a transition is measured."""

PreparedStyles = Mapping[str, Picture | Embedding]
"""Keyframe name -> what the engine paints it from."""


@dataclass(frozen=True)
class StyleSet:
    """A job's styles without their times: those of the whole picture or the foreground, those of
    the background behind a mask, those of the regions, what the engine paints them from, and notes
    for the user.
    """

    styles: list[ResolvedStyle]
    background: list[ResolvedStyle]
    prepared: PreparedStyles
    notes: list[str]
    regions: tuple[RegionTrack, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """What is played: the styles in order, when each, what the engine paints them from, and notes
    for the user.
    """

    styles: list[ResolvedStyle]
    timeline: Timeline
    prepared: PreparedStyles
    notes: list[str]


def build_schedule(job: Job, score: Score | None, engine: Engine, source: Source) -> Schedule:
    """Resolve the styles, prepare the engine for them, and schedule them over the content."""
    style_set = resolve_job_styles(job, score, engine, source)
    check_length_is_known(job, style_set, source)
    return schedule_styles(job, score, style_set, engine, source)


def check_length_is_known(job: Job, style_set: StyleSet, source: Source) -> None:
    """Refuse transitions over the whole of a stream, whose length nobody knows."""
    styles = max(len(style_set.styles), len(style_set.background))
    if source.info.is_stream and job.end is None and job.score is None and styles > 1:
        raise UsageError(
            f"content {job.content!r} is a stream of unknown length, over which {styles} styles "
            "cannot be spread. Give the end, a score with times, or a single style"
        )


def read_job_score(job: Job) -> Score | None:
    """The job's score, if it has one; refuses styles that do not exist or hold no picture."""
    if job.score is None:
        return build_painted_score(job) if job.painted and not job.styles else None
    score = read_score(job.score)
    check_score_styles(score)
    return score


def build_painted_score(job: Job) -> Score:
    """The score of painted frames: each is the style of its own time."""
    keys = parse_painted(job.painted)
    names = [f"{Path(key.path).stem} at {format_time(key.time)}" for key in keys]
    return Score(
        tuple(
            ScoreKey(ScoreTime(key.time), {name: 1.0}, job.strength, brush=job.brush)
            for key, name in zip(keys, names)
        ),
        {name: StyleSource(key.path) for key, name in zip(keys, names)},
        ease=job.ease,
        blend=job.blend,
        hold=job.hold,
        colors=job.colors,
    )


def apply_score(job: Job, score: Score | None) -> Job:
    """The job with what its score says of the whole video: the steadiness."""
    if score is None or score.steadiness in (None, job.steadiness):
        return job
    if job.steadiness not in (DEFAULT_STEADINESS, QUALITIES[job.quality].steadiness):
        raise UsageError(
            f"steadiness {job.steadiness:g} was given beside a score with {score.steadiness:g}. "
            "Give one of them"
        )
    return replace(job, steadiness=score.steadiness)


def resolve_job_styles(job: Job, score: Score | None, engine: Engine, source: Source) -> StyleSet:
    """Resolve the job's styles, and prepare the engine for them."""
    notes: list[str] = []
    if score is not None:
        styles = resolve_score_styles(score, job.limits)
    else:
        styles = resolve_listed_styles(get_job_outside_regions(job), engine, notes)
    background = resolve_background_styles(job, engine, notes)
    regions = resolve_region_tracks(job, lambda one: resolve_listed_styles(one, engine, notes))
    recolored = find_recolored_names(job, score)
    found = [*styles, *background, *(style for track in regions for style in track.styles)]
    prepared = prepare_engine(job, engine, found, source, recolored)
    return StyleSet(styles, background, prepared, notes, regions)


def identify_styles(job: Job, score: Score | None) -> tuple[object, ...]:
    """A key of all that `resolve_job_styles` depends on, as long as files stay the same."""
    named = tuple(list_used_styles(score).items()) if score is not None else job.styles
    recolored = find_recolored_names(job, score)
    palette = (job.content, job.start) if recolored is None or recolored else ()
    background = job.mask_background if job.mask is not None else NONE
    return (
        *(job.engine, job.model, named, job.keyframes, job.picker, job.at, background, palette),
        tuple(read_job_regions(job)),
        None if recolored is None else tuple(sorted(recolored)),
    )


def resolve_listed_styles(
    job: Job, engine: Engine | None = None, notes: list[str] | None = None
) -> list[ResolvedStyle]:
    """Resolve the styles that the job lists, in order; ``notes`` grows by what the user should
    know.
    """
    embed = engine.embed if isinstance(engine, EmbeddingEngine) else None
    return resolve_styles(
        job.styles,
        keyframes=job.keyframes,
        picker=job.picker,
        at=job.at,
        reading=StyleReading(embed, notes, job.limits),
    )


def resolve_background_styles(job: Job, engine: Engine, notes: list[str]) -> list[ResolvedStyle]:
    """Resolve the styles of the background behind a mask; none where it is not painted. Their names
    differ from the foreground's.
    """
    if job.mask is None or job.mask_background == NONE:
        return []
    behind = replace(job, styles=(job.mask_background,), score=None)
    styles = resolve_listed_styles(behind, engine, notes)
    return [replace(style, name=f"ground {style.name}") for style in styles]


def find_recolored_names(job: Job, score: Score | None) -> set[str] | None:
    """The names of the styles whose pictures take the content's palette first; None: all."""
    if score is None:
        return None if job.colors == "blend" else set()
    keys = [key for key in score.keys if (key.colors or score.colors) == "blend"]
    return {name for key in keys for name in key.weights}


def prepare_engine(
    job: Job,
    engine: Engine,
    styles: list[ResolvedStyle],
    source: Source | None = None,
    recolored: AbstractSet[str] | None = frozenset(),
) -> PreparedStyles:
    """Prepare the engine for the styles, once; returns what it paints them from: embeddings, where
    the engine has them.

    ``recolored``: names of the styles whose pictures take the palette of ``source`` first; None:
    all.
    """
    check_space(styles, job.engine, getattr(engine, "space", None))
    painted = [style for style in styles if not style.is_content]
    given = {style.name: style.style for style in painted}
    chosen = [
        style
        for style in painted
        if style.space is None and (recolored is None or style.name in recolored)
    ]
    if source is not None and chosen:
        content = source.at(job.start)
        for style in chosen:
            given[style.name] = prepare_style("blend", style.picture, content)
    return engine.prepare(given)


def schedule_styles(
    job: Job, score: Score | None, style_set: StyleSet, engine: Engine, source: Source
) -> Schedule:
    """Schedule the styles, which the engine is prepared for, over the content."""
    notes = list(style_set.notes)
    if score is not None:
        timeline, align, pace = _build_from_score(job, score, source), score.align, score.pace
    else:
        timeline = _build_from_options(job, style_set, engine, source)
        align, pace = job.align, job.pace
    if style_set.background:
        timeline = replace(
            timeline, background=_build_background(job, style_set.background, source)
        )
    if align != "off":
        times = _find_cuts(job, source) if align == "cuts" else _find_beats(source)
        if not times:
            notes.append(f"no {align} were found in {job.content}; nothing was aligned")
        timeline = align_to(timeline, times)
    if pace == "uniform":
        timeline = equalize_pace(timeline, StillPainter(engine, source.at(job.start)))
    if style_set.regions:
        tracks = [_build_region(job, track, source) for track in style_set.regions]
        timeline = replace(timeline, regions=tuple(tracks))
    return Schedule(style_set.styles, timeline, style_set.prepared, notes)


class StillPainter:
    """Paints one small still of the content in any mix."""

    def __init__(self, engine: Engine, content: Picture) -> None:
        height, width = content.shape[:2]
        size = compute_painting_size(min(PACE_SIZE, height, width), width, height)
        self._engine, self._still = engine, resize(content, *size)
        engine.reset()

    def __call__(self, mix: Mix) -> Picture:
        painting = self._engine.paint(self._still[None], [mix])[0]
        return fade_to_content(
            self._still, painting, compute_painting_share(mix.painted, self._engine.fades_below)
        )


def get_played_seconds(job: Job, source: Source) -> float:
    """Seconds from the first to the last frame that is painted."""
    return max(
        0.0, compute_painted_seconds(job, source.info) - 1 / float(job.fps or source.info.rate)
    )


def _build_from_options(job: Job, style_set: StyleSet, engine: Engine, source: Source) -> Timeline:
    timeline = Timeline.through(
        [style.name for style in _order_styles(job, style_set, engine)],
        get_played_seconds(job, source),
        start=job.start,
        ease=job.ease,
        blend=job.blend,
        strength=job.strength,
        hold=job.hold,
        loop=job.loop,
    )
    keys = tuple(replace(key, brush=job.brush, colors=job.colors) for key in timeline.keys)
    return replace(timeline, keys=keys)


def _order_styles(job: Job, style_set: StyleSet, engine: Engine) -> list[ResolvedStyle]:
    """The styles in the order that they are played; the content itself keeps its place."""
    moving = [style for style in style_set.styles if not style.is_content]
    embeddings = None
    if isinstance(engine, EmbeddingEngine):
        names = [style.name for style in moving]
        embeddings = [np.asarray(style_set.prepared[name], np.float32) for name in names]
    order = order_styles(
        job.order,
        [style.name for style in moving],
        [style.time for style in moving],
        embeddings,
        loop=job.loop,
    )
    placed = (moving[index] for index in order)
    return [style if style.is_content else next(placed) for style in style_set.styles]


def _build_background(job: Job, styles: list[ResolvedStyle], source: Source) -> Timeline:
    """The timeline of the background behind a mask, with the same kind of transition."""
    return Timeline.through(
        [style.name for style in styles],
        get_played_seconds(job, source),
        start=job.start,
        ease=job.ease,
        blend=job.blend,
        hold=job.hold,
        loop=job.loop,
    )


def _build_region(job: Job, track: RegionTrack, source: Source) -> Timeline:
    """The timeline of a region: of its score, or with the job's kind of transition."""
    if track.score is not None:
        return _build_from_score(job, track.score, source)
    timeline = _build_background(job, track.styles, source)
    keys = (replace(key, strength=job.strength, brush=job.brush) for key in timeline.keys)
    return replace(timeline, keys=tuple(replace(key, colors=job.colors) for key in keys))


def _build_from_score(job: Job, score: Score, source: Source) -> Timeline:
    return score.timeline(
        source.info,
        find_cut_times(source.frames())
        if score.needs_cuts
        else None,  # counted in the whole content
        _find_beats(source) if score.needs_beats else None,
        start=job.start,
        end=job.end,
        rate=float(job.fps) if job.fps else None,
    )


def _find_cuts(job: Job, source: Source) -> list[float]:
    return find_cut_times(source.frames(job.start, job.end))


def _find_beats(source: Source) -> list[float]:
    return find_beats_in_file(source.info.path, source.info.origin)
