"""The errors a user can meet: what is wrong, which value, where, and what to do next."""

from collections.abc import Sequence
from pathlib import Path


class C2LError(Exception):
    """An error that is shown as one sentence and one next action.

    Parameters
    ----------
    message
        What is wrong, with the value and the place.
    hint
        The next action; empty when there is none.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} / {self.hint}" if self.hint else self.message


class InputError(C2LError):
    """Something the user gave cannot be used."""


class MismatchError(InputError):
    """Two things that must belong together do not (a model and its central model, pairs and a slide, ...)."""


class DeviceMemoryError(C2LError):
    """The device has too little memory, even for a batch of one."""


class RunFailure(C2LError):
    """The work itself failed, although the input was in order."""


class Stopped(C2LError):
    """Work was stopped on request, after a checkpoint was saved.

    Parameters
    ----------
    checkpoint
        Where the work can be taken up again; None when there was nothing to save yet.
    """

    def __init__(self, message: str, hint: str = "", checkpoint: Path | None = None) -> None:
        super().__init__(message, hint)
        self.checkpoint = checkpoint


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def raise_all(problems: Sequence[InputError]) -> None:
    """Raise all problems of an input at once: nothing for none, itself for one, a list for several.

    Raises
    ------
    InputError
        If there is a problem.
    """
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    message = f"{len(problems)} things are wrong: " + "; ".join(f"({i}) {p.message}" for i, p in enumerate(problems, 1))
    hints = dict.fromkeys(p.hint for p in problems if p.hint)
    raise InputError(message, "; ".join(hints))
