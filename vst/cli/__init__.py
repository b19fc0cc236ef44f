"""The command line: one file per verb, imported when the verb is called.

`VERBS` is the table of verbs: to add one, a file in this folder with a click command named
``command``, and a line here.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any, NoReturn

import click

from vst import __version__
from vst.cli.errors import (
    describe_missing_package,
    describe_system_error,
    describe_unexpected,
    print_error,
    say_what_is_needed,
    spell_as_options,
)
from vst.cli.exit_codes import DONE, FAILED, WRONG_USE, find_exit_code
from vst.cli.next_steps import format_command
from vst.cli.quiet import is_verbose, silence_libraries
from vst.errors import Cancelled, VSTError

VERBS: dict[str, dict[str, tuple[str, str]]] = {
    "Paint": {
        "stylize": ("stylize", "paint a video in one or more styles"),
        "resume": ("resume", "finish a long video that was interrupted"),
        "image": ("image", "paint one picture"),
        "batch": ("batch", "paint many videos in many styles, listed in a file"),
        "grid": ("grid", "paint every content in every style, on one sheet"),
        "live": ("live", "paint a camera, a stream or a pipe in real time"),
        "app": ("app", "serve a page for the browser: upload, preview, paint, compare"),
        "demo": ("demo", "make two clips and paint one in the style of the other"),
    },
    "Prepare": {
        "preview": ("preview", "paint twelve frames along a video, and estimate the time"),
        "frames": ("frames", "write frames of a video as pictures, to paint over them"),
        "keyframes": ("keyframes", "show the keyframes of a style video"),
        "lut": ("lut", "write a style's colors as a lookup table (.cube)"),
        "score": ("score", "write, check and draw a score: which style when"),
        "styles": ("styles", "list the built-in styles, keep your own"),
        "engines": ("engines", "list the engines, and the options of one"),
        "show": ("show", "print the job that made an output"),
    },
    "Evaluate": {
        "evaluate": ("evaluate", "measure flicker, sharpness and style of a painted video"),
        "compare": ("compare", "put videos side by side, with labels"),
        "study": ("study", "compare methods on your own files, and rate the results"),
    },
    "Set up": {
        "train": ("train", "train networks: for one style, or the embedded model"),
        "export": ("export", "write the networks for phones, browsers, other programs"),
        "models": ("models", "list, download and check models"),
        "doctor": ("doctor", "check the installation, and how to fix it"),
    },
}
"""Task -> verb -> (module in this folder, what it does)."""

FIRST = ("demo", "stylize", "preview", "image", "styles", "app")
"""Verbs that ``vst --help`` explains; the others it names, and ``vst --help-all`` explains all."""
STOPPED = "stopped"
"""The text of a `Cancelled` without a message of its own."""
ALL = "vst.all_verbs"
"""Key in a context's ``meta``: set where the help explains all verbs."""
EXAMPLE = "vst stylize holiday.mp4 -s film.mp4 -s @blue-swirls -o painted.mp4"


class Verbs(click.Group):
    """A group that imports a command when it is called: help and errors come at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [verb for verbs in VERBS.values() for verb in verbs]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for verbs in VERBS.values():
            if name in verbs:
                module = importlib.import_module(f"vst.cli.{verbs[name][0]}")
                command: click.Command = module.command
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            from vst.core.registry import make_unknown_error

            raise click.UsageError(
                str(make_unknown_error("command", args[0], self.list_commands(ctx))), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if ctx.meta.get(ALL):
            for task, verbs in VERBS.items():
                with formatter.section(task):
                    formatter.write_dl([(verb, text) for verb, (_, text) in verbs.items()])
        else:
            texts = {name: about for verbs in VERBS.values() for name, (_, about) in verbs.items()}
            with formatter.section("First steps"):
                formatter.write_dl([(name, texts[name]) for name in FIRST])
            with formatter.section("More, by task (vst VERB --help; a line for each: --help-all)"):
                rest = {
                    task: ", ".join(verb for verb in verbs if verb not in FIRST)
                    for task, verbs in VERBS.items()
                }
                formatter.write_dl(list(rest.items()))
        with formatter.section("Example"):
            formatter.write_text(EXAMPLE)


def show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the help with a line for each verb."""
    if value and not ctx.resilient_parsing:
        ctx.meta[ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="vst %(version)s")
@click.option(
    "--help-all", is_flag=True, is_eager=True, expose_value=False, callback=show_all,
    help="Show what each verb does, and exit.",
)  # fmt: skip
def cli() -> None:
    """Give a video the style of another video."""


def main() -> NoReturn:
    """Run the command line and exit with a code of `vst.cli.exit_codes`."""
    with silence_libraries():
        signal.signal(signal.SIGTERM, raise_cancelled)
        code = run()
    sys.exit(code)


def run() -> int:
    """Run the command line; report a failure as one line on stderr and an exit code."""
    try:
        code = cli.main(prog_name="vst", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return WRONG_USE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "vst"
        text = say_what_is_needed(error.format_message())
        print_error(command, f"{text} (help: {command} --help)")
        return WRONG_USE
    except click.ClickException as error:
        print_error("vst", error.format_message())
    except (KeyboardInterrupt, click.Abort, Cancelled) as error:
        text = str(error) if isinstance(error, Cancelled) and str(error) != STOPPED else ""
        print_error("vst", text or describe_stop())
    except VSTError as error:
        print_error("vst", spell_as_options(str(error)))
        return find_exit_code(error)
    except BrokenPipeError:
        # The reader of stdout has closed it, as in `vst styles | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if is_verbose():
            raise
        missing = describe_missing_package(error)
        print_error("vst", missing or describe_system_error(error) or describe_unexpected(error))
        return WRONG_USE if missing else FAILED
    else:
        return code if isinstance(code, int) else DONE  # the code of `Context.exit`
    return FAILED


def describe_stop() -> str:
    """Say that a stopped command left nothing, and how to start it again."""
    again = format_command(*sys.argv[1:])
    return f"stopped: nothing was written under the output's name. Start again with: {again}"


def raise_cancelled(number: int, frame: Any) -> None:
    """Handle SIGTERM like Ctrl-C."""
    raise Cancelled(STOPPED)
