"""The rows of a form: label, widget, unit; narrow enough for a dock."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QGridLayout, QLabel, QSizePolicy, QWidget

from napari_c2lst.plugin.parts.wheel import WheelGuard

from .labels import label_of, tooltip_of, unit_of

WRONG = "#d55e00"  # Okabe-Ito's vermilion


class Rows(QWidget):
    """Fields below each other; a field that is put again takes its old place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self._rows: dict[str, tuple[QLabel, QWidget, QLabel]] = {}
        self._numbers: dict[str, int] = {}
        self._patient = WheelGuard(self)

    def put(self, field: Any) -> None:
        """Show a field; one of the same name gives way to it."""
        name, widget = field.info.name, field.native
        number = self._numbers.setdefault(name, len(self._numbers))
        for old in self._rows.get(name, ()):
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        label, unit = QLabel(label_of(field.info)), QLabel(unit_of(field.info))
        label.setWordWrap(True)
        label.setFixedWidth(118)
        label.setBuddy(widget)
        _describe(widget, label.text(), tooltip_of(field.info))
        for part in (label, widget):
            part.setToolTip(tooltip_of(field.info))
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._guard(widget)
        for column, part in enumerate((label, widget)):
            self._grid.addWidget(
                part, number, column, Qt.AlignmentFlag.AlignVCenter if column == 0 else Qt.AlignmentFlag(0)
            )
        if unit.text():
            self._grid.addWidget(unit, number, 2)
        else:
            unit.setParent(self)
            unit.hide()
            self._grid.addWidget(widget, number, 1, 1, 2)
        self._rows[name] = (label, widget, unit)

    def set_visible(self, name: str, visible: bool) -> None:
        """Show or hide the row of a field."""
        for part in self._rows.get(name, ()):
            part.setVisible(visible and not (isinstance(part, QLabel) and not part.text()))

    def mark(self, name: str, problem: str, differs: bool) -> None:
        """Mark a row: what cannot be used by a frame and a word, what differs from the preset by a bold label."""
        label = self._rows[name][0]
        font = label.font()
        font.setBold(differs)
        label.setFont(font)
        label.setText(label.text().split("\n")[0] + (f"\n{problem}" if problem else ""))
        label.setStyleSheet(f"color: {WRONG}" if problem else "")
        label.setAccessibleDescription(problem or ("differs from the preset" if differs else ""))

    def _guard(self, widget: QWidget) -> None:
        for each in (widget, *widget.findChildren(QWidget)):
            if isinstance(each, QAbstractSpinBox | QComboBox):
                self._patient.guard(each)


def _describe(widget: QWidget, name: str, tooltip: str) -> None:
    for each in (widget, *widget.findChildren(QWidget)):
        if not each.accessibleName():
            each.setAccessibleName(name)
        each.setToolTip(tooltip)
