"""The command `c2lst`: one subcommand for each task of the registry.

Exit codes: 0 done, 1 the work failed, 2 something given cannot be used, 130 stopped by the user.
"""

import difflib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import click

from napari_c2lst._version import __version__
from napari_c2lst.common.errors import C2LError, InputError, Stopped
from napari_c2lst.jobs.tasks import TASKS, settle_process

from .commands import TaskCommand
from .console import show_error, show_failure

GROUPS = {"slide": "The slide", "model": "The models", "genes": "The genes", "cells": "The cells"}
_INTRODUCTION = (
    "Synthetic spots from a few real ones, gene maps over the whole tissue, and an honest score. "
    "The way: look at a slide (info), choose training spots (select), adapt a central model to them (adapt), "
    "sample synthetic pairs (sample), train a predictor (train), predict genes (predict), score it (evaluate)."
)


class Commands(click.Group):
    """The tasks, in the order of the work; a command's settings are imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the registry."""
        return list(TASKS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a task, or None."""
        return TaskCommand(TASKS[cmd_name]) if cmd_name in TASKS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; say what was probably meant when there is none."""
        if args and not args[0].startswith("-") and args[0] not in TASKS:
            close = difflib.get_close_matches(args[0], TASKS, n=1)
            hint = f"did you mean 'c2lst {close[0]}'?" if close else "see 'c2lst --help'"
            raise InputError(f"there is no command {args[0]!r}", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the tasks by the part of the way they belong to."""
        for group, title in GROUPS.items():
            rows = [(task.name, task.summary) for task in TASKS.values() if task.group == group]
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(
    cls=Commands,
    help=_INTRODUCTION,
    epilog="Each command explains itself: c2lst COMMAND --help",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="c2lst")
def program() -> None:
    """Parse nothing of its own."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line and give the exit code; every error is shown as one sentence and one next action."""
    with nullcontext() if _debug() else _quiet():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        outcome = program.main(list(arguments), prog_name="c2lst", standalone_mode=False, obj=list(arguments))
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "c2lst"
        text = error.format_message().strip().rstrip(".")
        show_error(text[:1].lower() + text[1:], f"see '{where} --help'")
        return 2
    except Stopped as error:
        show_failure(error)
        return 130
    except InputError as error:
        show_failure(error)
        return 2
    except C2LError as error:
        show_failure(error)
        return 1
    except (KeyboardInterrupt, click.Abort):
        show_error(f"stopped at once; {_what_is_left(arguments)}")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `c2lst info ... | head`: not an error
        return 0
    except Exception as error:
        if _debug():
            traceback.print_exc()
        _show_unexpected(error)
        return 1
    return outcome if isinstance(outcome, int) else 0


def _what_is_left(arguments: Sequence[str]) -> str:
    """What becomes of the work of a command that was ended without being asked to stop."""
    task = TASKS.get(arguments[0]) if arguments else None
    if task is not None and "resume" in task.settings_class().model_fields:
        return "the last checkpoint, if there is one, is whole"
    return "nothing half-written takes the place of a result"


def _show_unexpected(error: Exception) -> None:
    from napari_c2lst.jobs.protocol import unexpected

    said = unexpected(error)
    show_error(said["message"], said["hint"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep libraries' warnings and log lines from a user who can do nothing about them (C2LST_DEBUG=1 shows them)."""
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)


def _debug() -> bool:
    return bool(os.environ.get("C2LST_DEBUG"))


def main() -> None:
    """The console script."""
    settle_process(sys.argv[1] if len(sys.argv) > 1 else "")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
