"""The command line: one file per verb, imported when the verb is called.

`VERBS` is the table of verbs: to add one, a file in this folder with a click command named
``command``, and a line here.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from typing import Any, NoReturn

import click

from vst import __version__
from vst.cli.quiet import hushed, is_verbose
from vst.errors import Cancelled, VSTError

VERBS: dict[str, dict[str, tuple[str, str]]] = {
    "Paint": {
        "stylize": ("stylize", "paint a video in the looks of others"),
        "resume": ("resume", "go on with a long video that was broken off"),
        "image": ("image", "paint one picture"),
        "batch": ("batch", "paint many videos in many styles, from a file"),
        "grid": ("grid", "paint every content in every style, on one sheet"),
        "app": ("app", "a page in the browser: upload, look, paint, compare"),
        "demo": ("demo", "make two clips and paint one in the looks of the other"),
    },
    "Look first": {
        "preview": ("preview", "twelve painted frames along the whole, and the time it takes"),
        "keyframes": ("keyframes", "show what would be taken from a style video"),
        "score": ("score", "write, check and draw a score: which style when"),
        "styles": ("styles", "list the built-in styles, keep your own"),
        "show": ("show", "print the job that made an output"),
    },
    "Look after": {
        "evaluate": ("evaluate", "measure how steady, sharp and true to its style it is"),
        "compare": ("compare", "put videos side by side, with labels"),
        "study": ("study", "try methods against each other, and rate what came out"),
    },
    "Set up": {
        "train": ("train", "train networks: for one style, or the embedded model"),
        "models": ("models", "what models are known, and bringing them here"),
        "doctor": ("doctor", "say what is installed, what is wrong, and the mend"),
    },
}
"""Task -> verb -> (module in this folder, what it does)."""

STOPPED = "stopped"
"""The text of a `Cancelled` that says no more than that."""
EXAMPLE = "vst stylize holiday.mp4 -s film.mp4 -s @blue-swirls -o painted.mp4"


class Verbs(click.Group):
    """A group whose commands are imported when they are called: help and errors come at once."""

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
            from vst.core.registry import unknown

            raise click.UsageError(str(unknown("command", args[0], self.list_commands(ctx))), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for task, verbs in VERBS.items():
            with formatter.section(task):
                formatter.write_dl([(verb, text) for verb, (_, text) in verbs.items()])
        with formatter.section("Example"):
            formatter.write_text(EXAMPLE)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="vst %(version)s")
def cli() -> None:
    """Give a video the looks of another video."""


def main() -> NoReturn:
    """Run the command line and end the process: 0 done, 2 wrong use, 1 everything else."""
    with hushed():
        signal.signal(signal.SIGTERM, stop)
        code = run()
    sys.exit(code)


def run() -> int:
    """Run the command line; every failure is one line on stderr and an exit code."""
    try:
        code = cli.main(prog_name="vst", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "vst"
        complain(command, f"{error.format_message()} (help: {command} --help)")
        return 2
    except click.ClickException as error:
        complain("vst", error.format_message())
    except (KeyboardInterrupt, click.Abort, Cancelled) as error:
        told = str(error) if isinstance(error, Cancelled) and str(error) != STOPPED else ""
        complain("vst", told or "stopped; nothing was written under the output's name")
    except VSTError as error:
        complain("vst", str(error))
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone, as `vst styles | head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if is_verbose():
            raise
        complain("vst", of_the_system(error) or unexpected(error))
    else:
        return code if isinstance(code, int) else 0  # a command that ended itself says with what
    return 1


OF_THE_SYSTEM = {
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EACCES: "allow it, or choose another place",
    errno.EPERM: "allow it, or choose another place",
    errno.EROFS: "choose another place",
    errno.ELOOP: "name what the link should lead to",
    errno.ENOSPC: "free some space, or choose another disk",
    errno.EDQUOT: "free some space, or choose another disk",
    errno.EIO: "look at the disk",
}
"""What to do where the system refuses a file that nothing nearer to it has told about."""


def of_the_system(error: Exception) -> str:
    """What is said of a file that the system refuses; empty: it is something else."""
    if not isinstance(error, OSError) or error.filename is None:
        return ""
    what = OF_THE_SYSTEM.get(error.errno or 0)
    return f"{short(str(error.filename))}: {error.strerror}; {what}" if what else ""


def unexpected(error: Exception) -> str:
    """What is said of an error that nobody thought of."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"unexpected {type(error).__name__}: {text} (run it again with -v to see where)"


def short(name: str, most: int = 100) -> str:
    """A name in quotes, its middle left out where it is long."""
    shown = name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 :]}"
    return repr(shown)


def complain(command: str, text: str) -> None:
    """One line on stderr."""
    click.echo(f"{command}: {' '.join(text.split())}", err=True)


def stop(number: int, frame: Any) -> None:
    """A request to end, from outside: as Ctrl-C."""
    raise Cancelled(STOPPED)
