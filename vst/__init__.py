"""Give a video the looks of another video.

>>> import vst                                                                      # doctest: +SKIP
>>> vst.stylize("holiday.mp4", ["film.mp4", "@blue-swirls"], "painted.mp4")         # doctest: +SKIP

Everything is imported when it is first used: ``import vst`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vst.api import stylize, stylize_picture
    from vst.core.types import Progress
    from vst.errors import VSTError
    from vst.job import Job
    from vst.pipeline.parts import open_engine
    from vst.pipeline.run import Result, run
    from vst.schedule.timeline import Key, Mix, Timeline
    from vst.styles.library import Style, add_style, all_styles, get_style
    from vst.video.sources import open_source

_WHERE = {
    "Job": "vst.job",
    "Key": "vst.schedule.timeline",
    "Mix": "vst.schedule.timeline",
    "Progress": "vst.core.types",
    "Result": "vst.pipeline.run",
    "Style": "vst.styles.library",
    "Timeline": "vst.schedule.timeline",
    "VSTError": "vst.errors",
    "add_style": "vst.styles.library",
    "all_styles": "vst.styles.library",
    "open_engine": "vst.pipeline.parts",
    "open_source": "vst.video.sources",
    "run": "vst.pipeline.run",
    "get_style": "vst.styles.library",
    "style_named": "vst.styles.library",  # the earlier name of `get_style`
    "stylize": "vst.api",
    "stylize_picture": "vst.api",
}

__all__ = [
    "Job",
    "Key",
    "Mix",
    "Progress",
    "Result",
    "Style",
    "Timeline",
    "VSTError",
    "__version__",
    "add_style",
    "all_styles",
    "get_style",
    "open_engine",
    "open_source",
    "run",
    "stylize",
    "stylize_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'vst' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
