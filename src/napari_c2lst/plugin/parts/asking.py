"""Questions before a file is replaced; replaced in tests, where a dialog would wait for ever."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QMessageBox, QWidget

_SHOWN = 5


def agree_to_replace(parent: QWidget | None, paths: Sequence[Path]) -> bool:
    """Whether files may be replaced; nothing is asked about those that are not there."""
    there = [path for path in paths if path.exists()]
    if not there:
        return True
    names = ", ".join(f"'{path.name}'" for path in there[:_SHOWN])
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    what = f"{names}{more} in '{there[0].parent}'"
    question = (
        f"{what} {'is' if len(there) == 1 else 'are'} there already. Replace {'it' if len(there) == 1 else 'them'}?"
    )
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    return QMessageBox.question(parent, "Replace files?", question, yes | no, no) == yes


def named_path(parent: QWidget | None, chosen: str, ending: str) -> Path | None:
    """The file a user named in a dialog, with its ending; None where there is none, or it may not be replaced.

    The dialog asked about the name as it was typed, not about the one with the ending.
    """
    if not chosen:
        return None
    path = Path(chosen)
    if path.suffix == ending or path.suffix[1:].isalpha():  # the ".2" of "B4 v1.2" is no ending
        return path
    path = path.with_name(path.name + ending)
    return path if agree_to_replace(parent, [path]) else None
