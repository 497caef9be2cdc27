"""One message with its next action, and a button for the details."""

from __future__ import annotations

import re

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.telling import as_text

from .theme import LEVEL_COLOURS

_SIGNS = {"info": "i", "warning": "!", "error": "✕", "success": "✓"}  # colour is never the only sign
_LONGEST = 40  # letters of a name


class MessageBar(QFrame):
    """Says what is the matter, in one sentence, and what to do next. Hidden while there is nothing to say.

    Attributes
    ----------
    level, message, hint
        What is shown; empty when nothing is.
    """

    details_wanted = Signal()
    action_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.level = self.message = self.hint = ""
        self.setObjectName("c2lst_message")
        self.sign, self.text, self.next = QLabel(self), _wrapping(self), _wrapping(self)
        self.sign.setFixedWidth(18)
        self.sign.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.action = QPushButton(self)
        self.action.clicked.connect(self.action_wanted)
        self.details = QPushButton("&Details", self)
        self.details.setToolTip("Open the log")
        self.details.clicked.connect(self.details_wanted)
        self._lay_out()
        self.clear()

    def show_message(
        self, level: str, message: str, hint: str = "", *, details: bool = False, action: str = ""
    ) -> None:
        """Show a message.

        Parameters
        ----------
        level
            "info", "warning", "error" or "success".
        details
            Offer the log.
        action
            Text of a button for the next action; none if empty.
        """
        self.level, self.message, self.hint = level, message, hint
        for label, words in ((self.text, as_text(message, "")), (self.next, as_text(hint, ""))):
            label.setText(_shortened(words))
            label.setToolTip("" if label.text() == words else words)
        self.next.setVisible(bool(hint))
        self.details.setVisible(details)
        self.action.setText(action)
        self.action.setVisible(bool(action))
        colour = LEVEL_COLOURS.get(level, LEVEL_COLOURS["info"])
        self.sign.setText(_SIGNS.get(level, "i"))
        self.sign.setStyleSheet(f"background: {colour}; color: white; font-weight: bold; border-radius: 3px;")
        self.setStyleSheet(f"QFrame#c2lst_message {{ border: 1px solid {colour}; border-radius: 4px; }}")
        self.setAccessibleName(level)
        self.setAccessibleDescription(f"{message} {hint}".strip())
        self.show()

    def clear(self) -> None:
        """Say nothing."""
        self.level = self.message = self.hint = ""
        self.setAccessibleDescription("")
        self.hide()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self.text)
        words.addWidget(self.next)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.action)
        buttons.addWidget(self.details)
        words.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)


def _shortened(words: str) -> str:
    """A name that fits into no line of a dock loses its middle: a label breaks lines between words only."""
    return re.sub(rf"[^\s/\\]{{{_LONGEST + 1},}}", lambda name: f"{name[0][:19]}…{name[0][-20:]}", words)


def _wrapping(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
