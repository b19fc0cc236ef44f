"""From a job to what is played: its looks, and the timeline over its content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from vst.core.types import Embedding, Picture
from vst.engines.base import EmbeddingEngine, Engine
from vst.imaging.color import prepared_style
from vst.imaging.compositing import finish, painted_share, scaled
from vst.job import Job, painting_size, span
from vst.schedule.alignment import align_to, cut_times
from vst.schedule.ordering import ordered
from vst.schedule.pacing import uniform
from vst.schedule.score import Score, read_score
from vst.schedule.timeline import NONE, Mix, Timeline
from vst.styles.from_score import check_files, resolve_score_styles, used_styles
from vst.styles.resolve import ResolvedStyle, check_space, resolve_styles
from vst.video.beats import find_beats_in_file
from vst.video.sources.base import Source

PACE_SIZE = 160
"""Short side, in pixels, of the still on which the speed of a change is measured."""


@dataclass(frozen=True)
class Schedule:
    """What is played: the looks in order, when each, and lines for the user. ``styles``: what the
    engine was given to get ready for.
    """

    looks: list[ResolvedStyle]
    timeline: Timeline
    notes: list[str]
    styles: Mapping[str, Picture | Embedding] = field(default_factory=dict)


def read_job_score(job: Job) -> Score | None:
    """The job's score, if it has one; refuses styles that are not there. Opens none."""
    if job.score is None:
        return None
    score = read_score(job.score)
    check_files(score)
    return score


@dataclass(frozen=True)
class StyleSet:
    """What is played, without when: the looks, those of the ground, lines for the user, and what
    the engine was given to get ready for.
    """

    looks: list[ResolvedStyle]
    ground: list[ResolvedStyle]
    notes: list[str]
    styles: Mapping[str, Picture | Embedding] = field(default_factory=dict)


def build_schedule(job: Job, engine: Engine, source: Source) -> Schedule:
    """Take the looks, let the engine get ready for them, and lay them over the content."""
    return schedule_styles(job, resolve_job_styles(job, engine, source), engine, source)


def resolve_job_styles(job: Job, engine: Engine, source: Source) -> StyleSet:
    """Take the job's looks, and let the engine get ready for them."""
    notes: list[str] = []
    score = read_job_score(job)
    looks = (
        resolve_score_styles(score, job.limits)
        if score
        else resolve_listed_styles(job, engine, notes)
    )
    behind = resolve_background_styles(job, looks, engine, notes)
    styles = prepare_engine(
        job, engine, [*looks, *behind], source, find_recolored_names(job, score)
    )
    return StyleSet(looks, behind, notes, styles)


def identify_styles(job: Job) -> tuple[object, ...]:
    """What the job's looks depend on, as long as its files stay the same: jobs that differ in other
    things alone have the same ones.
    """
    score = read_job_score(job)
    named = tuple(used_styles(score).items()) if score else job.styles
    recoloured = find_recolored_names(job, score)
    palette = (job.content, job.start) if recoloured is None or recoloured else ()
    ground = job.mask_ground if job.mask is not None else NONE
    return (
        *(job.engine, job.model, named, job.keyframes, job.picker, job.at, ground, palette),
        None if recoloured is None else tuple(sorted(recoloured)),
    )


def schedule_styles(job: Job, played: StyleSet, engine: Engine, source: Source) -> Schedule:
    """Lay the looks, which the engine is ready for, over the content."""
    score, notes = read_job_score(job), list(played.notes)
    if score is not None:
        timeline, align, pace = _build_from_score(job, score, source), score.align, score.pace
    else:
        timeline = _build_from_options(job, played.looks, engine, source)
        align, pace = job.align, job.pace
    if played.ground:
        timeline = replace(timeline, ground=_build_background(job, played.ground, source))
    if align != "off":
        times = _find_cuts(job, source) if align == "cuts" else _find_beats(source)
        if not times:
            notes.append(f"no {align} were found in {job.content}; nothing was aligned")
        timeline = align_to(timeline, times)
    if pace == "uniform":
        timeline = uniform(timeline, still_painter(engine, source.at(job.start)))
    return Schedule(played.looks, timeline, notes, played.styles)


def resolve_listed_styles(
    job: Job, engine: Engine | None = None, notes: list[str] | None = None
) -> list[ResolvedStyle]:
    """The looks that the job's styles give, in order."""
    embed = engine.embed if isinstance(engine, EmbeddingEngine) else None
    return resolve_styles(
        job.styles,
        keyframes=job.keyframes,
        picker=job.picker,
        at=job.at,
        embed=embed,
        notes=notes,
        limits=job.limits,
    )


def resolve_background_styles(
    job: Job, looks: list[ResolvedStyle], engine: Engine, notes: list[str]
) -> list[ResolvedStyle]:
    """The looks of the ground behind a mask; none where it stays as filmed. Their names differ
    from those of the figure's.
    """
    if job.mask is None or job.mask_ground == NONE:
        return []
    behind = resolve_listed_styles(
        replace(job, styles=(job.mask_ground,), score=None), engine, notes
    )
    return [replace(look, name=f"ground {look.name}") for look in behind]


def find_recolored_names(job: Job, score: Score | None) -> set[str] | None:
    """The looks whose pictures take the content's palette first; None: all of them."""
    if score is None:
        return None if job.colours == "blend" else set()
    keys = [key for key in score.keys if (key.colours or score.colours) == "blend"]
    return {name for key in keys for name in key.weights}


def prepare_engine(
    job: Job,
    engine: Engine,
    looks: list[ResolvedStyle],
    source: Source | None = None,
    recoloured: AbstractSet[str] | None = frozenset(),
) -> Mapping[str, Picture | Embedding]:
    """Let the engine get ready for the looks, once; returns what it was given, as numbers where it
    knows styles as numbers.

    ``recoloured``: names of the looks whose pictures take the palette of ``source`` first; None:
    all of them.
    """
    check_space(looks, job.engine, getattr(engine, "space", None))
    painted = [look for look in looks if not look.is_content]
    styles = {look.name: look.style for look in painted}
    chosen = [
        look
        for look in painted
        if look.space is None and (recoloured is None or look.name in recoloured)
    ]
    if source is not None and chosen:
        content = source.at(job.start)
        for look in chosen:
            styles[look.name] = prepared_style("blend", look.picture, content)
    engine.prepare(styles)
    return engine.styles if isinstance(engine, EmbeddingEngine) else styles


def still_painter(engine: Engine, content: Picture) -> Callable[[Mix], Picture]:
    """A function that paints one small still of the content in a mix."""
    height, width = content.shape[:2]
    still = scaled(content, *painting_size(min(PACE_SIZE, height, width), width, height))

    def paint(mix: Mix) -> Picture:
        painting = engine.paint(still[None], [mix])[0]
        return finish(still, painting, painted_share(mix.painted, engine.fades_below))

    engine.reset()
    return paint


def _build_from_options(
    job: Job, looks: list[ResolvedStyle], engine: Engine, source: Source
) -> Timeline:
    places = _order_styles(job, looks, engine)
    timeline = Timeline.through(
        [looks[place].name for place in places],
        get_played_seconds(job, source),
        start=job.start,
        ease=job.ease,
        blend=job.blend,
        strength=job.strength,
        hold=job.hold,
        loop=job.loop,
    )
    keys = tuple(replace(key, brush=job.brush, colours=job.colours) for key in timeline.keys)
    return replace(timeline, keys=keys)


def _order_styles(job: Job, looks: list[ResolvedStyle], engine: Engine) -> list[int]:
    """The indices of the looks in the order that they are played; the content itself keeps its
    place.
    """
    moving = [index for index, look in enumerate(looks) if not look.is_content]
    styles = engine.styles if isinstance(engine, EmbeddingEngine) else None
    order = ordered(
        job.order,
        [looks[index].name for index in moving],
        [looks[index].time for index in moving],
        [styles[looks[index].name] for index in moving] if styles is not None else None,
        loop=job.loop,
    )
    placed = iter(order)
    return [index if look.is_content else moving[next(placed)] for index, look in enumerate(looks)]


def _build_background(job: Job, looks: list[ResolvedStyle], source: Source) -> Timeline:
    """The timeline of the ground behind a mask, with the same way to change."""
    names = [look.name for look in looks]
    return Timeline.through(
        names,
        get_played_seconds(job, source),
        start=job.start,
        ease=job.ease,
        blend=job.blend,
        hold=job.hold,
        loop=job.loop,
    )


def _build_from_score(job: Job, score: Score, source: Source) -> Timeline:
    return score.timeline(
        source.info,
        cut_times(source.frames()) if score.needs_cuts else None,  # counted in the whole content
        _find_beats(source) if score.needs_beats else None,
        start=job.start,
        end=job.end,
        rate=float(job.fps) if job.fps else None,
    )


def get_played_seconds(job: Job, source: Source) -> float:
    """Seconds from the first to the last frame that is painted."""
    return max(0.0, span(job, source.info) - 1 / float(job.fps or source.info.rate))


def _find_cuts(job: Job, source: Source) -> list[float]:
    return cut_times(source.frames(job.start, job.end))


def _find_beats(source: Source) -> list[float]:
    return find_beats_in_file(source.info.path, source.info.origin)
