"""The styles of the regions of a picture, each region's under names of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vst.job import Job
from vst.masks.regions import is_regions_folder
from vst.pipeline.checks import check_score_styles
from vst.pipeline.parts import read_job_regions
from vst.schedule.score import Score, read_score
from vst.schedule.timeline import NONE
from vst.styles.from_score import resolve_score_styles
from vst.styles.resolve import ResolvedStyle


@dataclass(frozen=True)
class RegionTrack:
    """A region's styles, and its score where it has one; the names of both begin with its own."""

    styles: list[ResolvedStyle]
    score: Score | None = None


def get_job_outside_regions(job: Job) -> Job:
    """Return the job whose styles are those of what is in no region: the background's, where the
    regions take the job's styles in order.
    """
    if job.mask_regions is None or not is_regions_folder(job.mask_regions):
        return job
    return replace(job, styles=(job.mask_background,))


def resolve_region_tracks(
    job: Job, resolve: Callable[[Job], list[ResolvedStyle]]
) -> tuple[RegionTrack, ...]:
    """Resolve the styles of each region; ``resolve`` those that a job lists."""
    tracks = []
    for region in read_job_regions(job):
        prefix = f"{region.name}: "
        if region.score is None:
            own = replace(job, styles=region.styles, score=None, mask_regions=None)
            tracks.append(RegionTrack(_rename(resolve(own), prefix)))
            continue
        score = read_score(region.score)
        check_score_styles(score)
        styles = _rename(resolve_score_styles(score, job.limits), prefix)
        tracks.append(RegionTrack(styles, rename_score_styles(score, prefix)))
    return tuple(tracks)


def rename_score_styles(score: Score, prefix: str) -> Score:
    """Return the score with ``prefix`` before the names of its styles, and without a background."""
    keys = tuple(
        replace(
            key,
            weights={
                name if name == NONE else prefix + name: weight
                for name, weight in key.weights.items()
            },
        )
        for key in score.keys
    )
    styles = {prefix + name: source for name, source in score.styles.items()}
    return replace(score, keys=keys, styles=styles, background=())


def _rename(styles: list[ResolvedStyle], prefix: str) -> list[ResolvedStyle]:
    """Return the styles with ``prefix`` before their names; the content keeps its own."""
    return [
        style if style.is_content else replace(style, name=prefix + style.name) for style in styles
    ]
