"""``vst live``: paint a camera, a stream or a pipe in real time."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, NamedTuple

import click

from vst.api import make_job
from vst.cli.help import SHORT_HELP, GroupedCommand
from vst.cli.options import (
    Parsed,
    job_options,
    parse_size,
    pop_options,
    print_json,
    style_option,
    verbose_option,
)
from vst.cli.stopping import handle_interrupts
from vst.core.fields import check_option
from vst.core.threads import limit_heaps, limit_opencv_threads, share_cores
from vst.errors import UsageError
from vst.job import Job
from vst.pipeline.checks import check_model, check_packages, check_style
from vst.video.sources import STANDARD_STREAM

OPTIONS = (
    "score", "keyframes", "picker", "at", "strength", "blend", "brush", "colors",
    "engine", "model", "engine_options", "steadiness", "threads", "overwrite",
)  # fmt: skip
AUTO = "auto"
SHOWN = ("styles", "score", "strength", "steadiness", "engine")
COMMON = {
    **{name: SHORT_HELP[name] for name in SHOWN},
    "outputs": "window, virtual, -, a file or http://HOST:PORT.",
    "size": "Short side to paint at; auto holds the rate.",
    "glide": "Seconds from one style to the next.",
    "osc": "Take messages by OSC: /vst/style 2, ….",
}
"""Parameters that ``--help`` shows."""


class LiveOptions(NamedTuple):
    """What `vst live` alone takes. ``glide``: seconds; ``osc``: an address; ``latency``: frames."""

    size: int | str
    glide: float
    osc: str | None
    latency: int


def parse_live_size(text: str) -> int | str:
    """Parse a number of pixels, native or auto."""
    return AUTO if text == AUTO else parse_size(text)


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.argument("content", metavar="INPUT")
@functools.partial(style_option, required=False)
@click.option(
    "-o", "--output", "outputs", multiple=True, default=("window",), show_default=True,
    metavar="OUT", help="window, virtual (a camera), a video file, - (y4m on standard output), or "
    "http://HOST:PORT (a page); again for more.",
)  # fmt: skip
@click.option(
    "--size", type=Parsed("pixels|native|auto", parse_live_size), default=AUTO, show_default=True,
    metavar="N|native|auto", help="Short side to paint at; auto adapts it to hold the rate.",
)  # fmt: skip
@click.option(
    "--glide", type=click.FloatRange(0, 3600), default=1.0, show_default=True, metavar="SECONDS",
    help="Seconds from one style to the next.",
)  # fmt: skip
@click.option(
    "--latency", type=click.IntRange(0, 1), default=0, show_default=True, metavar="FRAMES",
    help="Frames of look-ahead: with 1 the picture is steadier, and a frame later.",
)  # fmt: skip
@click.option(
    "--osc", metavar="osc://HOST:PORT", help="Take messages by OSC: /vst/style 2, /vst/next, …."
)
@click.option(
    "--raw", metavar="WxH@RATE", help="Standard input carries RGB frames of this size, not y4m."
)
@job_options(*OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@verbose_option
def command(
    content: str, styles: tuple[str, ...], outputs: tuple[str, ...], **options: Any
) -> None:
    """Paint INPUT in real time: a camera (its number or device), a file at its own speed, a stream
    (rtsp://, http://), or - (y4m from standard input). Ctrl-C ends it.

    Keys of the window: 1 to 9 for the styles, space and the arrows for the next and the previous.

    \b
    Example: vst live 0 -s @ink-wash -s @stained-glass -o window
    """
    from vst.live.capture import open_capture
    from vst.live.remote import check_address

    chosen = LiveOptions(*pop_options(options, "size", "glide", "osc", "latency"))
    raw, as_json = pop_options(options, "raw", "as_json")
    check_option("size", chosen.size, Job.__dataclass_fields__["size"].metadata)
    job = make_job(content, styles, outputs[0], **options)
    check_outputs(content, outputs, job.overwrite)
    if chosen.osc is not None:
        check_address(chosen.osc, "osc")
    for style in job.styles:
        check_style(style)
    check_model(job.engine, job.model)
    check_packages(job.engine, job.model, job.engine_options)
    limit_heaps()
    with handle_interrupts():
        report = run_live(job, open_capture(content, raw), outputs, chosen)
    to_stderr = STANDARD_STREAM in outputs
    if as_json:
        print_json(report.as_dict(), err=to_stderr)
        return
    click.echo(
        f"{report.painted} pictures in {report.seconds:.1f} s: {report.frames_per_second:.1f} fps, "
        f"latency p50 {report.latency_p50:.0f} ms, p95 {report.latency_p95:.0f} ms, dropped "
        f"{report.dropped} of {report.arrived}, {report.processor:.0f} ms of CPU time a frame",
        err=True,
    )


def run_live(job: Job, capture: Any, outputs: tuple[str, ...], chosen: LiveOptions) -> Any:
    """Open engine, styles and outputs, and run."""
    from vst.live.painting import LivePainter
    from vst.live.remote import OscControl
    from vst.live.session import LiveSession, prepare_control
    from vst.pipeline.parts import open_job_engine

    with open_job_engine(job) as engine, contextlib.ExitStack() as stack:
        stack.enter_context(limit_opencv_threads(share_cores(job.threads).opencv))
        notes: list[str] = []
        control = prepare_control(job, engine, chosen.glide, notes)
        if chosen.osc is not None:
            stack.enter_context(OscControl(chosen.osc, control))
        for note in notes:
            report_line(note)
        painter = LivePainter(engine, job.steadiness, control, chosen.latency)
        opened = [make_output(name, control, job.overwrite) for name in outputs]
        return LiveSession(capture, painter, opened, chosen.size, report_line).run()


def check_outputs(content: str, outputs: tuple[str, ...], overwrite: bool) -> None:
    """Refuse outputs that cannot be written, and the same one twice."""
    from vst.cli.checks import check_video_output
    from vst.live.remote import check_address

    for name in outputs:
        if outputs.count(name) > 1:
            raise UsageError(f"output {name!r} was given twice. Give it once")
        if name == content and name != STANDARD_STREAM:
            raise UsageError(f"output {name!r} is also the input. Give it another name")
        if name.startswith("http://"):
            check_address(name, "http")
        elif name not in ("window", "virtual"):
            check_video_output(name, overwrite)


def make_output(name: str, control: Any, overwrite: bool) -> Any:
    """Make the output of this name; it opens in its own thread."""
    from vst.live.outputs import SinkOutput, VirtualCameraOutput, WindowOutput
    from vst.live.remote import PageOutput

    if name == "window":
        return WindowOutput(control)
    if name == "virtual":
        return VirtualCameraOutput()
    if name.startswith("http://"):
        return PageOutput(name, control)
    return SinkOutput(name, overwrite)


def report_line(text: str) -> None:
    """Print a line on stderr."""
    click.echo(text, err=True)
