"""``vst doctor``: check the installation and the models."""

from __future__ import annotations

import click

from vst.cli.options import print_json, verbose_option
from vst.doctor import Examination, examine


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@click.option("--offline", is_flag=True, help="Skip the checks that connect to a server.")
@verbose_option
@click.pass_context
def command(context: click.Context, as_json: bool, offline: bool) -> None:
    """Check what is installed and which models can be used, and how to fix what is wrong.

    Exits with 1 if something that vst cannot paint without is missing.

    \b
    Example: vst doctor --offline
    """
    examination = examine(network=not offline)
    if as_json:
        print_json(examination.as_dict())
    else:
        print_examination(examination)
    if not examination.ok:
        context.exit(1)


def print_examination(examination: Examination) -> None:
    """Print one line per finding, and the fix below it."""
    width = max(len(check.name) for check in examination.checks)
    for check in examination.checks:
        sign = "ok" if check.ok else "!!" if check.needed else "--"
        click.echo(f"{sign} {check.name:<{width}}  {check.detail}")
        if check.remedy:
            click.echo(f"   {'':<{width}}  fix: {check.remedy}")
    click.echo()
    for engine, state in examination.engines.items():
        click.echo(f"engine {engine}: {state}")
