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
    from vst.errors import VSTError
    from vst.frames import Progress
    from vst.job import Job
    from vst.render import Result, open_engine, run
    from vst.sources import open_source
    from vst.stylebook import Style, add_style, all_styles, style_named
    from vst.timeline import Key, Mix, Timeline

_WHERE = {
    "Job": "vst.job",
    "Key": "vst.timeline",
    "Mix": "vst.timeline",
    "Progress": "vst.frames",
    "Result": "vst.render",
    "Style": "vst.stylebook",
    "Timeline": "vst.timeline",
    "VSTError": "vst.errors",
    "add_style": "vst.stylebook",
    "all_styles": "vst.stylebook",
    "open_engine": "vst.render",
    "open_source": "vst.sources",
    "run": "vst.render",
    "style_named": "vst.stylebook",
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
    "open_engine",
    "open_source",
    "run",
    "style_named",
    "stylize",
    "stylize_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'vst' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
