"""The exception tree.

Each error names what was given, what is allowed and what to do about it, in one line, and also
subclasses the builtin that fits, so that ``except FileNotFoundError`` works for callers who have
never heard of ``vst``.
"""

from __future__ import annotations


class VSTError(Exception):
    """Anything that this package raises on purpose. ``exit_code`` is what the command line ends
    with.
    """

    exit_code = 1

    def __str__(self) -> str:
        # KeyError and OSError change the text (quotes, "[Errno …]"): ours is shown as it was
        # written.
        return str(self.args[0]) if self.args else type(self).__name__


class UsageError(VSTError, ValueError):
    """A value that cannot be used as it was given; another value mends it."""

    exit_code = 2


class UnknownNameError(UsageError, KeyError):
    """A name that stands in no table."""


class MissingFileError(VSTError, FileNotFoundError):
    """A file or folder that is not there."""

    exit_code = 2


class MediaError(VSTError, OSError):
    """A picture or video that cannot be read, or not to its end."""


class LimitError(MediaError):
    """More pixels, frames or memory than are allowed; nothing is wrong with the file itself."""


class OutputError(VSTError, OSError):
    """The output cannot be written."""


class OutputExistsError(OutputError, FileExistsError):
    """The output is already there and may not be replaced."""

    exit_code = 2


class AssetError(VSTError, OSError):
    """Weights, built-in styles or models that are missing, damaged or of another version."""


class SpaceError(UsageError):
    """Embeddings of one style space were given where another one is needed."""


class EngineError(VSTError, RuntimeError):
    """An engine failed, or returned something that is not a picture of the right size."""


class DependencyError(VSTError, ImportError):
    """A package that this function needs is not installed."""


class StalledError(VSTError, TimeoutError):
    """Something did not go on for so long that it is taken to hang."""


class Cancelled(VSTError):
    """The user stopped the job."""
