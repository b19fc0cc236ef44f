"""What the page shows of jobs, of errors and of a lost connection, in a real Chromium."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.browser import Browser, free_port
from tests.page_server import (
    SHOTS,
    WIDTHS,
    bring,
    check_every_width,
    find_overflow,
    form,
    names,
    needs_browser,
    state_of,
)
from tests.test_webapp_restart import start
from vst.video.sources import open_source

pytestmark = needs_browser
LONG_NAME = f"{'a_name_of_54_characters_':x<50}.mp4"


def render(page: Browser, count: int) -> None:
    """Render, and wait until there are as many results."""
    page.click("#tab-paint")
    page.click("#render")
    page.wait_for(".task .players", count)


@pytest.mark.slow
def test_results_are_compared_taken_away_removed_and_edited_again(
    page: Browser, clips: Path, tmp_path: Path
) -> None:
    page.click("#tab-jobs")
    page.click("#ring")
    rung = int(page.js("return Number(document.body.dataset.rung || 0)"))
    bring_on_paint(page, clips / "short.mp4", "@ink-wash", "@zebra")
    title = page.js("return document.title")
    page.js(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})"
    )
    page.js("window.away = true")
    render(page, 1)
    assert page.js("return document.title") == f"✓ Done · {title}"
    page.js("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.js("return document.title") == title
    page.click("#tab-paint")
    page.set("#set-strength", 0.5)
    render(page, 2)
    assert int(page.js("return Number(document.body.dataset.rung)")) == rung + 2
    assert [" ".join(one.split()) for one in page.texts(".task .about")] == [
        "short.mp4 ink-wash → zebra, strength 0.5, detail 128",
        "short.mp4 ink-wash → zebra, detail 128",
    ]
    page.wait(
        lambda: page.js("return document.querySelector('.task .thumb').naturalWidth > 9"), "it"
    )
    page.wait(lambda: "is painted" in page.text("#notice"), "the notice")

    page.click(".task [value=wipe]")
    page.set(".task [data-wipe]", 30)
    page.js("document.querySelector('[data-other]').focus()")
    other = page.js("return document.querySelector('[data-other]').options[1].value")
    page.set("[data-other]", other)
    shown = page.js(
        "const t = document.querySelector('.task'), p = t.querySelector('.players');"
        "return [p.dataset.mode, p.style.getPropertyValue('--wipe'),"
        " p.querySelector('figcaption').textContent, t.querySelectorAll('video')[0].src]"
    )
    assert shown[:2] == ["wipe", "30%"] and shown[2].startswith("short.mp4: ink-wash → zebra")
    page.wait(lambda: page.js("return document.querySelector('video').readyState > 1"), "it")
    check_every_width(page, "results", ".task [data-wipe]")
    page.js("document.getElementById('theme').click()")
    check_every_width(page, "results-dark", ".task [data-wipe]")
    page.js("document.getElementById('theme').click()")

    with open_source(page.download("[data-gif]")) as source:
        assert sum(1 for _ in source.frames()) == 10

    page.click("[data-remove]")
    assert page.count(".task") == 1
    page.click("#notice .inline")
    assert page.count(".task") == 2 and page.js("return document.querySelector('video').src")
    page.click(".task:nth-child(2) [data-edit]")
    assert form(page)["settings"]["strength"] == 1.0 and page.is_visible("#paint")
    page.click("#tab-jobs")
    page.click("[data-remove]")
    page.reload()  # leaving settles it
    page.wait(lambda: page.count(".task") == 1, "one job after a reload")


def bring_on_paint(page: Browser, content: Path, *styles: str) -> None:
    page.click("#tab-paint")
    bring(page, content, *styles)


@pytest.mark.slow
def test_a_project_is_saved_and_opened_by_another_visitor(
    page: Browser, address: str, clips: Path, tmp_path: Path
) -> None:
    bring(page, clips / "short.mp4", "@ink-wash")
    page.upload("#style-file", clips / "red.png")
    page.wait_for(".key", 2)
    page.set("#set-strength", 0.6)
    project = page.download("#save-project")
    assert project.name == "short.vst.zip"
    kept = form(page)

    page.forget(address)
    page.open(address)
    assert names(page) == []
    page.upload("#project-file", clips / "broken.mp4")
    page.wait(lambda: "broken.mp4" in page.text("#project-said .wrong"), "a refusal beside it")
    page.upload("#project-file", project)
    page.wait(lambda: names(page) == ["ink-wash", "red"], "the keyframes of the project")
    page.wait_preview(0)
    again = form(page)
    assert again["settings"] == kept["settings"]
    assert [key["at"] for key in again["keys"]] == [key["at"] for key in kept["keys"]]
    check_every_width(page, "project", "#project-said")


def test_each_wrong_file_is_named_beside_the_control_and_the_others_are_kept(
    page: Browser, clips: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes((clips / "red.png").read_bytes()[:60])
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes((clips / "red.png").read_bytes())
    bring(page, clips / "short.mp4")
    page.upload(
        "#style-file", tmp_path / "one.png", tmp_path / "bad.png", tmp_path / "two.png",
        clips / "broken.mp4",
    )  # fmt: skip
    page.wait_for("#style-said .wrong", 2)
    said = page.texts("#style-said .wrong")
    assert "bad.png is damaged, or is not a picture" in said[0] and "broken.mp4" in said[1]
    assert names(page) == ["one", "two"]
    check_every_width(page, "errors", "#style-said")


def test_another_number_of_keyframes_acts_on_the_film_and_too_many_are_refused(
    page: Browser, clips: Path
) -> None:
    bring(page, clips / "short.mp4")
    page.set("#picker", "scene")
    page.set("#keyframes", 3)
    page.js(  # what was said, in order
        "window.said = []; new MutationObserver(() => said.push(document.getElementById("
        "'style-said').textContent)).observe(document.getElementById('style-said'),"
        " {childList: true})"
    )
    page.upload("#style-file", clips / "film.mp4")
    page.wait(lambda: names(page) == ["film 1", "film 2", "film 3"], "three keyframes")
    said = page.js("return said")
    assert any("being sent" in one for one in said)
    assert any("looking for its keyframes" in one for one in said)
    page.set("#keyframes", 63)
    refusal = "63 keyframes; the page accepts 60"
    page.wait(lambda: refusal in page.text("#style-said .wrong"), "a refusal")
    assert names(page) == ["film 1", "film 2", "film 3"]
    page.set("#keyframes", 2)
    page.wait(lambda: names(page) == ["film 1", "film 2"], "two keyframes")
    page.js(
        "for (let i = 0; i < 58; i++) document.querySelector('[data-style=\"@zebra\"]').click()"
    )
    assert len(names(page)) == 60
    page.click('[data-style="@zebra"]')
    assert "61 keyframes would be on the page" in page.text("#style-said .wrong")
    assert len(names(page)) == 60 and find_overflow(page) == []


def test_help_is_visible_and_names_no_option_of_the_command_line(page: Browser) -> None:
    shown = page.js(
        "return [...document.querySelectorAll('#settings .setting')].map(e =>"
        " e.querySelector('.help')?.getBoundingClientRect().height ?? 0)"
    )
    assert len(shown) >= 6 and min(shown) > 10
    assert not page.is_visible("#settings-more") and page.count("h1") == 1
    page.js("document.querySelectorAll('details').forEach(one => { one.open = true })")
    words = page.js("return document.body.innerText").lower()
    for word in ("--", "slerp", "ghost", "pace", "gaussian", "bézier", "uniform", "√"):
        assert word not in words, word
    assert page.js(
        "return [...document.querySelectorAll('#settings-more .help')].every(e => e.textContent)"
    )


def check_charts(page: Browser) -> list[str]:
    """What is wrong with the report's charts: one without a name, or a curve or a text with too
    little contrast (WCAG 2.2: 3 to 1 for what is drawn, 4.5 to 1 for text).
    """
    found: list[str] = page.js(
        "const lit = (color, by = 1) => { const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3)"
        ".map(v => Math.min(1, by * v / 255)).map(v => v <= .04045 ? v / 12.92 :"
        " ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };"
        "const wrong = [];"
        "for (const svg of document.querySelectorAll('.report svg')) {"
        " if (!svg.getAttribute('aria-label')) wrong.push('no name');"
        " const back = lit(getComputedStyle(svg).backgroundColor);"
        " for (const one of svg.querySelectorAll('path, polyline, text')) {"
        "  const style = getComputedStyle(one), text = one.tagName === 'text';"
        "  const color = text ? style.fill : style.stroke;"
        "  const isGrid = !text && parseFloat(style.strokeWidth) < 1.5;"
        "  if (!color.startsWith('rgb') || isGrid) continue;"
        "  const by = Number((style.filter.match(/brightness\\(([\\d.]+)/) || [0, 1])[1]);"
        "  const [low, high] = [lit(color, by), back].sort((a, b) => a - b);"
        "  const ratio = (high + .05) / (low + .05);"
        "  if (ratio < (text ? 4.5 : 3)) wrong.push(`${one.tagName} ${color} ${ratio.toFixed(1)}`);"
        " } }"
        "return document.querySelector('.report svg') ? wrong : ['no chart']"
    )
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_long_name_and_a_report_fit_the_screen(
    page: Browser, clips: Path, tmp_path: Path, width: int, height: int
) -> None:
    assert len(LONG_NAME) == 54
    content = tmp_path / LONG_NAME
    content.write_bytes((clips / "short.mp4").read_bytes())
    page.resize(width, height)
    bring(page, content, "@ink-wash", "@zebra")
    page.wait_preview(0)
    assert find_overflow(page) == []
    page.click("#render")
    page.wait(lambda: state_of(page) == "done", "the painting")
    assert find_overflow(page) == []
    page.click("[data-measure]")
    page.wait_for(".report svg")
    assert find_overflow(page) == [] and check_charts(page) == []
    page.click("#theme")
    assert check_charts(page) == []
    page.click("#theme")
    assert page.text(".verdict") and page.box(".verdict")["y"] < page.box(".report table")["y"]
    page.shot(SHOTS / f"long-name-{width}.png", whole=True)


@pytest.mark.parametrize(
    ("width", "height"),
    [(1440, 1000), pytest.param(1024, 800, marks=pytest.mark.slow), (390, 844)],
)
def test_the_stage_stays_in_sight(page: Browser, clips: Path, width: int, height: int) -> None:
    page.resize(width, height)
    bring(page, clips / "short.mp4", "@ink-wash")
    page.wait_preview(0)
    for css in ("#set-strength", "#render"):
        page.js("document.querySelector(arguments[0]).scrollIntoView({block: 'end'})", css)
        top, bottom = page.js(
            "const b = document.getElementById('stage').getBoundingClientRect();"
            "return [b.top, b.bottom]"
        )
        assert top >= -1 and bottom <= height, css


@pytest.mark.slow
def test_a_lost_connection_is_shown_and_the_job_goes_on_after_a_restart(
    chromium: Browser, clips: Path, tmp_path: Path
) -> None:
    port = free_port()
    process = start(tmp_path, port)
    try:
        page = chromium
        page.open(f"http://127.0.0.1:{port}")
        bring(page, clips / "long.mp4", "@ink-wash", "@zebra")
        page.wait_preview(0)
        page.click("#render")
        page.wait(lambda: state_of(page) == "running", "the job")
        number = page.js("return document.querySelector('.task').dataset.id")
        page.wait(lambda: "of 600 frames" in page.text("[data-done]"), "some frames")
        process.send_signal(signal.SIGKILL)
        process.wait()
        page.wait(lambda: page.is_visible("#lost"), "the banner")
        assert "Trying again" in page.text("#lost")
        page.wait(lambda: "connection lost" in page.text(".task [data-rest]"), "the job's mark")
        check_every_width(page, "lost", "#lost")
        process = start(tmp_path, port)
        page.wait(lambda: not page.is_visible("#lost"), "the connection")
        page.wait(lambda: state_of(page) == "done", "the end of the job")
        assert page.js("return document.querySelector('.task').dataset.id") == number
        assert json.loads(page.js("return localStorage.getItem('vst')"))["form"]["content"]
    finally:
        process.terminate()
        process.wait(60)
        chromium.complaints()  # the refused requests of the time without a server
        chromium.asked_for()
