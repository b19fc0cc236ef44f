"""Make docs/pictures/cluster-model.png and the tables in docs/cluster.md, from docs/cluster.json,
which `bench/cluster.py` writes, and docs/cluster-simulation.json, which
`bench/cluster_simulation.py` writes.

draw_cluster_model.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vst.plotting import Look, Scales, draw_curves, save_picture

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "cluster.md", DOCS / "pictures" / "cluster-model.png"
BEGINS, ENDS = "<!-- {}: made by tools/draw_cluster_model.py -->", "<!-- end of {} -->"


def draw_curves_of_model(found: dict[str, Any]) -> Any:
    """Draw frames a second against workers."""
    paper, frames = found["paper"], 10 * found["clip"]["fps"]
    million = str(10**6)
    one = paper["film"]["1"]["frames_per_second"]
    workers = sorted(int(number) for number in paper["film"])
    return draw_curves(
        {
            "every worker counts in full": [(n, one * n) for n in workers],
            "a million clips of 10 s": [
                (n, paper["clips"][str(n)][million]["clips_per_second"] * frames) for n in workers
            ],
            "one film of two hours": [
                (n, paper["film"][str(n)]["frames_per_second"]) for n in workers
            ],
        },
        Look("Frames a second, by the model"),
        Scales("workers", "frames a second", log=True, log_x=True),
    )


def format_overhead(found: dict[str, Any]) -> str:
    """Format the measurements as a table."""
    model = found["model"]
    rows = {
        "engine; turns": f"{found['engine']}; {found['turns']}",
        f"clip of {found['clip']['minutes']:g} min, local run on two cores":
            f"{found['local_seconds']:.1f} s",
        "the same on two workers of one core": f"{found['cluster_seconds']:.1f} s",
        f"ratio (target: at most {found['asked']})": f"{found['ratio']:.2f}",
        "start: local; Ray; its workers with TensorFlow":
            f"{found['local_startup']:.1f} s; {found['ray_startup']:.1f} s; "
            f"{found['workers_startup']:.1f} s",
        "warm-up frames": f"{found['warmup_frames']} in addition to {found['frames']}",
        "worker: per chunk (CPU time, from the last rows); per frame":
            f"{model['a']:.2f} s; {1000 * model['b']:.1f} ms",
        "driver, per frame: reading ahead; receiving; joining":
            f"{1000 * model['scout']:.2f}; {1000 * model['take']:.2f}; "
            f"{1000 * model['join']:.2f} ms",
        "a clip: worker in addition to its frames; driver":
            f"{model['clip']:.2f} s; {1000 * model['send']:.0f} ms",
        "returned, per frame": f"{model['size'] / 1000:.1f} kB",
    }  # fmt: skip
    rows |= format_one_shot(found.get("one_shot"))
    return "\n".join(["| measured | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows.items())])


def format_one_shot(found: dict[str, Any] | None) -> dict[str, str]:
    """Format what `bench/cluster_one_shot.py` has measured."""
    if found is None:
        return {}
    return {
        f"{found['clip']}, in {found['chunks']} chunks: CPU time per chunk; per frame":
            f"{found['cpu_per_chunk']:.2f} s; {1000 * found['cpu_per_frame']:.1f} ms",
        f"frames near its {found['seams']} seams, mean difference to an uninterrupted run":
            f"{found['seam_difference_mean']:.2f}/255, at most {found['seam_difference_most']:.2f}",
        "CPU time of two workers, each on a core of its own, over one":
            f"{found['cpu_of_two_over_one']:.2f}",
        "wall clock of one worker over two":
            f"{found['gain_of_second_worker']:.2f}",
    }  # fmt: skip


def format_model(found: dict[str, Any]) -> str:
    """Format the model at each power of ten, with its bottleneck."""
    lines = ["| workers | one film of 2 h | limited by |", "|---|---|---|"]
    for number, row in found["paper"]["film"].items():
        lines.append(
            f"| {number} | {format_duration(row['seconds'])} ({row['frames_per_second']:.0f} fps) "
            f"| {row['limit']} |"
        )
    of_clips = found["paper"]["clips"]
    lines += ["", f"| clips of 10 s | {' | '.join(f'{n} workers' for n in of_clips)} |"]
    lines += ["|---" * (1 + len(of_clips)) + "|"]
    for count in next(iter(of_clips.values())):
        cells = [
            f"{format_duration(row[count]['seconds'])}: {row[count]['limit']}"
            for row in of_clips.values()
        ]
        lines.append(f"| {int(count):,} | {' | '.join(cells)} |")
    lines += ["", f"![Frames a second against workers](pictures/{PICTURE.name})"]
    return "\n".join(lines)


def format_simulation(found: dict[str, Any]) -> str:
    """Format the simulated cases."""
    lines = [
        "| workers | case | simulated | model | machines lost | chunks lost | driver, per chunk |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        off = 100 * (row["seconds"] / row["model"] - 1)
        cpu, calls = 1000 * row["cpu"] / row["chunks"], row["calls"] / row["chunks"]
        lines.append(
            f"| {row['case']['workers']:,} | {row['name']} | {row['seconds']:,.0f} s "
            f"| {row['model']:,.0f} s ({off:+.0f} %) | {row['losses']} | {row['lost']} "
            f"| {cpu:.1f} ms, {calls:.1f} calls |"
        )
    return "\n".join(lines)


def format_duration(seconds: float) -> str:
    """Format seconds in a readable unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def replace_table(page: str, name: str, table: str) -> str:
    """Replace the table between its marks in a page."""
    begins, ends = BEGINS.format(name), ENDS.format(name)
    before, _, rest = page.partition(begins)
    _, _, after = rest.partition(ends)
    return f"{before}{begins}\n\n{table}\n\n{ends}{after}"


def main() -> None:
    found = json.loads((DOCS / "cluster.json").read_text(encoding="utf-8"))
    save_picture(PICTURE, draw_curves_of_model(found))
    page = PAGE.read_text(encoding="utf-8")
    simulated = json.loads((DOCS / "cluster-simulation.json").read_text(encoding="utf-8"))
    tables = {
        "overhead": format_overhead(found),
        "model": format_model(found),
        "simulation": format_simulation(simulated),
    }
    for name, table in tables.items():
        page = replace_table(page, name, table)
    PAGE.write_text(page, encoding="utf-8")
    print(PICTURE, PAGE)


if __name__ == "__main__":
    main()
