"""Going on with a video that was broken off, by the name of its output alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vst.checkpoint.fingerprint import restore_job
from vst.checkpoint.store import ChunkFolder, get_chunk_folder, is_published, read_manifest
from vst.core.types import OnProgress, silent
from vst.errors import OutputError
from vst.job import Job, check_named
from vst.pipeline.run import Result, run
from vst.pipeline.session import RunControl
from vst.video.sinks.verify import probe_output


def resume(
    output: str,
    on_progress: OnProgress = silent,
    stop: RunControl | None = None,
    *,
    keep_chunks: bool = False,
    runner: Callable[[Job, OnProgress, RunControl | None], Result] = run,
) -> Result | None:
    """Paint the chunks of ``output`` that are missing, and put it together; None: it is whole."""
    check_named(output)
    path = Path(output)
    manifest = read_manifest(path)
    if manifest is None:
        if not path.is_file():
            raise OutputError(
                f"there is neither {output!r} nor {str(get_chunk_folder(path))!r}: nothing to go on with; "
                "begin with: vst stylize"
            )
        probe_output(path, path)
        return None
    job = restore_job(manifest["job"], manifest["folder"], output)
    job = replace(job, keep_chunks=job.keep_chunks or keep_chunks)
    if not is_published(path, manifest):
        return runner(job, on_progress, stop)
    if not job.keep_chunks:  # it was broken off just before its last step
        ChunkFolder(path, manifest["about"], manifest["job"]).close(keep=False)
    return None
