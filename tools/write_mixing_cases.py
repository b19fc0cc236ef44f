"""Write tests/data/mixing_cases.json: what `Timeline`, the easing curves, the blends and the score
reader give for many inputs. `tests/test_mixing_cases.py` checks the file, and the tests in browser/
read it, so that the page in the browser mixes as Python does.

    python tools/write_mixing_cases.py

The file: ``eases`` (name, [[part, value], …] at each); ``blends`` (blend, embeddings, weights, the
mixed embedding); ``colors`` (pixels of a painting and of its frame, the frame's share in the color,
the mixed pixels); ``cases`` (a timeline as plain values, and its mix at some times); ``scores``
(the text of a score, a clock, and the mix at some times, or the error and its line).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vst.errors import UsageError  # noqa: E402
from vst.imaging.color import mix_content_color  # noqa: E402
from vst.schedule.easing import EASES, get_ease  # noqa: E402
from vst.schedule.interpolation import blend_embeddings  # noqa: E402
from vst.schedule.score import parse_score  # noqa: E402
from vst.schedule.score.model import Clock  # noqa: E402
from vst.schedule.timeline import Curve, Key, Mix, Timeline  # noqa: E402

FILE = ROOT / "tests" / "data" / "mixing_cases.json"
SCORES = ROOT / "docs" / "scores"
FURTHER_EASES = (
    "cubic-bezier(0.3,0,0.2,1)", "cubic-bezier(0.7, 0, 0.1, 1)", "cubic-bezier(0.5,-0.6,0.5,1.6)",
    "cubic-bezier(1,0,0,1)", "table(0,0.2,0.7,1)",
)  # fmt: skip
PARTS = (0, 1e-6, 0.05, 0.1, 0.25, 0.3, 0.4999, 0.5, 0.5001, 0.6, 0.75, 0.8, 0.93, 0.999, 1)
CLOCK = {"start": 0.0, "last": 12.0, "rate": 25.0, "cuts": [2.4, 5.0, 9.1], "beats": [0.5, 1.0]}
WRONG_SCORES = (
    "keys: []\n",
    "styles: {ink: a.jpg}\n",
    "keys:\n  - {at: 0, style: ikn}\nstyles: {ink: a.jpg}\n",
    "keys:\n  - {at: 0, style: '@ink-wash'}\n  - {at: soon, style: none}\n",
    "keys:\n  - {at: 0, style: none}\n  - {at: 4, style: none, strength: 1.5}\n",
    "ease: smoth\nkeys:\n  - {at: 0, style: none}\n",
    "blend: mix\nkeys:\n  - {at: 0, style: none}\n",
    "keys:\n  - {at: 0, style: none}\nspeed: 2\n",
    "keys:\n  - {at: 120%, style: none}\n",
    "keys:\n  - {at: 0, style: {'@ink-wash': 0, none: 0}}\n",
    "keys:\n  - {at: 0\n",
)
"""Scores with one mistake each."""


def list_timelines() -> dict[str, dict[str, Any]]:
    """Return name -> a timeline as plain values."""
    three = [
        {"time": 0.0, "weights": {"a": 1.0}},
        {"time": 2.0, "weights": {"b": 1.0}},
        {"time": 5.0, "weights": {"c": 3.0, "a": 1.0}},
        {"time": 9.5, "weights": {"a": 0.5, "b": 0.25, "c": 0.25}},
    ]
    closed = [*three, {"time": 12.0, "weights": {"a": 1.0}}]
    bare = [
        {"time": 0.0, "weights": {"none": 1.0}},
        {"time": 3.0, "weights": {"a": 1.0}},
        {"time": 6.0, "weights": {"b": 2.0, "none": 1.0}},
        {"time": 9.0, "weights": {"none": 1.0}},
    ]
    jump = [
        {"time": 0.0, "weights": {"a": 1.0}},
        {"time": 4.0, "weights": {"b": 1.0}},
        {"time": 4.0, "weights": {"c": 1.0}},
        {"time": 8.0, "weights": {"a": 1.0}},
    ]
    keyed = [
        {"time": 0.0, "weights": {"a": 1.0}, "strength": 0.2, "brush": 0.5, "ease": "bounce"},
        {"time": 4.0, "weights": {"b": 1.0}, "brush": 2.0, "hold": 0.4, "colors": "content"},
        {"time": 8.0, "weights": {"a": 1.0}, "strength": 0.7, "colors": "blend", "hold": 1.0},
        {"time": 12.0, "weights": {"c": 1.0}},
    ]
    curves = {
        "strength": {"points": [[1.0, 0.0], [6.0, 1.0], [9.0, 0.4]], "ease": "linear"},
        "brush": {"points": [[0.0, 0.5], [12.0, 2.0]], "ease": "smooth"},
    }
    unlike = "cubic-bezier(0.5,-0.6,0.5,1.6)"
    return {
        **{f"three styles, {ease}": {"keys": three, "ease": ease} for ease in EASES},
        "overshoot": {"keys": three, "ease": unlike},
        "overshoot to the content": {"keys": bare, "ease": unlike},
        "hold": {"keys": three, "hold": 0.55},
        "hold all": {"keys": three, "hold": 1.0},
        "spline": {"keys": three, "blend": "spline", "ease": "linear"},
        "spline in a loop": {"keys": closed, "blend": "spline", "ease": "linear", "loop": True},
        "spline from the content": {"keys": bare, "blend": "spline"},
        "spline over a jump": {"keys": jump, "blend": "spline"},
        "slerp": {"keys": three, "blend": "slerp"},
        "pixels": {"keys": three, "blend": "pixels"},
        "to the content": {"keys": bare},
        "a jump": {"keys": jump},
        "settings of single keys": {"keys": keyed},
        "curves": {"keys": keyed, **curves},
        "one key": {"keys": three[:1]},
        "a background": {"keys": three, "background": {"keys": bare, "ease": "sine"}},
    }


def make_timeline(values: Mapping[str, Any]) -> Timeline:
    """Make a timeline from plain values."""
    given = dict(values)
    keys = tuple(Key(**key) for key in given.pop("keys"))
    for name in ("strength", "brush"):
        if given.get(name):
            points = tuple((time, value) for time, value in given[name]["points"])
            given[name] = Curve(points, given[name]["ease"])
    if given.get("background"):
        given["background"] = make_timeline(given["background"])
    return Timeline(keys, **given)


def describe_mix(mix: Mix) -> dict[str, Any]:
    """Return a mix as plain values."""
    found: dict[str, Any] = {
        "weights": shorten(mix.weights), "strength": shorten(mix.strength),
        "brush": shorten(mix.brush), "colors": mix.colors, "palette": shorten(mix.palette),
        "painted": shorten(mix.painted),
    }  # fmt: skip
    if mix.background is not None:
        found["background"] = describe_mix(mix.background)
    return found


def describe_mixes(timeline: Timeline, times: Iterable[float]) -> list[dict[str, Any]]:
    """Return the mixes of a timeline as plain values."""
    return [{"time": time, **describe_mix(timeline.at(time))} for time in times]


def list_times(timeline: Timeline) -> list[float]:
    """Return times before, at, between and after the keys."""
    times = [key.time for key in timeline.keys]
    inner = [a + (b - a) * part for a, b in pairwise(times) for part in (0.1, 0.37, 0.5, 0.9)]
    return sorted({shorten(time) for time in (times[0] - 1, *times, *inner, times[-1] + 1)})


def describe_ease(name: str) -> dict[str, Any]:
    """Return a curve's values at `PARTS`."""
    ease = get_ease(name)
    return {"name": name, "at": [[part, shorten(ease(part))] for part in PARTS]}


def list_blends() -> list[dict[str, Any]]:
    """Return mixed embeddings of six numbers."""
    rng = np.random.default_rng(0)
    a, b, c = np.round(rng.normal(0.3, 1, (3, 6)), 3).astype(np.float32)
    mixes: Sequence[tuple[Sequence[np.ndarray], Sequence[float]]] = (
        ((a, b), (0.25, 0.75)), ((a, b, c), (0.2, 0.5, 0.3)), ((a, a), (0.4, 0.6)),
        ((a, -a), (0.3, 0.7)), ((a, -2 * a), (0.3, 0.7)), ((a, -a + 0.01 * b), (0.3, 0.7)),
        ((a, b, c), (-0.1, 0.6, 0.5)), ((a, b), (1.0, 0.0)),
    )  # fmt: skip
    return [
        {
            "blend": blend,
            "embeddings": [shorten(one.tolist()) for one in embeddings],
            "weights": list(weights),
            "mixed": shorten(blend_embeddings(embeddings, weights, blend).tolist()),
        }
        for blend in ("embedding", "slerp")
        for embeddings, weights in mixes
        if blend == "embedding" or min(weights) >= 0
    ]


def list_colors() -> list[dict[str, Any]]:
    """Return pixels whose color is mixed with that of a frame."""
    rng = np.random.default_rng(0)
    painting, frame = rng.integers(0, 256, (2, 1, 24, 3), np.uint8)
    frame[0, :3], painting[0, 3:6] = ((0, 0, 0), (255, 255, 255), (128, 128, 128)), frame[0, 3:6]
    return [
        {
            "painting": painting[0].tolist(),
            "frame": frame[0].tolist(),
            "share": share,
            "mixed": mix_content_color(frame, painting, share=share)[0].tolist(),
        }
        for share in (0.25, 0.5, 1.0)
    ]


def describe_score(text: str) -> dict[str, Any]:
    """Return the mixes of a score at some times, or its error."""
    clock = Clock(**CLOCK)
    try:
        timeline = parse_score(text).make_timeline(clock)
    except UsageError as error:
        line = re.search(r"line (\d+)", str(error))
        return {"text": text, "error": str(error), "line": int(line[1]) if line else None}
    times = [shorten(time) for time in np.linspace(clock.start, clock.last, 13).tolist()]
    return {"text": text, "clock": CLOCK, "at": describe_mixes(timeline, times)}


def shorten(value: Any) -> Any:
    """Round the numbers of a value to twelve digits."""
    if isinstance(value, Mapping):
        return {name: shorten(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shorten(one) for one in value]
    return float(f"{value:.12g}")


def make_cases() -> dict[str, Any]:
    """Return the content of the file."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SCORES.glob("*.yaml"))]
    cases = []
    for name, values in list_timelines().items():
        timeline = make_timeline(values)
        at = describe_mixes(timeline, list_times(timeline))
        cases.append({"name": name, "timeline": values, "at": at})
    return {
        "eases": [describe_ease(name) for name in (*EASES, *FURTHER_EASES)],
        "blends": list_blends(),
        "colors": list_colors(),
        "cases": cases,
        "scores": [describe_score(text) for text in (*texts, *WRONG_SCORES)],
    }


def format_cases(cases: Mapping[str, list[Any]]) -> str:
    """Return the file's text, one case a line."""
    parts = []
    for name, rows in cases.items():
        lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(format_cases(make_cases()), encoding="utf-8")
    print(FILE)
