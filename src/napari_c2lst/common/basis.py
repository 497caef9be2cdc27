"""What a run is made from besides its settings: the spots behind the name of a set, the models behind a path.

Settings only name them. A run that goes on with other training spots than it began with has seen spots which the model
at its end calls held out.
"""

from collections.abc import Mapping
from pathlib import Path

from .errors import MismatchError
from .reporter import Reporter

Basis = Mapping[str, str]
"""What it is, in words -> content hash."""


def check_basis(where: Path, there: Basis | None, now: Basis, reporter: Reporter) -> None:
    """`refuse_other_basis`, or a warning where nothing was kept: by an earlier version, or by a run without a basis."""
    if there is None:
        reporter.message(f"'{where}' does not say what it was made from: that was not kept when it was made", "warning")
    else:
        refuse_other_basis(where, there, now)


def refuse_other_basis(where: Path, there: Basis, now: Basis) -> None:
    """Refuse to go on with what was made from something else.

    Parameters
    ----------
    where
        The checkpoint or run, for the message.
    there, now
        What it was made from, and what it would be made from now.

    Raises
    ------
    MismatchError
        Naming all that differs.
    """
    changed = [name for name in sorted({*there, *now}) if there.get(name) != now.get(name)]
    if changed:
        raise MismatchError(
            f"'{where}' was made from other things than are there now: {', '.join(changed)}",
            "choose another --out (without --resume PATH), or bring back what it was made from",
        )
