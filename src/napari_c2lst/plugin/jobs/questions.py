"""What is asked before a window or a dock is closed: Return and Escape stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from qtpy.QtWidgets import QMessageBox, QWidget


class _Question(QMessageBox):
    """A question of ours, in a dock or window of napari's: the ring shows which answer Return gives."""


def may_stop(parent: QWidget | None, names: Sequence[str]) -> bool:
    """Whether jobs may be stopped, by what they are called."""
    text = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} still running."
    advice = "Stopping saves a checkpoint: the work can go on from there later."
    box = _Question(QMessageBox.Icon.Question, "A job is running", text, parent=parent)
    return _agreed(box, advice, QMessageBox.ButtonRole.AcceptRole, "Stop and close", "Keep running")


def may_lose(parent: QWidget | None, results: Mapping[Path, Sequence[str]], sets: Mapping[Path, Sequence[str]]) -> bool:
    """Whether results of temporary stores, and sets that no store has, may go with the window."""
    lost = [f"{', '.join(names)} of {store.stem}" for store, names in results.items()]
    for slide, names in sets.items():
        lost.append(f"{'set' if len(names) == 1 else 'sets'} {', '.join(map(repr, names))} of {slide.stem}")
    advice = ["Keep > Save saves sets of spots into the slide."] if sets else []
    if results:
        advice.append(
            "The image was in memory only and lies with its results in a temporary store. "
            "Keep > Save a copy as... keeps them.\n\n" + "\n".join(map(str, results))
        )
    text = f"Closing the window loses {'; '.join(lost)}."
    box = _Question(QMessageBox.Icon.Warning, "Not everything is saved", text, parent=parent)
    return _agreed(box, "\n\n".join(advice), QMessageBox.ButtonRole.DestructiveRole, "Close without them", "Stay")


def _agreed(box: QMessageBox, advice: str, role: QMessageBox.ButtonRole, close: str, stay: str) -> bool:
    box.setInformativeText(advice)
    closes, stays = box.addButton(close, role), box.addButton(stay, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stays)
    box.setEscapeButton(stays)
    box.exec()
    return box.clickedButton() is closes
