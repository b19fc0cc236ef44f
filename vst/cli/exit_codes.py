"""The exit codes of the command line, in one table."""

from __future__ import annotations

from vst.errors import (
    DependencyError,
    MissingFileError,
    OutputExistsError,
    OutputFolderError,
    UnsupportedFileError,
    UsageError,
)

DONE, FAILED, WRONG_USE = 0, 1, 2
EXIT_CODES = {
    DONE: "done",
    FAILED: "failed while working: a damaged file, a full disk, a missing model, a job "
    "of a batch that failed, a fault that `vst doctor` or `vst models check` found; also Ctrl-C",
    WRONG_USE: "wrong use, found before any model is loaded: an unknown name, a number out of "
    "range, options that exclude each other, a file or folder that is missing, empty or of the "
    "wrong kind, an output that exists already or is an input, a package that is not installed",
}
"""Exit code -> when `vst` ends with it; docs/command-line.md shows this table."""
_WRONG_USE = (
    UsageError, MissingFileError, OutputExistsError, OutputFolderError, UnsupportedFileError,
    DependencyError,
)  # fmt: skip


def find_exit_code(error: BaseException) -> int:
    """Return the exit code of a command that raised ``error``."""
    return WRONG_USE if isinstance(error, _WRONG_USE) else FAILED
