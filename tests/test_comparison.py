"""The comparison with peers: its tables are those that the script makes of the JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import peer_table  # noqa: E402

PEERS = ("vst", "vst, no stabilizer", "other")


def measured(other_warp: float) -> dict[str, object]:
    """Figures of two programs, one second a frame, but for the warp error."""

    def timed(seconds: float) -> dict[str, dict[str, float]]:
        figures = {"seconds": seconds, "cpu": seconds, "memory": 100, "frames": 11}
        return dict.fromkeys(PEERS, figures)

    def quality(warp: float) -> dict[str, float]:
        return dict.fromkeys(peer_table.QUALITY, 1.0) | {"warp": warp}

    return {
        "frames": 11,
        "machine": {"load before": 9.0, "cores": 2},
        "install": {peer: {"MB": 10, "seconds": 1.0} for peer in PEERS},
        "speed, one frame, round 1": timed(2.0),
        "speed, 256 × 256, round 1": timed(12.0),
        "quality, drawn": {peer: quality(0.5) for peer in PEERS[:2]}
        | {"other": quality(other_warp)},
    }


def test_speed_is_without_the_start_up() -> None:
    assert peer_table.measure_speed(measured(1.0), "other", "256 × 256", "seconds") == 1.0


def test_a_busy_machine_has_no_frames_a_second() -> None:
    assert "| other | 10 MB, 1 s | 2.0 | – | 1.00 |" in peer_table.format_speed(measured(0.6))


@pytest.mark.parametrize(("warp", "columns"), [(0.6, []), (0.4, ["warp, drawn"])])
def test_a_column_is_listed_where_a_peer_is_ahead(warp: float, columns: list[str]) -> None:
    assert list(peer_table.find_better(measured(warp))) == columns


def test_a_peer_in_a_style_of_its_own_has_no_style_distance() -> None:
    found = measured(0.6)
    del found["quality, drawn"]["other"]["vgg-style"]  # type: ignore[index]
    assert "own style" in peer_table.format_quality(found, "drawn")


def test_tables_stand_between_their_comments() -> None:
    page = "a\n<!-- speed -->\nold\n<!-- /speed -->\nb"
    assert peer_table.fill_page(page, {"speed": "new"}) == (
        "a\n<!-- speed -->\n\nnew\n\n<!-- /speed -->\nb"
    )


@pytest.mark.parametrize("name", ["docs/comparison.md", "README.md"])
def test_a_page_has_the_tables_of_the_measured_figures(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    found = json.loads((ROOT / "docs" / "comparison.json").read_text(encoding="utf-8"))
    assert peer_table.fill_page(page, peer_table.format_tables(found)) == page
    assert "<!-- /" in page
