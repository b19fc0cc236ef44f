"""The sample clip and the recipes: a first painting without a file of your own."""

from __future__ import annotations

import threading
from typing import Any

from vst.samples import write_content
from vst.web.sessions import Session, StoredFile

RECIPES: tuple[dict[str, Any], ...] = (
    {"name": "Ink to stained glass", "styles": ["@ink-wash", "@stained-glass"]},
    {"name": "Waves to embers", "styles": ["@indigo-waves", "@fire-impasto"]},
    {"name": "Hatching to neon", "styles": ["@pen-hatching", "@neon-lines"]},
    {"name": "From film to gold", "styles": ["none", "@gold-spirals"]},
)
"""Transitions by name, each between styles of the gallery."""
SAMPLE_NAME = "Sample lake.mp4"
SAMPLE_SECONDS = 3.0
SAMPLE_SIZE = (480, 270)
SAMPLE_BYTES = 2_000_000
"""Bytes that are reserved while the sample is drawn."""

_drawing = threading.Lock()
_drawn: list[bytes] = []  # the clip, once it has been drawn


def add_sample(session: Session) -> StoredFile:
    """Draw the sample clip into the session; return the one that it has if there is one."""
    with _drawing:
        for file in list(session.files.values()):
            if file.role == "content" and file.name == SAMPLE_NAME:
                return file
        file = session.reserve_file(SAMPLE_NAME, "content")
        session.reserve(file.path, SAMPLE_BYTES)
        try:
            if _drawn:
                file.path.write_bytes(_drawn[0])
            else:
                width, height = SAMPLE_SIZE
                write_content(file.path, width=width, height=height, duration=SAMPLE_SECONDS)
                _drawn.append(file.path.read_bytes())
            return session.add(file)
        finally:
            session.release(file.path)
