"""``vst export``: the networks as files for other programs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

import click

from vst.cli.help import GroupedCommand
from vst.cli.options import Function, OneOf, Parsed, print_json, verbose_option
from vst.errors import UnsupportedFileError
from vst.export.plan import PRECISIONS, ExportPlan, parse_size
from vst.pipeline.checks import check_model

if TYPE_CHECKING:
    from vst.export.write import ExportedFile

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("export")
def command() -> None:
    """Write the networks as files for phones, browsers and other programs.

    \b
    Example: vst export onnx files
    """


COMMON = {
    "model": "Folder of `train embedded`, or .keras of `train fast`.",
    "size": "Width and height, multiples of 4 (default: any).",
    "precision": "How the weights are stored: float16 halves them.",
    "overwrite": "Replace files that are there.",
    "as_json": "Print one JSON object on stdout.",
}
"""Parameters of the formats' verbs that ``--help`` shows."""


def file_options(function: Function) -> Function:
    """Add the options of a format's verb."""
    for option in (
        verbose_option,
        click.option(
            "--json", "as_json", is_flag=True,
            help="Print one JSON object on stdout, and nothing else.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace files that are there."),
        click.option(
            "--precision", type=OneOf(PRECISIONS), default=ExportPlan.precision, show_default=True,
            help="How the weights are stored; float16 halves the file and loses nothing.",
        ),
        click.option(
            "--size", type=Parsed("WxH", parse_size), metavar="WxH",
            help="Width and height of the frames, multiples of 4 (default: any).",
        ),
        click.option(
            "--model", metavar="PATH",
            help="A folder of `vst train embedded` or a .keras file of `vst train fast` "
            "(default: the package's own networks).",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.argument("out", type=FOLDER)
@file_options
def onnx(out: Path, **options: Any) -> None:
    """Write painter.onnx and predictor.onnx into the folder OUT, or network.onnx of a trained
    network; each is run and compared with TensorFlow first.

    \b
    Example: vst export onnx files --precision float16
    """
    export_files("onnx", out, **options)


@command.command(cls=GroupedCommand, grouped=False, common=COMMON)
@click.argument("out", type=FOLDER)
@file_options
def tflite(out: Path, **options: Any) -> None:
    """Write painter.tflite and predictor.tflite into the folder OUT, or network.tflite of a trained
    network, for LiteRT; each is run and compared with TensorFlow first.

    \b
    Example: vst export tflite files --size 640x360 --precision float16
    """
    export_files("tflite", out, **options)


@command.command()
@click.argument("out", type=FOLDER)
@click.option(
    "--site", "page", type=FOLDER, metavar="DIR",
    help="The built page (default: what `make browser` built).",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Write into a folder that has files.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and nothing else."
)
@verbose_option
def web(out: Path, page: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write a static site into the folder OUT: a page that paints in the browser, the networks and
    the built-in styles. Any web server can serve it.

    \b
    Example: vst export web site
    """
    from vst.export.site import export_site

    site = export_site(out, page=page, overwrite=overwrite)
    if as_json:
        models = [file.as_dict() for file in site.models]
        print_json({"out": str(site.folder), "bytes": site.bytes, "models": models})
        return
    for file in site.models:
        click.echo(format_file(file))
    click.echo(f"{site.folder}: {site.bytes / 1e6:.1f} MB in all, to be served by any web server")
    click.echo(f"Try:  python -m http.server -d {shlex.quote(str(site.folder))}", err=True)


def export_files(
    format_name: str, out: Path, model: str | None, as_json: bool, overwrite: bool, **choice: Any
) -> None:
    """Export in one format and report the files."""
    plan = ExportPlan(model=check_exported_model(model), **choice)
    from vst.export.write import export_networks

    files = export_networks(format_name, plan, out, overwrite=overwrite)
    if as_json:
        print_json({"files": [file.as_dict() for file in files]})
        return
    for file in files:
        click.echo(format_file(file))


def check_exported_model(model: str | None) -> Path | None:
    """Refuse a model that cannot be exported, by its files."""
    if model is None:
        return None
    path = Path(model)
    check_model("fast" if path.is_file() else "embedded", model)
    if path.is_file() and not (path.suffix == ".keras" and is_zipfile(path)):
        raise UnsupportedFileError(
            f"--model {model!r} is not a network of `vst train fast`. Give its style.keras"
        )
    return path


def format_file(file: ExportedFile) -> str:
    """Format a line about a written file."""
    size = f"{file.path}: {file.bytes / 1e6:.2f} MB"
    if file.likeness is None:
        return f"{size}, not checked: {file.unchecked}"
    return f"{size}, {file.likeness:.0f} dB to TensorFlow"
