"""``vst styles``: the built-in styles, and the user's own ones."""

from __future__ import annotations

from typing import Any

import click

from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import job_options, print_json, verbose_option
from vst.errors import UsageError
from vst.pipeline.checks import check_model, check_packages, check_style
from vst.pipeline.parts import open_engine
from vst.styles.library import (
    add_style,
    all_styles,
    get_style,
    load_builtin_styles,
    normalize_style_name,
    remove_style,
)
from vst.styles.resolve import check_style_exists, resolve_styles


@click.group(invoke_without_command=True)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the styles that can be used as @name; keep your own ones.

    \b
    Example: vst styles add my-wall wall.jpg
    """
    if context.invoked_subcommand is not None:
        return
    built_in = load_builtin_styles()
    known = all_styles()
    if as_json:
        listed = [
            {
                "name": name,
                "description": style.description,
                "built_in": name in built_in,
                "space": style.space,
            }
            for name, style in known.items()
        ]
        print_json({"styles": listed})
        return
    width = max(len(name) for name in known) + 1
    for name, style in known.items():
        own = "" if name in built_in else "  (your own)"
        click.echo(f"@{name:<{width}} {style.description}{own}")


@command.command()
@click.argument("name")
@click.argument("picture")
@click.option("--description", default="", help="One line that describes it.")
@job_options("engine", "model", "keyframes", "picker")
@verbose_option
def add(
    name: str, picture: str, description: str, engine: str, model: str | None, **choice: Any
) -> None:
    """Keep the style of PICTURE as @NAME, for this user.

    \b
    Example: vst styles add my-wall wall.jpg
    """
    name = normalize_style_name(name)
    check_style_exists(picture)
    check_style(picture)
    check_model(engine, model)
    check_packages(engine, model)
    resolved = resolve_styles([picture], **choice)
    if len(resolved) != 1:
        raise UsageError(
            f"{picture!r} has {len(resolved)} pictures: a style is made from one. Give one of them"
        )
    shown = resolved[0].picture
    with open_engine(engine, model=model) as opened:
        embed = getattr(opened, "embed", None)
        if embed is None:
            raise UsageError(
                f"engine {engine!r} has no style numbers to keep; use an engine with embeddings"
            )
        numbers = embed(shown)
        add_style(name, numbers, opened.space, description or f"made from {resolved[0].name}")  # type: ignore[attr-defined]
    click.echo(f"@{name} is kept; use it with -s @{name}")
    print_next_steps(
        paint=format_command("stylize", "holiday.mp4", "-s", f"@{name}", "-o", "painted.mp4"),
        undo=format_command("styles", "remove", name),
    )


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove your own style @NAME.

    \b
    Example: vst styles remove my-wall
    """
    remove_style(name.lstrip("@"))
    click.echo(f"@{name.lstrip('@')} is removed")


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Print what is known of the style @NAME, as JSON.

    \b
    Example: vst styles show ink-wash
    """
    style = get_style(name)
    print_json(
        {
            "name": style.name,
            "description": style.description,
            "origin": style.origin,
            "space": style.space,
            "embedding": [round(float(number), 5) for number in style.embedding],
        }
    )
