"""``vst app``: the page in the browser."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vst.cli.help import GroupedCommand
from vst.cli.options import cluster_options, cluster_settings, pop_options, verbose_option
from vst.core.packages import require_package
from vst.errors import Cancelled, UsageError
from vst.web.guard import is_local
from vst.web.limits import VisitorLimits

if TYPE_CHECKING:
    from vst.cluster import ClusterSettings
    from vst.web.queue import RunJob

DEFAULT = VisitorLimits()


def parse_auth(text: str) -> tuple[str, str]:
    """USER:PASSWORD; the password may have colons."""
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise UsageError("auth is not USER:PASSWORD; give both, with a colon between")
    return user, password


COMMON = {
    "host": "Address to listen on: 127.0.0.1, or 0.0.0.0 for all.",
    "port": "Port (7860).",
    "auth": "Ask visitors for this user and password.",
    "state": "Folder for uploads and jobs.",
    "max_upload": "Largest upload, in megabytes.",
    "max_length": "Longest content, in seconds.",
    "jobs": "Jobs at once; the others wait.",
}
"""Parameters that ``--help`` shows."""


@contextlib.contextmanager
def open_runner(settings: ClusterSettings | None) -> Iterator[RunJob]:
    """What paints the page's jobs: this process, or a cluster."""
    if settings is None:
        from vst.pipeline.run import run

        yield run
        return
    from vst.web.cluster_runner import ClusterRunner

    with ClusterRunner(settings) as runner:
        yield runner


@click.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.option(
    "--host", default="127.0.0.1", envvar="VST_HOST", show_default=True, show_envvar=True,
    help="The address to listen on.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(1, 65535), default=7860, show_default=True, help="The port."
)
@click.option(
    "--auth", metavar="USER:PASSWORD", envvar="VST_AUTH", show_envvar=True,
    help="Ask visitors for this user and password.",
)  # fmt: skip
@click.option(
    "--allow-host", "names", multiple=True, metavar="NAME",
    help="Also serve the page under this host name. May be given several times.",
)  # fmt: skip
@click.option(
    "--endpoints/--no-endpoints", default=None,
    help="Answer gradio_client too (default: only on a server for this machine alone).",
)  # fmt: skip
@click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Folder for uploads and jobs, which a killed server leaves for the next one "
    "(default: ~/.local/state/vst/page-PORT).",
)  # fmt: skip
@click.option(
    "--max-upload", type=click.IntRange(1), default=DEFAULT.upload, show_default=True,
    metavar="MB", help="Largest file that can be uploaded.",
)  # fmt: skip
@click.option(
    "--max-length", type=click.FloatRange(0.1), default=DEFAULT.length, show_default=True,
    metavar="SECONDS", help="Longest content that can be uploaded.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=DEFAULT.jobs, show_default=True,
    help="Jobs at once; the others wait.",
)  # fmt: skip
@click.option(
    "--waiting", type=click.IntRange(1, 10_000), default=DEFAULT.waiting, show_default=True,
    metavar="N", help="Jobs that may wait; visitors take turns.",
)  # fmt: skip
@cluster_options
@verbose_option
def command(
    host: str,
    port: int,
    auth: str | None,
    names: tuple[str, ...],
    state: Path | None,
    **visitor: Any,
) -> None:
    """Serve a page in which videos are painted by looking. It opens no browser; Ctrl-C ends it, and
    removes what was uploaded and made.

    \b
    Example: vst app --port 8000
    """
    require_package("gradio", "the page needs Gradio", "web")
    from vst.web.server import PageAddress, serve

    settings = cluster_settings(*pop_options(visitor, "cluster", "workers", "storage"))
    at = PageAddress(host, port, names)
    upload, waiting = visitor["max_upload"], visitor["waiting"]
    limits = VisitorLimits(
        upload=upload,
        kept=4 * upload,
        length=visitor["max_length"],
        jobs=visitor["jobs"],
        waiting=waiting,
        waiting_each=max(1, waiting * DEFAULT.waiting_each // DEFAULT.waiting),
        endpoints=visitor["endpoints"],
    )
    known = parse_auth(auth) if auth else None
    if known is None and not is_local(host):
        click.echo(
            f"warning: everybody who reaches {host} can use this page; --auth asks for a password",
            err=True,
        )
    with (
        open_runner(settings) as run_job,
        serve(at, known, limits, state=state, run_job=run_job) as served,
    ):
        address, going_on = served
        if going_on:
            click.echo(f"jobs of the server that was killed go on: {going_on}")
        click.echo(f"the page is at {address} (Ctrl-C ends it)")
        try:
            threading.Event().wait()
        except (KeyboardInterrupt, Cancelled):
            click.echo("ending: jobs are stopped, files are removed", err=True)
