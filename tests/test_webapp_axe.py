"""axe-core, fetched from the npm registry for the test, finds nothing on any tab of the page."""

from __future__ import annotations

import shutil
import subprocess
import tarfile

import pytest

from tests.browser import Browser, what_is_missing

MISSING = what_is_missing() or ("" if shutil.which("npm") else "needs npm, to fetch axe-core")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
AXE = "axe-core@4.10.3"
WIDTHS = ((1440, 1000), (1024, 800), (390, 844))


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    try:
        done = subprocess.run(
            ["npm", "pack", "--silent", AXE], cwd=folder, capture_output=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        pytest.skip("the npm registry does not serve axe-core")
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        member = packed.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def violations(page: Browser, axe: str) -> list[str]:
    page.js(axe)
    found = page.js("return axe.run(document).then((found) => found.violations)")
    return [f"{one['id']}: {[node['html'][:90] for node in one['nodes']]}" for one in found]


def test_no_tab_violates_a_rule_of_axe(page: Browser, axe: str) -> None:
    assert violations(page, axe) == [], "empty"
    page.click("[data-recipe]")
    page.wait(lambda: page.js("return document.getElementById('stage').dataset.played"), "a clip")
    page.wait(lambda: "About" in page.text("#expected"), "the expected time")
    page.set("#set-size", 0)
    page.click("#render")
    page.wait_for(".task video")
    page.click("[data-measure]")
    page.wait_for(".report svg")
    found = []
    for theme in ("light", "dark"):
        for width, height in WIDTHS:
            page.resize(width, height)
            for tab in ("paint", "jobs", "evaluate"):
                page.click(f"#tab-{tab}")
                if tab == "paint":
                    page.js(
                        "document.querySelectorAll('details').forEach((one) => { one.open = true })"
                    )
                wrong = violations(page, axe)
                found += [f"{theme} {width} {tab}: {one}" for one in wrong]
        page.click("#theme")
    assert not found, "\n".join(found)


def test_drawing_a_mask_violates_no_rule_of_axe(page: Browser, axe: str) -> None:
    page.click("[data-recipe]")
    page.wait(lambda: page.js("return document.getElementById('stage').dataset.played"), "a clip")
    page.click("#mask summary")
    page.click("#mask-brush")
    page.press("Enter", "ArrowRight", "Enter")
    page.wait_for("#mask-marks button")
    found = []
    for width, height in WIDTHS:
        page.resize(width, height)
        found += [f"{width}: {one}" for one in violations(page, axe)]
    assert not found, "\n".join(found)
