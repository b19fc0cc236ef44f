"""Players of videos in a notebook; a strip of frames stands for a video that is too large."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from pathlib import Path

from vst.errors import VSTError
from vst.notebook.display import NARROW, Html, make_image_tag, wrap_figure
from vst.pipeline.run import Result
from vst.plotting import draw_sheet
from vst.video.sources import open_source

PLAYED = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm"}
"""Endings that browsers play -> their media type."""
MOST_BYTES = 4_000_000
"""Of a video that is carried within a page; of a larger one a strip of frames is shown."""
STRIP, STRIP_WIDTH = 6, 900
"""Frames in that strip, and its width in pixels."""


def players(videos: Mapping[str, str | Path]) -> Html:
    """Videos beside each other, label -> path; they start together and go round."""
    figures = (wrap_figure(make_video_tag(Path(path)), label) for label, path in videos.items())
    parts = "".join(f"<div style='flex:1;min-width:220px'>{one}</div>" for one in figures)
    return Html(f"<div style='display:flex;gap:12px;flex-wrap:wrap'>{parts}</div>")


def result_html(result: Result) -> str:
    """A result as a player, or as a strip of frames where it cannot be played or is large."""
    done = f"{Path(result.output).name}: {result.frames} frames in {result.seconds:.1f} s"
    speed = f"{result.frames_per_second:.1f} a second, by {result.engine}"
    caption = "\n".join([f"{done}, {speed}", *result.warnings])
    return wrap_figure(make_video_tag(Path(result.output)), caption)


def make_video_tag(path: Path) -> str:
    """A player that carries its video; a strip of frames where the file is large, or of a kind
    that browsers do not play; a line of text where it cannot be read.
    """
    ending = path.suffix.lower()
    try:
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            packed = base64.b64encode(path.read_bytes()).decode("ascii")
            if ending == ".gif":
                return f"<img src='data:image/gif;base64,{packed}' alt='' {NARROW}>"
            if ending in PLAYED:
                source = f"data:{PLAYED[ending]};base64,{packed}"
                return f"<video src='{source}' controls loop muted autoplay {NARROW}></video>"
        with open_source(path) as video:
            last = max(0.0, video.info.duration - 1 / float(video.info.rate))
            frames = [video.at(last * index / (STRIP - 1)) for index in range(STRIP)]
        return make_image_tag(draw_sheet([frames], width=STRIP_WIDTH))
    except (VSTError, OSError) as error:
        return f"<em>{html.escape(str(error))}</em>"
