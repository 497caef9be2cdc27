"""What the session tells, as napari's notifications: a sentence and the next action, never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils import notifications

if TYPE_CHECKING:
    from .session import Session

_SHOW = {
    "info": notifications.show_info,
    "warning": notifications.show_warning,
    "error": notifications.show_error,
}


class Notices:
    """Hands what a session tells on to napari; one for each viewer, whichever panels are open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        session.told.connect(self._show)

    def close(self) -> None:
        """Tell nothing any more."""
        self._session.told.disconnect(self._show, missing_ok=True)

    def _show(self, level: str, message: str, hint: str) -> None:
        _SHOW.get(level, notifications.show_info)(as_text(message, hint))


def as_text(message: str, hint: str) -> str:
    """'No slide is open. Open one first: ...' from an error's two parts."""
    return " ".join(_sentence(part) for part in (message, hint) if part)


def _sentence(text: str) -> str:
    text = text.strip()
    # a name or a path keeps its own first letter
    begins = text[:1].upper() + text[1:] if text[:2].isascii() and text[:2].isalpha() and text[:2].islower() else text
    return begins if begins.endswith((".", "!", "?", "…", "...")) else begins + "."
