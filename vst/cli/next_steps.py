"""What to do after a verb: its two most likely next steps, as commands that can be pasted."""

from __future__ import annotations

import shlex

import click


def format_command(*words: object) -> str:
    """Format a command line of ``vst``, quoted for the shell."""
    return shlex.join(["vst", *map(str, words)])


def print_next_steps(*, quiet: bool = False, **steps: str) -> None:
    """Print one line per step on stderr, as in ``Compare: vst compare …``.

    ``steps``: word -> command; ``quiet``: print nothing.
    """
    if quiet:
        return
    width = max(map(len, steps), default=0) + 1
    for name, command in steps.items():
        click.echo(f"{f'{name.capitalize()}:':<{width}} {command}", err=True)
