"""How objects show themselves in a notebook: a table of what draws each of them.

What draws stands near the top of the house, what is drawn near its ground. So an object knows only
the name of its kind, and what draws it is imported when one is shown.
"""

from __future__ import annotations

from typing import Any

from vst.core.registry import Registry

SHOWN = Registry(
    "kind of object",
    {
        "timeline": "vst.notebook.display:timeline_html",
        "style": "vst.notebook.display:style_html",
        "result": "vst.notebook.players:result_html",
    },
)
"""Kind of object -> what makes HTML of one."""


def shown(kind: str, thing: Any) -> str:
    """One object as HTML that carries its pictures within itself."""
    html: str = SHOWN[kind](thing)
    return html
