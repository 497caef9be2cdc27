"""The last thing that was said: a sentence and the next action, with the log one click away."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QStyle, QToolButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.telling import as_text

_ICONS = {
    "info": QStyle.StandardPixmap.SP_MessageBoxInformation,
    "warning": QStyle.StandardPixmap.SP_MessageBoxWarning,
    "error": QStyle.StandardPixmap.SP_MessageBoxCritical,
}
_ICON_PX = 18


class MessageArea(QFrame):
    """Hidden until something is said; the newest message takes the place of the one before."""

    details_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.icon = QLabel(self)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.details = self._button("Details", "Open the log", self.details_asked.emit)
        self.dismiss = self._button("×", "Put this message away", self.hide)
        self.dismiss.setAccessibleName("Put this message away")
        buttons = QVBoxLayout()
        buttons.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignRight)
        buttons.addWidget(self.details)
        buttons.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 4, 4)
        row.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        row.addLayout(buttons)
        self.hide()

    def tell(self, level: str, message: str, hint: str = "") -> None:
        """Show a message."""
        standard = self.style().standardIcon(_ICONS.get(level, _ICONS["info"]))
        self.icon.setPixmap(standard.pixmap(_ICON_PX, _ICON_PX))
        self.icon.setAccessibleName(level)
        self.text.setText(as_text(message, hint))
        self.details.setVisible(level != "info")
        self.show()

    def _button(self, text: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.clicked.connect(slot)
        return button
