"""``vst doctor``: what is installed, which models can be used, what is wrong and how to mend it."""

from __future__ import annotations

import click

from vst.cli.options import print_json, verbose_option
from vst.doctor import Examination, examine


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@click.option("--offline", is_flag=True, help="Do not ask whether the models' addresses answer.")
@verbose_option
@click.pass_context
def command(context: click.Context, as_json: bool, offline: bool) -> None:
    """Say what is installed, which models can be used, what is wrong and how to mend it.

    Ends with 1 where something is missing that vst cannot do without.
    """
    examination = examine(network=not offline)
    if as_json:
        print_json(examination.as_dict())
    else:
        tell(examination)
    if not examination.ok:
        context.exit(1)


def tell(examination: Examination) -> None:
    """One line a finding, its mend below it where it has one."""
    width = max(len(check.name) for check in examination.checks)
    for check in examination.checks:
        sign = "ok" if check.ok else "!!" if check.needed else "--"
        click.echo(f"{sign} {check.name:<{width}}  {check.detail}")
        if check.remedy:
            click.echo(f"   {'':<{width}}  mend: {check.remedy}")
    click.echo()
    for engine, state in examination.engines.items():
        click.echo(f"engine {engine}: {state}")
