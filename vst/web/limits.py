"""What visitors may use, each one and all together."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class VisitorLimits:
    """A visitor is a network address; the sessions of one address share its share.

    For one visitor: ``upload``: megabytes of one file; ``kept``: megabytes of all files of a
    session; ``length``: seconds of a content; ``keyframes``: keyframes on one page; ``uploads``:
    uploads at once in a session; ``waiting_each``: jobs that wait; ``sessions_each``: sessions.

    For all: ``jobs``: jobs at once; ``waiting``: jobs that wait; ``sessions``: sessions; ``idle``:
    seconds without a request after which a session is removed; ``idle_when_full``: the same when
    somebody else needs the place. ``endpoints``: whether `gradio_client` is answered; None: on a
    server for this machine alone. ``frame``: address of the page that may show this one in a frame;
    empty: none.
    """

    upload: int = 500
    kept: int = 2000
    length: float = 600.0
    keyframes: int = 60
    uploads: int = 3
    jobs: int = 1
    waiting: int = 8
    waiting_each: int = 3
    sessions: int = 32
    sessions_each: int = 6
    idle: float = 6 * 3600.0
    idle_when_full: float = 15 * 60.0
    endpoints: bool | None = None
    frame: str = ""

    @property
    def project(self) -> int:
        """Megabytes of a project: it is unpacked beside itself."""
        return self.kept // 2
