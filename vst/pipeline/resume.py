"""Resuming an interrupted video, by the name of its output alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vst.checkpoint.fingerprint import restore_job
from vst.checkpoint.planner import ChunkRule
from vst.checkpoint.store import ChunkFolder, get_chunk_folder, is_published, read_manifest
from vst.core.types import OnProgress, ignore_progress
from vst.errors import MissingFileError
from vst.job import Job
from vst.pipeline.checks import check_output_name
from vst.pipeline.control import RunControl
from vst.pipeline.object_files import read_object_manifest
from vst.pipeline.run import Result, run
from vst.storage import exists, is_address
from vst.video.frame_names import locate_output, parse_output_names
from vst.video.sinks.metadata import JOB_FILE
from vst.video.sinks.verify import probe_output


def resume(
    output: str,
    on_progress: OnProgress = ignore_progress,
    control: RunControl | None = None,
    *,
    keep_chunks: bool = False,
    runner: Callable[[Job, OnProgress, RunControl | None], Result] = run,
) -> Result | None:
    """Paint the missing chunks of ``output`` and assemble it; None: it is whole already."""
    if is_address(output):
        return _resume_object(output, keep_chunks, lambda job: runner(job, on_progress, control))
    check_output_name(output)
    path = locate_output(output)
    manifest = read_manifest(path)
    if manifest is None:
        if path.is_dir() and (path / JOB_FILE).is_file():
            return None
        if not path.is_file():
            raise MissingFileError(
                f"there is neither {output!r} nor {str(get_chunk_folder(path))!r}: nothing to "
                "resume. Start with: vst stylize"
            )
        probe_output(path, path)
        return None
    names = parse_output_names(str(manifest["job"].get("output", "")))
    if names is not None and path == Path(output):  # the frames' folder stands for their names
        output = str(path / Path(manifest["job"]["output"]).name)
    job = restore_job(manifest["job"], manifest["folder"], output)
    job = replace(job, keep_chunks=job.keep_chunks or keep_chunks)
    if not is_published(path, manifest):
        return runner(job, on_progress, control)
    if not job.keep_chunks:  # interrupted between publishing the output and removing the chunks
        rule = ChunkRule(1, 1)  # any: no chunk is painted
        ChunkFolder(path, manifest["about"], rule, manifest["job"]).close(keep=False)
    return None


def _resume_object(
    output: str, keep_chunks: bool, runner: Callable[[Job], Result]
) -> Result | None:
    """Finish an output in object storage, with the chunks of this machine or of another one."""
    manifest = read_object_manifest(output)
    if manifest is None:
        if exists(output):
            return None
        raise MissingFileError(
            f"there is neither {output!r} nor a chunk of it: nothing to resume. Start with: vst "
            "stylize"
        )
    job = restore_job(manifest["job"], manifest["folder"], output)
    return runner(replace(job, keep_chunks=job.keep_chunks or keep_chunks))
