"""The exception tree.

Each message is one line: what is wrong, why, and what to do. Each class also subclasses the builtin
that fits, so that ``except FileNotFoundError`` works for callers that do not import ``vst.errors``.
"""

from __future__ import annotations


class VSTError(Exception):
    """The base class of all errors of this package."""

    def __str__(self) -> str:
        # KeyError and OSError would change the message (quotes, "[Errno …]").
        return str(self.args[0]) if self.args else type(self).__name__


class UsageError(VSTError, ValueError):
    """A value that cannot be used; another value can."""


class UnknownNameError(UsageError, KeyError):
    """A name that is not in a table."""


class MissingFileError(VSTError, FileNotFoundError):
    """A file or folder that does not exist."""


class MediaError(VSTError, OSError):
    """A picture or video that cannot be read, or not completely."""


class UnsupportedFileError(MediaError):
    """A file of a kind that is not read, or one without pictures; it may be undamaged."""


class LimitError(MediaError):
    """More pixels, frames or memory than are allowed; the file itself may be valid."""


class OutputError(VSTError, OSError):
    """The output cannot be written."""


class OutputFolderError(OutputError, FileNotFoundError):
    """The folder that the output goes into does not exist."""


class OutputExistsError(OutputError, FileExistsError):
    """The output exists and may not be replaced."""


class AssetError(VSTError, OSError):
    """Weights, built-in styles or models are missing, damaged or of another version."""


class SpaceError(UsageError):
    """An embedding of one style space was given to an engine of another."""


class EngineError(VSTError, RuntimeError):
    """An engine failed, or returned anything but pictures of the right shape and type."""


class DependencyError(VSTError, ImportError):
    """A package that this function imports is not installed."""

    @classmethod
    def of_extra(cls, needs: str, extra: str) -> DependencyError:
        """The error of something that ``needs`` a package, which an extra of this one installs."""
        return cls(
            f"{needs}, which is not installed. Install the extra {extra!r}: "
            f"pip install 'vst-video[{extra}]', or in a clone '.[{extra}]'"
        )


class StalledError(VSTError, TimeoutError):
    """A stage made no progress for so long that it counts as hung."""


class Cancelled(VSTError):
    """The user stopped the job."""
