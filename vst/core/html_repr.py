"""How objects show themselves in a notebook: a table of functions that render them as HTML.

The functions belong to a higher layer than the objects. So an object names only its kind, and the
function is imported when an object is displayed.
"""

from __future__ import annotations

from typing import Any

from vst.core.registry import Registry

HTML_RENDERERS = Registry(
    "kind of object",
    {
        "timeline": "vst.notebook.display:timeline_html",
        "style": "vst.notebook.display:style_html",
        "result": "vst.notebook.players:result_html",
    },
)
"""Kind of object -> the function that renders one as HTML."""


def render_html(kind: str, thing: Any) -> str:
    """Render one object as HTML; its pictures are embedded."""
    html: str = HTML_RENDERERS[kind](thing)
    return html
