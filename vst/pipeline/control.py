"""How a run is stopped from outside, and seen to be alive."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vst.checkpoint.store import get_chunk_folder
from vst.core.types import OnProgress, Progress
from vst.job import Job
from vst.video.frame_names import locate_output
from vst.video.sinks.atomic_output import get_working_folder


@dataclass
class RunControl:
    """Shared by a run and whoever may stop it.

    ``paints_chunks``: the run can stop at the end of a chunk; ``stop_requested``: it is to stop at
    the end of this one. ``beat``: when (``time.monotonic``) the last step was done; None where no
    steps are expected. ``patience``: seconds without a step after which the run counts as hung.
    ``pulse`` returns a value that changes while something works that has no steps. ``names``: path
    -> what the record in the output calls that file. ``addresses``: local path -> address in object
    storage; ``keep_chunk`` gets the files of each whole chunk; ``keeps_chunks``: they stay here
    when the output is whole.
    """

    paints_chunks: bool = False
    stop_requested: bool = False
    beat: float | None = None
    patience: float = 0.0
    pulse: Callable[[], object] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    keep_chunk: Callable[[Sequence[Path]], None] = lambda paths: None
    keeps_chunks: bool = False

    def record_steps(self, on_progress: OnProgress) -> OnProgress:
        """An ``on_progress`` that counts each event as a step, and passes it on."""

        def listen(progress: Progress) -> None:
            if self.beat is not None:
                self.beat = time.monotonic()
            on_progress(progress)

        return listen

    @contextlib.contextmanager
    def expect_steps(self, patience: float) -> Iterator[None]:
        """While frames are painted, each of them is a step."""
        self.patience, self.beat = patience, time.monotonic()
        try:
            yield
        finally:
            self.beat = None

    @contextlib.contextmanager
    def watch_output(self, job: Job) -> Iterator[None]:
        """While the output is assembled, its growing files show that the run is alive."""
        output = locate_output(job.output)
        folders = get_working_folder(output), get_chunk_folder(output)
        self.pulse = lambda: _list_sizes(*folders)
        try:
            with self.expect_steps(job.patience):
                yield
        finally:
            self.pulse = None


def _list_sizes(*folders: Path) -> list[tuple[str, int]]:
    """The files of working folders, with their sizes in bytes."""
    found = []
    for folder in folders:
        # Files and folders come and go meanwhile: `os.walk` passes over them, `rglob` raises.
        for parent, _, names in os.walk(folder):
            for name in names:
                with contextlib.suppress(OSError):
                    found.append((name, Path(parent, name).stat().st_size))
    return sorted(found)
