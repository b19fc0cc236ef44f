"""How a run is stopped from outside, and seen to be alive."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vst.checkpoint.store import get_chunk_folder
from vst.job import Job
from vst.video.frame_names import locate_output
from vst.video.sinks.atomic_output import get_working_folder


@dataclass
class RunControl:
    """Shared by a run and whoever may stop it.

    ``paints_chunks``: the run can stop at the end of a chunk; ``stop_requested``: it is to stop at
    the end of this one. ``pulse``: while the output is assembled, returns a value that changes as
    long as that works; ``patience``: seconds without a change after which it counts as hung.
    ``names``: path -> what the record in the output calls that file. ``addresses``: local path ->
    address in object storage; ``keep_chunk`` gets the files of each whole chunk; ``keeps_chunks``:
    they stay here when the output is whole.
    """

    paints_chunks: bool = False
    stop_requested: bool = False
    pulse: Callable[[], object] | None = None
    patience: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    keep_chunk: Callable[[Sequence[Path]], None] = lambda paths: None
    keeps_chunks: bool = False

    @contextlib.contextmanager
    def watch_output(self, job: Job) -> Iterator[None]:
        """While the output is assembled, its growing files show that the run is alive."""
        output = locate_output(job.output)
        folders = get_working_folder(output), get_chunk_folder(output)
        self.patience = job.patience
        self.pulse = lambda: _list_sizes(*folders)
        try:
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
