"""What can go wrong on the page of `vst export web`: each fault has a sentence, and the page stays
usable. Also what axe-core finds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import make_clip
from tests.site_page import MISSING, SHOTS, Visitor, serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
AXE = Path(__file__).parent.parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
NO_SIMD = "WebAssembly.validate = () => false;"


def open_with(visitor: Visitor, address: str, code: str) -> None:
    """Open the page after ``code`` has changed the browser."""
    visitor.call_devtools("Page.enable")
    added = visitor.call_devtools("Page.addScriptToEvaluateOnNewDocument", source=code)
    try:
        visitor.visit("about:blank")
        visitor.visit(address)
        visitor.wait_ready()
    finally:
        visitor.call_devtools("Page.removeScriptToEvaluateOnNewDocument", **added)


@pytest.mark.fault("a browser without WebAssembly SIMD")
def test_a_browser_without_vector_instructions_is_told_what_it_lacks(
    visitor: Visitor, web_address: str
) -> None:
    open_with(visitor, web_address, NO_SIMD)
    said = visitor.text("#opening-more")
    assert "SIMD" in said and "Update it" in said
    assert not visitor.is_enabled("#camera")
    visitor.shot(SHOTS / "no-simd.png")


@pytest.mark.fault("a camera that is refused")
def test_a_refused_camera_is_explained(web: Visitor, web_address: str) -> None:
    web.js(
        "navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    web.click("#camera")
    web.wait(lambda: "camera was refused" in web.text("#notice"), "the refusal")
    web.click("#play")
    before = web.painted()
    web.wait(lambda: web.painted() > before + 1, "the sample picture, still painted")


@pytest.mark.fault("a broken file")
def test_a_broken_file_is_explained_and_the_content_stays(web: Visitor, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"this is no film" * 50)
    (tmp_path / "broken.png").write_bytes(b"this is no picture" * 50)
    for name in ("broken.mp4", "broken.png"):
        web.upload("#content-file", tmp_path / name)
        web.wait(lambda name=name: f"{name} cannot be read" in web.text("#notice"), "the reason")
    assert "Sample picture" in web.text("#content-name")
    web.upload("#style-file", tmp_path / "broken.png")
    web.wait(lambda: "broken.png cannot be read" in web.text("#style-said"), "the reason")
    web.complaints()  # the browser itself reports what it could not load


@pytest.mark.fault("a film in 4K")
def test_a_film_in_4k_is_painted_smaller_and_this_is_said(web: Visitor, tmp_path: Path) -> None:
    make_clip(tmp_path / "huge.mp4", frames=2, size=(3840, 2160))
    web.take(tmp_path / "huge.mp4")
    said = web.text("#notice")
    assert "3840 × 2160" in said and "vst stylize" in said
    assert web.painting().shape[0] == 256


@pytest.mark.fault("the disk is full")
def test_a_full_disk_leaves_a_page_that_works_online(visitor: Visitor, web_site: Path) -> None:
    with serve(web_site) as address:
        origin = address.rstrip("/")
        visitor.call_devtools("Storage.overrideQuotaForOrigin", origin=origin, quotaSize=100_000)
        visitor.arrive(address)
        assert "no room left" in visitor.text("#offline")
        visitor.complaints()


def find_violations(page: Visitor) -> list[str]:
    """The serious and critical findings of axe-core."""
    page.js(AXE.read_text(encoding="utf-8"))
    found = page.js("return axe.run(document).then((found) => found.violations)")
    return [
        f"{one['id']}: {[node['html'][:90] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core: run `make browser`")
def test_axe_finds_nothing_serious_in_light_and_dark_at_two_widths(web: Visitor) -> None:
    found = []
    web.set("#wipe", 50)
    web.move_to(0.2)
    for theme in ("light", "dark"):
        web.js("document.documentElement.dataset.theme = arguments[0]", theme)
        for width, height in ((1440, 1000), (390, 844)):
            web.resize(width, height)
            web.js("document.querySelector('.key').focus()")
            found += [f"{theme} {width}: {one}" for one in find_violations(web)]
            web.shot(SHOTS / f"{theme}-{width}.png")
    assert found == []


def test_the_page_fits_the_width_of_a_phone(web: Visitor) -> None:
    web.resize(390, 844)
    assert web.js("return document.documentElement.scrollWidth") == 390
    small = web.js(
        "return [...document.querySelectorAll('button, select, .button, input:not(.hidden)')]"
        ".filter((one) => one.offsetParent && one.type !== 'radio' && one.type !== 'checkbox')"
        ".filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.id)"
    )
    assert small == [], "lower than the 24 pixels that a finger needs at least"
