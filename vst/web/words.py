"""The library's messages in the page's words: they name options that a page does not have."""

from __future__ import annotations

import re

OPTION_CLAUSE = re.compile(r"(?:[;:,.]\s*)[^;:.]*(?:--[a-z]|\bcommand line\b|\bvst \w+ )[^;.]*")
"""The part of a message that advises an option of the command line."""
FFMPEG_CLAUSE = ": Invalid data found when processing input"
"""What FFmpeg says of every damaged file."""


def drop_options(text: str) -> str:
    """Leave out the advice that names options of the command line, and FFmpeg's own words."""
    text = text.replace(FFMPEG_CLAUSE, "")
    return OPTION_CLAUSE.sub("", text).strip() or "this is not possible here"
