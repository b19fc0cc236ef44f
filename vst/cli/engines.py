"""``vst engines``: the engines, and the options of one."""

from __future__ import annotations

import click

from vst.cli.help import list_engine_options
from vst.cli.options import OneOf, print_json, verbose_option
from vst.engines import ENGINES
from vst.engines.options import collect_option_fields

ABOUT = {
    "embedded": "the model in this package; any style, no download",
    "fast": "a network trained for one style with `vst train fast` (--model style.keras)",
    "gatys": "optimization of every frame; any style, slow",
    "magenta": "Magenta's arbitrary style transfer; any style, its model is downloaded",
    "tint": "a tint in the style's mean color, for tests and trials",
}
"""Engine -> one line on what it paints and what it needs."""


@click.command()
@click.argument("name", required=False, type=OneOf(ENGINES))
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@verbose_option
def command(name: str | None, as_json: bool) -> None:
    """List the engines, or the options of the engine NAME.

    \b
    Example: vst engines gatys
    """
    from vst.cli.stylize import command as stylize

    options = {engine: list_engine_options(stylize, engine) for engine in ENGINES}
    if as_json:
        names = {
            engine: [n for n, e in collect_option_fields().items() if engine in e]
            for engine in ENGINES
        }
        shown = [name] if name else list(ENGINES)
        print_json(
            {
                "engines": [
                    {"name": one, "about": ABOUT[one], "options": names[one]} for one in shown
                ]
            }
        )
        return
    if name is None:
        width = max(map(len, ENGINES))
        for engine in ENGINES:
            count = len(options[engine])
            own = f"  ({count} options: vst engines {engine})" if count else ""
            click.echo(f"{engine:<{width}}  {ABOUT[engine]}{own}")
        return
    click.echo(f"{name}: {ABOUT[name]}")
    formatter = click.HelpFormatter(width=100)
    if options[name]:
        with formatter.section(f"Options of vst stylize --engine {name}"):
            formatter.write_dl(options[name])
    else:
        formatter.write_text("It has no options of its own.")
    click.echo(formatter.getvalue().rstrip())
